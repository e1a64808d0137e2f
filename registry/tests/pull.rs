//! Pulls from a real registry into an image layout.

use std::path::Path;

use cutover_registry::{Digest, Error, Progress};
use futures_util::StreamExt;
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::TestImage;
use crate::rig::peer::client;
use crate::rig::{amd64, names};

fn blob(output: &Path, bytes: &[u8]) -> std::path::PathBuf {
    output.join("blobs/sha256").join(Digest::of(bytes).hex())
}

fn index(output: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(output.join("index.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_pull_makes_an_image_layout_with_every_blob_verified() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let pushed = TestImage::new("linux/amd64", &[3_000_000, 0, 1, 70_000, 5, 6, 7]);
    pushed.push(&daemon.host, "acme/web", "v1", None).await;
    let (image, files) = (daemon.image("acme/web:v1"), TempDir::new().unwrap());
    let output = files.path().join("deep/web");
    let registry = client();
    let mut transfer = registry.pull(&image, amd64(), &output);
    let events: Vec<_> = transfer.by_ref().collect().await;
    let pulled = transfer.finish().await.unwrap();

    assert_eq!((pulled.fetched, pulled.kept), (pushed.size(), 0));
    assert_eq!(names(&output), ["blobs", "index.json", "oci-layout"]);
    assert_eq!(std::fs::read(output.join("oci-layout")).unwrap(), br#"{"imageLayoutVersion":"1.0.0"}"#);
    for bytes in pushed.blobs.iter().chain([&pushed.manifest]) {
        assert!(std::fs::read(blob(&output, bytes)).unwrap() == *bytes, "{}", Digest::of(bytes));
    }
    assert_eq!(names(&output.join("blobs/sha256")).len(), pushed.blobs.len() + 1);
    let entry = &index(&output)["manifests"][0];
    assert_eq!(entry["digest"], pushed.digest().to_string());
    assert_eq!(entry["platform"]["architecture"], "amd64");
    assert_eq!(entry["annotations"]["org.opencontainers.image.ref.name"], "v1");
    assert_eq!(entry["annotations"]["io.containerd.image.name"], image.canonical());

    assert!(matches!(&events[0], Progress::Resolved { total, layers: 7, .. } if *total == pushed.size()));
    let largest = Digest::of(&pushed.blobs[1]);
    let done: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Progress::Blob { digest, done, total: 3_000_000 } if *digest == largest => Some(*done),
            _ => None,
        })
        .collect();
    assert!(done.len() > 5 && done.is_sorted(), "{done:?}");
    assert_eq!((done[0], done[done.len() - 1]), (0, 3_000_000));
}

#[tokio::test]
async fn a_pull_again_keeps_what_is_there_and_mends_what_is_torn() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let pushed = TestImage::new("linux/amd64", &[50_000, 60_000]);
    pushed.push(&daemon.host, "acme/web", "v1", None).await;
    let (image, output) = (daemon.image("acme/web:v1"), TempDir::new().unwrap());
    let (registry, platform, output) = (client(), amd64(), output.path());
    registry.pull(&image, &platform, output).finish().await.unwrap();

    let mut transfer = registry.pull(&image, &platform, output);
    let is_kept = |event: &Progress| matches!(event, Progress::Kept { .. });
    let kept = transfer.by_ref().filter(|event| std::future::ready(is_kept(event))).count().await;
    let again = transfer.finish().await.unwrap();
    assert_eq!((again.fetched, again.kept, kept), (0, pushed.size(), 3));

    std::fs::write(blob(output, &pushed.blobs[2]), &pushed.blobs[2][..1000]).unwrap();
    let mended = registry.pull(&image, &platform, output).finish().await.unwrap();
    assert_eq!(mended.fetched, 60_000);
    assert!(std::fs::read(blob(output, &pushed.blobs[2])).unwrap() == pushed.blobs[2]);
    assert_eq!(index(output)["manifests"].as_array().unwrap().len(), 1, "one name, one entry");
}

#[tokio::test]
async fn images_pulled_at_once_into_one_layout_are_all_entered() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let (output, registry, platform) = (TempDir::new().unwrap(), client(), amd64());
    let mut pulls = Vec::new();
    for tag in ["a", "b", "c", "d", "e"] {
        TestImage::new("linux/amd64", &[100]).push(&daemon.host, "acme/web", tag, None).await;
        let image = daemon.image(&format!("acme/web:{tag}"));
        pulls.push((registry.clone(), image, platform.clone(), output.path().join("web")));
    }
    let pulls = pulls.into_iter().map(async |(registry, image, platform, output)| {
        registry.pull(&image, &platform, &output).finish().await
    });
    for pulled in futures_util::future::join_all(pulls).await {
        pulled.unwrap();
    }
    assert_eq!(index(&output.path().join("web"))["manifests"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn an_image_for_another_platform_is_refused_by_its_own_configuration() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    TestImage::new("linux/arm64", &[100]).push(&daemon.host, "acme/web", "v1", None).await;
    let output = TempDir::new().unwrap();
    let error =
        client().pull(&daemon.image("acme/web:v1"), amd64(), output.path()).finish().await.unwrap_err();
    assert!(error.to_string().contains("no image for linux/amd64; on offer: linux/arm64"), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_something_else_is_left_alone() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    TestImage::new("linux/amd64", &[]).push(&daemon.host, "acme/web", "v1", None).await;
    let output = TempDir::new().unwrap();
    std::fs::write(output.path().join("thesis.txt"), "mine").unwrap();
    let error =
        client().pull(&daemon.image("acme/web:v1"), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(&error, Error::LayoutInvalid { path, .. } if path == output.path()), "{error}");
    assert_eq!(names(output.path()), ["thesis.txt"]);
}
