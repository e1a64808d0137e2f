//! Images streamed into an engine.

use std::process::{Output, Stdio};

use cutover_registry::{Archive, Error};
use futures_util::{StreamExt, TryStreamExt};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::rig::amd64;
use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::TestImage;
use crate::rig::layer::Layer;
use crate::rig::peer::{Peer, Reply, client, honest};

async fn docker(arguments: &[&str], input: Option<Archive>) -> Output {
    let mut command = Command::new("docker");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!(
            "these tests need docker (`cargo xtask test --install`, or apt-get install docker.io): {error}"
        )
    });
    let mut stdin = child.stdin.take().unwrap();
    if let Some(mut archive) = input {
        while let Some(bytes) = archive.try_next().await.unwrap() {
            stdin.write_all(&bytes).await.unwrap();
        }
    }
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

/// What came, and the error if there was one.
async fn all(mut archive: Archive) -> (Vec<u8>, Option<Error>) {
    let mut bytes = Vec::new();
    while let Some(next) = archive.next().await {
        match next {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(error) => return (bytes, Some(error)),
        }
    }
    (bytes, None)
}

#[tokio::test]
async fn an_archive_is_loaded_by_the_engine_under_its_tag_and_its_own_id() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let shared = Layer::gzip(30_000);
    let pushed = TestImage::real("linux/amd64", &[shared.clone(), Layer::gzip(3_000_000), shared]);
    pushed.push(&daemon.host, "cutover-test/archive", "v1", None).await;
    let image = daemon.image("cutover-test/archive:v1");
    let archive = client().archive(&image, &amd64()).await.unwrap();
    assert_eq!(archive.resolved().digest, pushed.digest());
    let loaded = docker(&["load", "--quiet"], Some(archive)).await;
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));

    let id = pushed.digests[0].to_string();
    let name = image.to_string();
    let inspected = docker(&["image", "inspect", "--format", "{{.Id}} {{.RepoTags}}", &name], None).await;
    docker(&["rmi", "--force", &id], None).await;
    assert_eq!(String::from_utf8_lossy(&inspected.stdout).trim(), format!("{id} [{name}]"));
}

#[tokio::test]
async fn an_archive_is_a_tar_as_long_as_it_says_with_what_the_registry_has() {
    let image = TestImage::new("linux/amd64", &[100_000, 512, 1]);
    let peer = Peer::registry(&image, |_, _| None).await;
    let archive = client().archive(&peer.image(), &amd64()).await.unwrap();
    let size = archive.size();
    let (bytes, error) = all(archive).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(bytes.len() as u64, size);
    let mut files = Vec::new();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        files.push((name, content));
    }
    let (last, manifest) = files.pop().unwrap();
    assert_eq!(last, "manifest.json", "the engine finds an image only when all of it came");
    assert!(files.iter().map(|(_, content)| content).eq(&image.blobs));
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    let expected = serde_json::json!(
        [{"Config": names[0], "RepoTags": [peer.image().to_string()], "Layers": names[1..]}]
    );
    assert_eq!(manifest, expected);
}

#[tokio::test]
async fn an_archive_goes_on_after_a_broken_connection() {
    let image = TestImage::new("linux/amd64", &[1 << 20]);
    let served = image.clone();
    let peer = Peer::registry(&image, move |request, _| {
        let layer = request.path.ends_with(&served.digests[1].to_string());
        layer.then(|| honest(&served, request).broken_after(300_000))
    })
    .await;
    let archive = client().archive(&peer.image(), &amd64()).await.unwrap();
    let size = archive.size();
    let (bytes, error) = all(archive).await;
    assert!(error.is_none() && bytes.len() as u64 == size, "{error:?}");
    assert_eq!(peer.asked_from(&image.blobs[1]), [0, 300_000, 600_000, 900_000]);
}

#[tokio::test]
async fn an_archive_with_a_wrong_byte_ends_before_an_engine_could_take_it() {
    let image = TestImage::real("linux/amd64", &[Layer::gzip(100_000), Layer::gzip(100_000)]);
    let mut lie = image.blobs[1].clone();
    lie[50_000] ^= 1;
    let path = format!("/v2/acme/web/blobs/{}", image.digests[1]);
    let peer = Peer::registry(&image, move |request, _| {
        (request.path == path).then(|| Reply::new(200, lie.clone()))
    })
    .await;
    let (bytes, error) = all(client().archive(&peer.image(), &amd64()).await.unwrap()).await;
    assert!(matches!(error, Some(Error::DigestMismatch { .. })), "{error:?}");
    assert!(!bytes.windows(13).any(|window| window == b"manifest.json"));
    assert!(peer.asked_from(&image.blobs[2]).is_empty(), "nothing more was fetched");
}

#[tokio::test]
async fn an_archive_is_of_the_platform_asked_for() {
    let image = TestImage::new("linux/arm64", &[10]);
    let peer = Peer::registry(&image, |_, _| None).await;
    let error = client().archive(&peer.image(), &amd64()).await.unwrap_err();
    assert!(matches!(error, Error::PlatformMissing { .. }), "{error}");
}
