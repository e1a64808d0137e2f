//! Pulling from a real registry.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bollard::query_parameters::{PushImageOptions, TagImageOptions};
use cutover_runtime::{Credentials, Error, Pull, Removal};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use crate::rig::{Rig, until};

/// In every alignment it has a byte group whose base64 differs between the standard and the URL-safe alphabet.
const PASSWORD: &str = "~?>~?>~?>";
/// The password's bcrypt hash, with the least cost there is.
const HTPASSWD: &str = "deploy:$2b$04$abcdefghijklmnopqrstuuyExo9zVl5YXEBnDKRS/uXCucgBjonM6\n";

/// A `docker-registry` over a directory, with basic auth or without. It ends with its owner.
struct Registry {
    process: Child,
    address: SocketAddr,
}

impl Registry {
    async fn start(directory: &Path, auth: bool) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (storage, users) = (directory.join("data"), directory.join("htpasswd"));
        std::fs::write(&users, HTPASSWD).unwrap();
        let mut config = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{address}\" }}\n",
            storage.display()
        );
        if auth {
            config += &format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", users.display());
        }
        let file = directory.join(format!("{}.yml", address.port()));
        std::fs::write(&file, config).unwrap();
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let registry = Self { process: process.expect("this test needs Debian's docker-registry"), address };
        until("the registry", || async { TcpStream::connect(address).is_ok() }).await;
        registry
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("the registry ends");
    }
}

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

fn deploy(password: &str) -> Credentials {
    Credentials { username: "deploy".into(), password: password.into() }
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
