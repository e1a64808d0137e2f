//! Pushes to a real registry, judged by skopeo, by the engine and by a second registry.

use std::collections::BTreeMap;

use cutover_registry::{Credentials, Descriptor, Digest, Error, Progress, PushOptions, Registry};
use futures_util::StreamExt;
use serde_json::Value;

use crate::rig::cutover;
use crate::rig::cutter::Cutter;
use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::{INDEX, MANIFEST, TestImage};
use crate::rig::judge::docker_pulls;
use crate::rig::layout::TestLayout;
use crate::rig::peer::client;
use crate::rig::skopeo::{copy, skopeo};

fn options(set: impl FnOnce(&mut PushOptions)) -> PushOptions {
    let mut options = PushOptions::default();
    set(&mut options);
    options
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Digest::of(bytes), bytes.len() as u64)
}

#[tokio::test]
async fn what_is_pushed_is_accepted_by_skopeo_the_engine_and_a_second_registry() {
    let (daemon, second) = (Daemon::start(Auth::Anonymous).await, Daemon::start(Auth::Anonymous).await);
    for (layers, gzip) in [(1, true), (60, false)] {
        let mut layout = TestLayout::new();
        let manifest = layout.real_image(layers, gzip);
        let image = daemon.image(&format!("acme/web:l{layers}"));
        let pushed = client().push(layout.path(), &image, &PushOptions::default()).finish().await.unwrap();
        assert_eq!(pushed.resolved.digest, Digest::of(&manifest));
        assert_eq!(pushed.tags, [format!("l{layers}")]);
        assert!(pushed.sent > 0 && pushed.kept == 0, "{pushed:?}");

        let source = format!("docker://{image}");
        let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &source]).await;
        assert!(raw == manifest, "the very bytes");
        let there = second.image(&format!("acme/copy:l{layers}"));
        copy(&source, &format!("docker://{there}")).await;
        assert_eq!(client().resolve(&there).await.unwrap().digest, pushed.resolved.digest);
        let config: Value = serde_json::from_slice(&manifest).unwrap();
        let id = docker_pulls(&pushed.resolved.image.canonical()).await;
        assert_eq!(id, config["config"]["digest"].as_str().unwrap());
    }
}

#[tokio::test]
async fn an_index_goes_up_with_all_its_images_and_attestations() {
    let (daemon, second) = (Daemon::start(Auth::Anonymous).await, Daemon::start(Auth::Anonymous).await);
    let mut layout = TestLayout::new();
    let index = layout.real_index(&["amd64", "arm64", "ppc64le", "s390x"]);
    let image = daemon.image("acme/web:v1");
    let registry = client();
    let tags = options(|options| options.tags = vec!["v1.2".into(), "v1".into(), "stable".into()]);
    let pushed = registry.push(layout.path(), &image, &tags).finish().await.unwrap();
    assert_eq!(pushed.tags, ["v1", "v1.2", "stable"]);
    assert_eq!(
        (pushed.resolved.digest.clone(), pushed.resolved.media_type.as_str()),
        (Digest::of(&index), INDEX)
    );
    for tag in &pushed.tags {
        let tagged = image.with_tag(tag).unwrap();
        assert_eq!(registry.resolve(&tagged).await.unwrap().digest, pushed.resolved.digest);
    }

    let there = second.image("acme/copy:v1");
    copy(&format!("docker://{image}"), &format!("docker://{there}")).await;
    assert_eq!(registry.resolve(&there).await.unwrap().digest, pushed.resolved.digest);

    let again = registry.push(layout.path(), &image, &PushOptions::default()).finish().await.unwrap();
    assert_eq!((again.sent, again.kept), (0, pushed.sent), "what is there is not sent again");
}

#[tokio::test]
async fn what_skopeo_makes_and_pushes_has_the_same_digest_here_and_back() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let mut made = TestLayout::new();
    made.real_image(3, true);
    let zstd = tempfile::TempDir::new().unwrap();
    let (from, to) = (format!("oci:{}", made.path().display()), format!("oci:{}:z", zstd.path().display()));
    skopeo(&["copy", "-q", "--dest-compress-format=zstd", "--dest-compress", &from, &to]).await;
    let theirs = daemon.image("acme/web:theirs");
    copy(&to, &format!("docker://{theirs}")).await;
    let resolved = client().resolve(&theirs).await.unwrap();

    let ours = daemon.image("acme/other:ours");
    let pushed = client().push(zstd.path(), &ours, &PushOptions::default()).finish().await.unwrap();
    assert_eq!(pushed.resolved.digest, resolved.digest);
    let (_, manifest) = client().manifest(&ours, &crate::rig::amd64()).await.unwrap();
    assert!(manifest.layers.iter().all(|layer| layer.media_type.ends_with("+zstd")), "{manifest:?}");
}

#[tokio::test]
async fn progress_begins_and_ends_for_every_blob() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[3_000_000, 0, 1000]);
    let layout = TestLayout::of(&image);
    let (registry, to) = (client(), daemon.image("acme/web:v1"));
    let mut push = registry.push(layout.path(), &to, &PushOptions::default());
    let events: Vec<_> = push.by_ref().collect().await;
    push.finish().await.unwrap();
    assert!(matches!(&events[0], Progress::Resolved { layers: 3, total, .. } if *total == image.size()));
    for blob in &image.blobs {
        let (own, total) = (Digest::of(blob), blob.len() as u64);
        let done: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                Progress::Blob { digest, done, .. } if *digest == own => Some(*done),
                _ => None,
            })
            .collect();
        assert_eq!((done[0], done[done.len() - 1]), (0, total), "{done:?}");
        assert!(done.is_sorted(), "{done:?}");
    }
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted_and_not_sent() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[5000, 6000]);
    let layout = TestLayout::of(&image);
    let registry = client();
    registry
        .push(layout.path(), &daemon.image("acme/base:v1"), &PushOptions::default())
        .finish()
        .await
        .unwrap();
    let from = options(|options| options.mount_from = vec!["acme/none".into(), "acme/base".into()]);
    let to = daemon.image("acme/web:v1");
    let mut push = registry.push(layout.path(), &to, &from);
    let events: Vec<_> = push.by_ref().collect().await;
    let pushed = push.finish().await.unwrap();
    assert_eq!((pushed.sent, pushed.mounted), (0, image.size()));
    let mounted =
        events.iter().filter(|event| matches!(event, Progress::Mounted { from, .. } if from == "acme/base"));
    assert_eq!(mounted.count(), 3);
    assert_eq!(registry.resolve(&to).await.unwrap().digest, image.digest());
}

#[tokio::test]
async fn a_large_blob_goes_up_in_chunks() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[1_000_000, 65_536]);
    let layout = TestLayout::of(&image);
    let chunks = options(|options| {
        options.one_body_up_to = 100_000;
        options.chunk = 65_536;
    });
    let to = daemon.image("acme/web:v1");
    let pushed = client().push(layout.path(), &to, &chunks).finish().await.unwrap();
    assert_eq!(pushed.sent, image.size());
    assert_eq!(client().resolve(&to).await.unwrap().digest, image.digest());
}

#[tokio::test]
async fn a_push_over_a_connection_that_breaks_goes_on_where_it_was() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[4_000_000]);
    let layout = TestLayout::of(&image);
    let cutter = Cutter::before(&daemon.host, 2, 700_000).await;
    let to = format!("{}/acme/web:v1", cutter.host).parse().unwrap();
    let chunks = options(|options| options.chunk = 500_000);
    let registry = client();
    let mut push = registry.push(layout.path(), &to, &chunks);
    let events: Vec<_> = push.by_ref().collect().await;
    let pushed = push.finish().await.unwrap();
    assert_eq!((pushed.resolved.digest, cutter.left()), (image.digest(), 0));
    let retried = events.iter().filter(|event| matches!(event, Progress::Retrying { .. })).count();
    assert_eq!(retried, 2, "{events:?}");
    let again = events.iter().rposition(|event| matches!(event, Progress::Retrying { .. })).unwrap();
    let next = events[again..].iter().find_map(|event| match event {
        Progress::Blob { done, .. } => Some(*done),
        _ => None,
    });
    assert!(next.is_some_and(|done| done > 500_000), "not from the beginning: {events:?}");
    let found = client().resolve(&daemon.image("acme/web:v1")).await.unwrap();
    assert_eq!(found.digest, image.digest());
}

#[tokio::test]
async fn a_rotten_layout_is_refused_and_no_tag_is_made() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let registry = client();
    for chunks in [false, true] {
        let image = TestImage::new("linux/amd64", &[300_000, 10]);
        let layout = TestLayout::of(&image);
        let mut rotten = image.blobs[1].clone();
        rotten[299_999] ^= 1;
        std::fs::write(layout.blob(&Digest::of(&image.blobs[1])), rotten).unwrap();
        let options = options(|options| {
            options.one_body_up_to = if chunks { 1000 } else { u64::MAX };
            options.chunk = 100_000;
        });
        let to = daemon.image("acme/web:v1");
        let error = registry.push(layout.path(), &to, &options).finish().await.unwrap_err();
        let path = layout.blob(&Digest::of(&image.blobs[1]));
        assert!(
            matches!(&error, Error::LayoutInvalid { path: named, detail } if *named == path && detail.contains("digest")),
            "{error:?}"
        );
        assert!(matches!(registry.resolve(&to).await, Err(Error::NotFound { .. })));
    }
}

#[tokio::test]
async fn a_layout_that_lacks_something_is_refused_before_anything_is_sent() {
    let image = TestImage::new("linux/amd64", &[100]);
    let to = "127.0.0.1:1/acme/web:v1".parse().unwrap();
    let registry = client();
    let push = async |layout: &TestLayout| {
        registry.push(layout.path(), &to, &PushOptions::default()).finish().await.unwrap_err()
    };
    let refused = |error: &Error, part: &str| {
        matches!(error, Error::LayoutInvalid { .. }) && error.to_string().contains(part)
    };

    let layout = TestLayout::of(&image);
    std::fs::write(layout.blob(&Digest::of(&image.blobs[1])), "short").unwrap();
    let error = push(&layout).await;
    assert!(refused(&error, "5 bytes instead of 100"), "{error}");
    std::fs::remove_file(layout.blob(&Digest::of(&image.blobs[1]))).unwrap();
    let error = push(&layout).await;
    assert!(refused(&error, "is not there"), "{error}");
    std::fs::write(layout.blob(&image.digest()), "{}").unwrap();
    let error = push(&layout).await;
    assert!(refused(&error, "has the digest"), "{error}");
    std::fs::remove_file(layout.path().join("oci-layout")).unwrap();
    let error = push(&layout).await;
    assert!(refused(&error, "not an OCI image layout"), "{error}");

    let other = TestLayout::of(&image);
    let pinned = to.with_digest(Digest::of("another"));
    let error = registry.push(other.path(), &pinned, &PushOptions::default()).finish().await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
}

#[tokio::test]
async fn which_image_of_a_layout_is_meant_must_be_plain() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let [one, two] = [10, 20].map(|length| TestImage::new("linux/amd64", &[length]));
    let mut layout = TestLayout::of(&one);
    layout.image(&two);
    layout.enter(MANIFEST, &two.manifest, Some("v2"));
    let (registry, to) = (client(), daemon.image("acme/web:v1"));
    for (wanted, told) in [(None, "must be said"), (Some("v3"), "no image is named v3")] {
        let options = options(|options| options.entry = wanted.map(str::to_owned));
        let error = registry.push(layout.path(), &to, &options).finish().await.unwrap_err();
        let names = vec![one.digest().to_string(), "v2".to_owned()];
        assert!(matches!(&error, Error::EntryUnclear { entries, .. } if *entries == names), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
    for (name, image) in [("v2".to_owned(), &two), (one.digest().to_string(), &one)] {
        let options = options(|options| options.entry = Some(name));
        let pushed = registry.push(layout.path(), &to, &options).finish().await.unwrap();
        assert_eq!(pushed.resolved.digest, image.digest());
    }
}

#[tokio::test]
async fn an_index_is_composed_of_images_that_are_there() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let registry = client();
    let mut entries = Vec::new();
    for platform in ["linux/amd64", "linux/arm64"] {
        let image = TestImage::new(platform, &[10]);
        let to = daemon.image("acme/web").with_digest(image.digest());
        let layout = TestLayout::of(&image);
        let pushed = registry.push(layout.path(), &to, &PushOptions::default()).finish().await.unwrap();
        assert!(pushed.tags.is_empty(), "by digest alone");
        let mut entry = descriptor(MANIFEST, &image.manifest);
        entry.platform = Some(image.platform);
        entries.push(entry);
    }
    let to = daemon.image("acme/web:v1");
    let said = BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1".to_owned())]);
    let index = registry.push_index(&to, &entries, &said).await.unwrap();
    assert_eq!(registry.resolve(&to).await.unwrap(), index);
    for entry in &entries {
        let (found, _) = registry.manifest(&to, entry.platform.as_ref().unwrap()).await.unwrap();
        assert_eq!(found.digest, entry.digest);
    }
    let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &format!("docker://{to}")]).await;
    let raw: Value = serde_json::from_slice(&raw).unwrap();
    assert_eq!(raw["annotations"]["org.opencontainers.image.version"], "1");

    entries.push(descriptor(MANIFEST, b"nowhere"));
    let error = registry.push_index(&to, &entries, &said).await.unwrap_err();
    assert!(
        matches!(&error, Error::NotFound { image } if image.digest() == Some(&Digest::of("nowhere"))),
        "{error}"
    );
}

#[tokio::test]
async fn a_tag_is_put_on_what_another_names() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[10]);
    image.push(&daemon.host, "acme/web", "v1", None).await;
    let (registry, from) = (client(), daemon.image("acme/web:v1"));
    assert_eq!(registry.tag(&from, "stable").await.unwrap().digest, image.digest());
    assert_eq!(registry.resolve(&daemon.image("acme/web:stable")).await.unwrap().digest, image.digest());
    let error = registry.tag(&from, "not a tag").await.unwrap_err();
    assert!(matches!(error, Error::Reference(_)), "{error}");
    let error = registry.tag(&daemon.image("acme/web:none"), "v2").await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn basic_auth_lets_push_who_is_known_and_credentials_change_on_a_live_client() {
    let daemon = Daemon::start(Auth::Htpasswd).await;
    let image = TestImage::new("linux/amd64", &[10]);
    let (layout, to) = (TestLayout::of(&image), daemon.image("acme/web:v1"));
    let registry = Registry::builder().build().unwrap();
    let push = || registry.push(layout.path(), &to, &PushOptions::default()).finish();
    let error = push().await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    registry.set_credentials(&daemon.host, cutover());
    push().await.unwrap();
    registry.set_credentials(&daemon.host, Credentials::Anonymous);
    let error = registry.resolve(&to).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}
