//! Pulling from a real registry.

use bollard::query_parameters::{PushImageOptions, TagImageOptions};
use cutover_runtime::{Error, Pull, Removal};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use crate::registry::{PASSWORD, Registry, deploy};
use crate::rig::Rig;

/// Pushes the rig's image, and returns the digest that the registry has for it. The engine holds none of it under that name after.
async fn push(rig: &Rig, registry: &Registry) -> String {
    let repository = format!("{}/{}", registry.address, rig.name);
    let options = TagImageOptions { repo: Some(repository.clone()), tag: Some("v1".into()) };
    rig.api.tag_image(&rig.image, Some(options)).await.unwrap();
    let options = PushImageOptions { tag: Some("v1".into()), ..PushImageOptions::default() };
    let pushed = rig.api.push_image(&repository, Some(options), None);
    pushed.try_collect::<Vec<_>>().await.unwrap();
    let images = rig.engine.observe_images(&repository).await.unwrap();
    let digest = images[0]
        .repo_digests
        .iter()
        .find_map(|name| name.strip_prefix(&format!("{repository}@")))
        .unwrap()
        .to_owned();
    // By id and reference alike, so that a pull has to fetch it.
    for reference in [format!("{repository}:v1"), format!("{repository}@{digest}"), rig.image.clone()] {
        rig.engine.remove_image(&reference).await.unwrap();
    }
    assert_eq!(rig.engine.observe_image(&images[0].id).await.unwrap(), None, "the image is really gone");
    digest
}

async fn stored(rig: &Rig) -> (TempDir, Registry, String) {
    let directory = tempfile::tempdir().unwrap();
    let open = Registry::start(directory.path(), false).await;
    let digest = push(rig, &open).await;
    drop(open);
    let registry = Registry::start(directory.path(), true).await;
    (directory, registry, digest)
}

#[tokio::test]
async fn an_image_is_pulled_by_digest_once_with_an_unlucky_password() {
    let rig = Rig::new().await;
    let (_directory, registry, digest) = stored(&rig).await;
    let reference = format!("{}/{}@{digest}", registry.address, rig.name);
    let mut steps = Vec::new();
    let credentials = deploy(PASSWORD);
    let pulled =
        rig.engine.ensure_image(&reference, Some(&credentials), &mut |step| steps.push(step)).await.unwrap();
    let Pull::Pulled(image) = &pulled else { panic!("{pulled:?}") };
    assert!(image.repo_digests.contains(&reference), "{image:?}");
    assert!(steps.iter().any(|step| step.layer.is_some() && step.total.is_some()), "{steps:?}");

    let again = rig.engine.ensure_image(&reference, None, &mut |step| panic!("{step:?}")).await.unwrap();
    assert_eq!(again, Pull::AlreadyThere(image.clone()));
    assert_eq!(rig.engine.remove_image(&reference).await.unwrap(), Removal::Removed);
}

#[tokio::test]
async fn what_the_registry_refuses_is_told_apart() {
    let rig = Rig::new().await;
    let (_directory, registry, digest) = stored(&rig).await;
    let there = format!("{}/{}@{digest}", registry.address, rig.name);
    let (wrong, right) = (deploy("wrong"), deploy(PASSWORD));
    for credentials in [Some(&wrong), None] {
        let error = rig.engine.ensure_image(&there, credentials, &mut |_| {}).await.unwrap_err();
        assert!(matches!(&error, Error::Unauthorized { image, .. } if *image == there), "{error:?}");
    }
    for missing in
        [format!("{}:v2", there.split('@').next().unwrap()), there.replace(&digest[7..15], "00000000")]
    {
        let error = rig.engine.ensure_image(&missing, Some(&right), &mut |_| {}).await.unwrap_err();
        assert!(matches!(&error, Error::ImageNotFound { image, .. } if *image == missing), "{error:?}");
    }
}
