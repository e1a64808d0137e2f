//! Peers that lie. None of it gets through, and none of it gets its name on disk.

use std::path::Path;
use std::time::Duration;

use cutover_registry::{Digest, Error, Registry, Timeouts};
use serde_json::json;
use tempfile::TempDir;

use crate::rig::image::{INDEX, MANIFEST, TestImage, descriptor};
use crate::rig::peer::{Peer, Reply, client};
use crate::rig::{amd64, assert_verified};

async fn pull(peer: &Peer, output: &Path) -> Error {
    client().pull(&peer.image(), amd64(), output).finish().await.unwrap_err()
}

#[tokio::test]
async fn the_announced_digest_must_be_that_of_the_bytes() {
    let image = TestImage::new("linux/amd64", &[]);
    let (bytes, announced) = (image.manifest.clone(), Digest::of("something else"));
    let header = announced.to_string();
    let peer =
        Peer::start(move |_, _| Reply::manifest(bytes.clone()).with("Docker-Content-Digest", header.clone()))
            .await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(
        matches!(&error, Error::DigestMismatch { expected, actual } if *expected == announced && *actual == image.digest()),
        "{error}"
    );
}

#[tokio::test]
async fn a_manifest_that_changes_after_it_was_pinned_is_refused() {
    let (first, second) = (TestImage::new("linux/amd64", &[]), TestImage::new("linux/amd64", &[]));
    let other = second.manifest.clone();
    let peer =
        Peer::registry(&first, move |_, before| (before > 0).then(|| Reply::manifest(other.clone()))).await;
    let registry = client();
    let pinned = registry.resolve(&peer.image()).await.unwrap();
    let error = registry.resolve(&pinned.image).await.unwrap_err();
    assert!(
        matches!(&error, Error::DigestMismatch { expected, actual } if *expected == first.digest() && *actual == second.digest()),
        "{error}"
    );
}

#[tokio::test]
async fn a_blob_with_other_bytes_is_refused_at_once() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let layer = format!("/v2/acme/web/blobs/{}", Digest::of(&image.blobs[1]));
    let path = layer.clone();
    let peer =
        Peer::registry(&image, move |request, _| (request.path == path).then(|| Reply::new(200, [0; 5000])))
            .await;
    let output = TempDir::new().unwrap();
    let error = pull(&peer, output.path()).await;
    assert!(
        matches!(&error, Error::DigestMismatch { actual, .. } if *actual == Digest::of([0; 5000])),
        "{error}"
    );
    assert_verified(output.path());
    assert!(!output.path().join("index.json").exists(), "a pull that failed enters nothing");
    assert_eq!(peer.requests().iter().filter(|request| request.path == layer).count(), 1);
}

#[tokio::test]
async fn a_blob_that_ends_early_is_tried_again_and_then_told_of() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let layer = format!("/v2/acme/web/blobs/{}", Digest::of(&image.blobs[1]));
    for claimed in [5000, 4000] {
        let (path, half) = (layer.clone(), image.blobs[1][..4000].to_vec());
        let peer = Peer::registry(&image, move |request, _| {
            (request.path == path).then(|| Reply::new(200, half.clone()).claiming(claimed))
        })
        .await;
        let output = TempDir::new().unwrap();
        let error = pull(&peer, output.path()).await;
        assert!(
            matches!(error, Error::Truncated { received: 4000, expected: 5000, .. }),
            "{claimed}: {error}"
        );
        assert_verified(output.path());
        assert_eq!(peer.requests().iter().filter(|request| request.path == layer).count(), 3);
    }
}

#[tokio::test]
async fn a_blob_that_ends_early_once_is_pulled_all_the_same() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let (path, half) =
        (format!("/v2/acme/web/blobs/{}", Digest::of(&image.blobs[1])), image.blobs[1][..10].to_vec());
    let peer = Peer::registry(&image, move |request, before| {
        (request.path == path && before == 2).then(|| Reply::new(200, half.clone()).claiming(5000))
    })
    .await;
    let output = TempDir::new().unwrap();
    let pulled = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_eq!(pulled.fetched, image.size());
    assert_eq!(peer.requests().len(), 4, "manifest, configuration, and the layer twice");
}

#[tokio::test]
async fn a_blob_without_end_is_cut_off_at_its_size() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let path = format!("/v2/acme/web/blobs/{}", Digest::of(&image.blobs[1]));
    let peer = Peer::registry(&image, move |request, _| {
        (request.path == path).then(|| Reply::new(200, [0; 500_000]))
    })
    .await;
    let output = TempDir::new().unwrap();
    let error = pull(&peer, output.path()).await;
    assert!(matches!(error, Error::TooLarge { limit: 5000, .. }), "{error}");
    assert_verified(output.path());
}

#[tokio::test]
async fn a_blob_that_is_not_there_is_named() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let lacking = Digest::of(&image.blobs[1]);
    let path = format!("/v2/acme/web/blobs/{lacking}");
    let peer =
        Peer::registry(&image, move |request, _| (request.path == path).then(|| Reply::new(404, ""))).await;
    let output = TempDir::new().unwrap();
    let error = pull(&peer, output.path()).await;
    assert!(matches!(&error, Error::BlobMissing { digest, .. } if *digest == lacking), "{error}");
}

#[tokio::test]
async fn a_manifest_longer_than_four_mebibytes_is_not_read() {
    for claimed in [5 << 20, 1 << 40] {
        let peer = Peer::start(move |_, _| Reply::manifest(vec![b' '; 5 << 20]).claiming(claimed)).await;
        let error = client().resolve(&peer.image()).await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 4_194_304, .. }), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let image = TestImage::new("linux/amd64", &[]);
    let entry = descriptor(MANIFEST, &image.manifest);
    let two_faced = json!({"schemaVersion": 2, "manifests": [], "layers": [], "config": entry});
    let bodies = [
        ("<html>", MANIFEST),
        ("{}", MANIFEST),
        (r#"{"schemaVersion": 1, "fsLayers": []}"#, "application/vnd.docker.distribution.manifest.v1+json"),
        (&two_faced.to_string(), INDEX),
        (&two_faced.to_string(), MANIFEST),
        (str::from_utf8(&image.manifest).unwrap(), INDEX),
    ];
    for (body, served) in bodies {
        let (text, served) = (body.to_owned(), served.to_owned());
        let peer =
            Peer::start(move |_, _| Reply::new(200, text.clone()).with("Content-Type", served.clone())).await;
        let error = client().resolve(&peer.image()).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{body}: {error}");
    }
}

#[tokio::test]
async fn an_index_within_an_index_without_end_is_left() {
    let mut documents = vec![TestImage::new("linux/amd64", &[]).manifest];
    for depth in 0..8 {
        let media_type = if depth == 0 { MANIFEST } else { INDEX };
        let inner = descriptor(media_type, documents.last().unwrap());
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [inner]});
        documents.push(serde_json::to_vec(&index).unwrap());
    }
    let peer = Peer::start(move |request, _| {
        let named = documents.iter().find(|bytes| request.path.ends_with(&Digest::of(bytes).to_string()));
        Reply::new(200, named.or(documents.last()).unwrap().clone())
    })
    .await;
    let error = client().manifest(&peer.image(), &amd64()).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("nested")), "{error}");
    assert_eq!(peer.requests().len(), 4);
}

#[tokio::test]
async fn a_registry_that_hangs_is_given_up_and_one_that_is_gone_is_unreachable() {
    let peer = Peer::start(|_, _| Reply::hang()).await;
    let timeouts = Timeouts { stall: Duration::from_millis(200), ..Timeouts::default() };
    let registry = Registry::builder().timeouts(timeouts).build().unwrap();
    let image = peer.image();
    let error = registry.resolve(&image).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = registry.resolve(&format!("{free}/acme/web").parse().unwrap()).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }), "{error}");
}
