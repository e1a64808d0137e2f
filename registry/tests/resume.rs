//! Connections that break, stall and lie about where they go on; partials of pulls that did not end.

use std::path::Path;
use std::time::Duration;

use cutover_registry::{Digest, Error, Progress, Registry, Timeouts};
use futures_util::StreamExt;
use tempfile::TempDir;

use crate::rig::image::TestImage;
use crate::rig::peer::{Peer, Reply, Request, client, honest};
use crate::rig::{amd64, assert_layout, assert_verified};

const MIB: usize = 1 << 20;

/// Whether the image's first layer is asked for.
fn is_layer(image: &TestImage, request: &Request) -> bool {
    request.path.ends_with(&image.digests[1].to_string())
}

fn assert_pulled(output: &Path, image: &TestImage) {
    let blobs: Vec<&[u8]> = image.blobs.iter().chain([&image.manifest]).map(Vec::as_slice).collect();
    assert_layout(output, &blobs);
}

fn partial(output: &Path, blob: &[u8]) -> std::path::PathBuf {
    output.join(format!(".partial-sha256-{}", Digest::of(blob).hex()))
}

/// A layout in which a pull was killed that had these bytes of a blob.
fn interrupted(blob: &[u8], bytes: &[u8]) -> TempDir {
    let output = TempDir::new().unwrap();
    std::fs::write(partial(output.path(), blob), bytes).unwrap();
    output
}

#[tokio::test]
async fn a_connection_that_breaks_after_each_mebibyte_ends_well_and_repeats_nothing() {
    let image = TestImage::new("linux/amd64", &[16 * MIB]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        is_layer(&served, request).then(|| honest(&served, request).broken_after(MIB))
    })
    .await;
    let output = TempDir::new().unwrap();
    let registry = client();
    let mut transfer = registry.pull(&peer.image(), amd64(), output.path());
    let mut seen = Vec::new();
    let mut retries = 0;
    while let Some(event) = transfer.next().await {
        match event {
            Progress::Blob { digest, done, .. } if digest == image.digests[1] => seen.push(done),
            Progress::Retrying { .. } => retries += 1,
            _ => {}
        }
    }
    transfer.finish().await.unwrap();
    assert_pulled(output.path(), &image);
    let from: Vec<_> = (0..16).map(|tried| tried * MIB).collect();
    assert_eq!(peer.asked_from(&image.blobs[1]), from);
    assert_eq!(retries, 15);
    assert!(seen.is_sorted() && seen[0] == 0 && seen.last() == Some(&(16 * MIB as u64)), "{seen:?}");
}

#[tokio::test]
async fn a_connection_that_breaks_at_the_same_byte_each_time_is_given_up_soon() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        let end = (MIB / 2).saturating_sub(request.range().unwrap_or(0));
        is_layer(&served, request).then(|| honest(&served, request).broken_after(end))
    })
    .await;
    let output = TempDir::new().unwrap();
    let error = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(error, Error::Truncated { received: 524_288, expected: 1_048_576, .. }), "{error}");
    assert_eq!(peer.asked_from(&image.blobs[1]), [0, MIB / 2, MIB / 2, MIB / 2]);
    assert_verified(output.path());
}

#[tokio::test]
async fn a_blob_cut_off_at_any_tenth_is_taken_up_there_whether_ranges_are_known_or_not() {
    let registry = client();
    for knows_ranges in [true, false] {
        for tenth in 0..10 {
            let image = TestImage::new("linux/amd64", &[MIB]);
            let at = MIB * tenth / 10;
            let served = image.clone();
            let peer = Peer::registry(&image, move |request, _| {
                let reply = match knows_ranges {
                    true => honest(&served, request),
                    false => Reply::new(200, served.blobs[1].clone()),
                };
                let cut = request.range().is_none();
                is_layer(&served, request).then(|| if cut && at > 0 { reply.broken_after(at) } else { reply })
            })
            .await;
            let output = TempDir::new().unwrap();
            registry.pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
            assert_pulled(output.path(), &image);
            let asked = if at > 0 { vec![0, at] } else { vec![0] };
            assert_eq!(peer.asked_from(&image.blobs[1]), asked, "{knows_ranges} {tenth}");
        }
    }
}

#[tokio::test]
async fn a_registry_that_sends_another_part_than_was_asked_for_is_refused() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        let wrong =
            || Reply::new(206, &served.blobs[1][..MIB / 2]).with("Content-Range", "bytes 0-524287/1048576");
        (is_layer(&served, request) && request.range().is_some()).then(wrong)
    })
    .await;
    let output = interrupted(&image.blobs[1], &image.blobs[1][..MIB / 2]);
    let error = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("another part")), "{error}");
    assert_verified(output.path());
}

#[tokio::test]
async fn a_stall_is_noticed_and_what_came_before_it_is_kept() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        let stalls = is_layer(&served, request) && request.range().is_none();
        stalls.then(|| honest(&served, request).stalled_after(MIB / 4))
    })
    .await;
    let timeouts = Timeouts { stall: Duration::from_millis(300), ..Timeouts::default() };
    let registry = Registry::builder().timeouts(timeouts).build().unwrap();
    let output = TempDir::new().unwrap();
    registry.pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_pulled(output.path(), &image);
    assert_eq!(peer.asked_from(&image.blobs[1]), [0, MIB / 4]);
}

#[tokio::test]
async fn a_partial_is_taken_up_and_told_of_from_where_it_stands() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let layer = &image.blobs[1];
    let peer = Peer::registry(&image, |_, _| None).await;
    let output = interrupted(layer, &layer[..700_000]);
    let registry = client();
    let mut transfer = registry.pull(&peer.image(), amd64(), output.path());
    let events: Vec<_> = transfer.by_ref().collect().await;
    let pulled = transfer.finish().await.unwrap();
    assert_pulled(output.path(), &image);
    assert_eq!(peer.asked_from(layer), [700_000]);
    assert_eq!((pulled.fetched, pulled.kept), (image.size() - 700_000, 700_000));
    let digest = Digest::of(layer);
    let first = Progress::Blob { digest, done: 700_000, total: MIB as u64 };
    assert!(events.contains(&first), "{events:?}");
}

#[tokio::test]
async fn a_whole_partial_needs_no_request() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let peer = Peer::registry(&image, |_, _| None).await;
    let output = interrupted(&image.blobs[1], &image.blobs[1]);
    client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_pulled(output.path(), &image);
    assert_eq!(peer.asked_from(&image.blobs[1]), [] as [usize; 0]);
}

#[tokio::test]
async fn a_partial_that_is_no_good_is_begun_again_once() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let layer = &image.blobs[1];
    let peer = Peer::registry(&image, |_, _| None).await;
    for (bytes, asked) in
        [(vec![7; 1000], vec![1000, 0]), (vec![7; MIB], vec![0]), (vec![7; 2 * MIB], vec![0])]
    {
        let output = interrupted(layer, &bytes);
        let before = peer.asked_from(layer).len();
        client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
        assert_pulled(output.path(), &image);
        assert_eq!(peer.asked_from(layer)[before..], asked);
    }
    let served = image.clone();
    let liar = Peer::registry(&image, move |request, _| {
        is_layer(&served, request).then(|| Reply::range(&[7; MIB], request))
    })
    .await;
    let output = interrupted(layer, &layer[..1000]);
    let error = client().pull(&liar.image(), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    assert_eq!(liar.asked_from(layer), [1000, 0]);
    assert_verified(output.path());
}

#[tokio::test]
async fn what_a_dropped_pull_had_is_taken_up_and_what_other_images_left_is_swept() {
    let image = TestImage::new("linux/amd64", &[4 * MIB]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        let stalls = is_layer(&served, request) && request.range().is_none();
        stalls.then(|| honest(&served, request).stalled_after(2 * MIB))
    })
    .await;
    let output = interrupted(b"of another image", b"of ano");
    let registry = client();
    let there = partial(output.path(), &image.blobs[1]);
    let mut transfer = registry.pull(&peer.image(), amd64(), output.path());
    let told =
        |event: &Progress| matches!(event, Progress::Blob { done, .. } if *done as usize > 3 * MIB / 2);
    while !told(&transfer.next().await.unwrap()) {}
    drop(transfer);

    registry.pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_pulled(output.path(), &image);
    let from = peer.asked_from(&image.blobs[1]);
    assert!(from.len() == 2 && from[1] >= MIB / 2, "{from:?}");
    assert!(!there.exists());
}

#[tokio::test]
async fn two_pulls_of_one_blob_at_once_fetch_it_once() {
    let image = TestImage::new("linux/amd64", &[3 * MIB]);
    let peer = Peer::registry(&image, |_, _| None).await;
    let output = TempDir::new().unwrap();
    let (one, other) = (client(), client());
    let (one, other) = tokio::join!(
        one.pull(&peer.image(), amd64(), output.path()).finish(),
        other.pull(&peer.image(), amd64(), output.path()).finish(),
    );
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.fetched + other.fetched, one.kept + other.kept), (image.size(), image.size()));
    assert_eq!(peer.asked_from(&image.blobs[1]), [0]);
    assert_pulled(output.path(), &image);
}

#[tokio::test]
async fn a_blob_that_another_pull_holds_and_does_not_write_is_given_up() {
    let image = TestImage::new("linux/amd64", &[MIB]);
    let peer = Peer::registry(&image, |_, _| None).await;
    let output = interrupted(&image.blobs[1], b"");
    let path = partial(output.path(), &image.blobs[1]);
    let holder = std::fs::File::open(&path).unwrap();
    holder.lock().unwrap();
    let timeouts = Timeouts { stall: Duration::from_millis(100), ..Timeouts::default() };
    let registry = Registry::builder().timeouts(timeouts).build().unwrap();
    let error = registry.pull(&peer.image(), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(&error, Error::LayoutBusy { path: named } if *named == path), "{error}");
    assert!(path.exists(), "it is not ours to remove");
}
