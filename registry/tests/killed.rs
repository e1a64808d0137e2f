//! Pulls that are killed, and the ones after them.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cutover_registry::ImageRef;
use tempfile::TempDir;

use crate::rig::image::TestImage;
use crate::rig::peer::{Peer, client, honest};
use crate::rig::{amd64, assert_layout, names};

/// In the environment of the process that is to be killed: what it is to pull, and to where.
const IMAGE: &str = "CUTOVER_TEST_IMAGE";
const OUTPUT: &str = "CUTOVER_TEST_OUTPUT";
const KILLS: usize = 20;
const MIB: usize = 1 << 20;
/// How much the registry sends to each process before it sends no more, in bytes.
const SENT: usize = 1_400_000;
/// How much of that must be on disk before the process is killed. The rest may be on its way there.
const WRITTEN: usize = 700_000;
const WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_killed_twenty_times_ends_verified_and_fetches_nothing_twice_that_was_there() {
    if let (Ok(image), Ok(output)) = (std::env::var(IMAGE), std::env::var(OUTPUT)) {
        let image: ImageRef = image.parse().unwrap();
        client().pull(&image, amd64(), output.as_ref()).finish().await.unwrap();
        return;
    }
    let image = TestImage::new("linux/amd64", &[30 * MIB, 300, 70_000]);
    let (served, budget) = (image.clone(), Arc::new(AtomicUsize::new(0)));
    let (left, sent) = (Arc::clone(&budget), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&sent);
    let peer = Peer::registry(&image, move |request, _| {
        let reply = honest(&served, request);
        if !request.path.ends_with(&served.digests[1].to_string()) {
            return Some(reply);
        }
        let reply = reply.stalled_after(left.load(Ordering::SeqCst));
        counted.fetch_add(reply.length(), Ordering::SeqCst);
        Some(reply)
    })
    .await;
    let output = TempDir::new().unwrap();
    let partial = output.path().join(format!(".partial-sha256-{}", image.digests[1].hex()));
    let mut there = 0;
    for kill in 0..KILLS {
        // Other points each time, in the pieces that are written and between them.
        budget.store(SENT + kill * 1009, Ordering::SeqCst);
        let child = Killed(spawn(&peer.image(), output.path()));
        let deadline = Instant::now() + WITHIN;
        while length(&partial) < there + WRITTEN {
            assert!(Instant::now() < deadline, "nothing more is written after {there} bytes");
            tokio::task::yield_now().await;
        }
        drop(child);
        assert_eq!(peer.asked_from(&image.blobs[1]).last(), Some(&there), "from where the last one ended");
        there = length(&partial);
        assert!(!output.path().join("index.json").exists(), "an image that is not whole is not named");
    }
    budget.store(usize::MAX, Ordering::SeqCst);
    client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    let blobs: Vec<&[u8]> = image.blobs.iter().chain([&image.manifest]).map(Vec::as_slice).collect();
    assert_layout(output.path(), &blobs);
    assert_eq!(peer.asked_from(&image.blobs[1]).last(), Some(&there));
    for small in [&image.blobs[0], &image.blobs[2], &image.blobs[3]] {
        // Killed between its arrival and its name, it is asked for again; with its name, never.
        assert!(peer.asked_from(small).len() <= 2, "{:?}", peer.asked_from(small));
    }
    let (sent, twice) = (sent.load(Ordering::SeqCst), KILLS * MIB);
    assert!(sent <= image.blobs[1].len() + twice, "{sent} bytes sent");
    assert_eq!(names(output.path()).len(), 3);
}

/// This very test, as the process that pulls.
fn spawn(image: &ImageRef, output: &Path) -> Child {
    let name = "killed::a_pull_killed_twenty_times_ends_verified_and_fetches_nothing_twice_that_was_there";
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name])
        .env(IMAGE, image.to_string())
        .env(OUTPUT, output)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn length(path: &Path) -> usize {
    std::fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap())
}

/// A process that is killed (SIGKILL) and gone when this is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
