//! skopeo as the judge: what we pull it reads, what it pushes we pull, digest for digest.

use cutover_registry::{Digest, Platforms};
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::{INDEX, TestImage, index, put_manifest};
use crate::rig::layer::Layer;
use crate::rig::peer::client;
use crate::rig::skopeo::{copy, skopeo};
use crate::rig::{amd64, assert_layout};

fn images() -> Vec<(&'static str, TestImage)> {
    let sixty: Vec<_> = (0..60).map(|layer| Layer::gzip(100 + layer * 37)).collect();
    vec![
        ("one", TestImage::real("linux/amd64", &[Layer::gzip(5000)])),
        ("sixty", TestImage::real("linux/amd64", &sixty)),
        ("zstd", TestImage::real("linux/amd64", &[Layer::zstd(300_000), Layer::gzip(10)])),
        ("large", TestImage::real("linux/amd64", &[Layer::gzip(32 << 20)])),
    ]
}

#[tokio::test]
async fn what_we_pull_skopeo_reads_and_takes_elsewhere_and_what_it_pushes_we_pull() {
    let (from, to) = (Daemon::start(Auth::Anonymous).await, Daemon::start(Auth::Anonymous).await);
    let registry = client();
    for (name, image) in images() {
        image.push(&from.host, "acme/web", name, None).await;
        let (directory, again) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let layout = format!("oci:{}:{name}", directory.path().display());
        let reference = format!("acme/web:{name}");
        registry.pull(&from.image(&reference), amd64(), directory.path()).finish().await.unwrap();

        let inspected: Value = serde_json::from_slice(&skopeo(&["inspect", &layout]).await).unwrap();
        assert_eq!(inspected["Digest"], image.digest().to_string(), "{name}");
        copy(&layout, &format!("docker://{}/{reference}", to.host)).await;

        let pushed = to.image(&reference);
        let pulled = registry.pull(&pushed, amd64(), again.path()).finish().await.unwrap();
        assert_eq!(pulled.resolved.digest, image.digest(), "{name}");
        let blobs: Vec<&[u8]> = image.blobs.iter().chain([&image.manifest]).map(Vec::as_slice).collect();
        assert_layout(again.path(), &blobs);
    }
}

#[tokio::test]
async fn an_index_of_four_platforms_with_attestations_stays_as_it_is() {
    let (from, to) = (Daemon::start(Auth::Anonymous).await, Daemon::start(Auth::Anonymous).await);
    let shared = Layer::gzip(10_000);
    let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x"];
    let images = platforms.map(|name| TestImage::real(name, &[shared.clone(), Layer::gzip(2000)]));
    let attestation = TestImage::real("unknown/unknown", &[Layer::gzip(100)]);
    for image in images.iter().chain([&attestation]) {
        image.push(&from.host, "acme/web", &image.digest().to_string(), None).await;
    }
    let list = index(&attestation, &images.each_ref());
    put_manifest(&from.host, "acme/web", "v1", INDEX, &list, None).await;

    let (directory, again) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let registry = client();
    let image = from.image("acme/web:v1");
    let pulled = registry.pull(&image, Platforms::All, directory.path()).finish().await.unwrap();
    assert_eq!(pulled.resolved.digest, Digest::of(&list));
    let mut blobs: Vec<&[u8]> = vec![&list];
    for image in images.iter().chain([&attestation]) {
        blobs.push(&image.manifest);
        blobs.extend(image.blobs.iter().map(Vec::as_slice));
    }
    assert_layout(directory.path(), &blobs);

    let layout = format!("oci:{}:v1", directory.path().display());
    assert!(skopeo(&["inspect", "--raw", &layout]).await == list);
    copy(&layout, &format!("docker://{}/acme/web:v1", to.host)).await;
    let pulled =
        registry.pull(&to.image("acme/web:v1"), Platforms::All, again.path()).finish().await.unwrap();
    assert_eq!(pulled.resolved.digest, Digest::of(&list));
    assert_layout(again.path(), &blobs);
}
