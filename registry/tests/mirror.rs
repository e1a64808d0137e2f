//! Mirrors, and settings that are one registry's alone.

use std::time::Duration;

use cutover_registry::{Digest, Error, PushOptions, Registry, RegistrySettings, Timeouts};
use tempfile::TempDir;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::TestImage;
use crate::rig::issuer::Issuer;
use crate::rig::layout::TestLayout;
use crate::rig::peer::{Peer, Reply};
use crate::rig::{CUTOVER_BASIC, amd64, cutover};

fn mirrored(registry: &Peer, mirrors: &[&str]) -> Registry {
    let settings = mirrors.iter().fold(RegistrySettings::new(), |settings, mirror| settings.mirror(*mirror));
    Registry::builder().settings(&registry.host, settings).build().unwrap()
}

async fn honest(image: &TestImage) -> Peer {
    Peer::registry(image, |_, _| None).await
}

#[tokio::test]
async fn what_a_mirror_has_is_read_there_with_its_own_credentials() {
    let image = TestImage::new("linux/amd64", &[1000, 2000]);
    let registry = honest(&image).await;
    let mirror = Peer::registry(&image, |request, _| {
        let known = request.header("authorization") == Some(CUTOVER_BASIC);
        (!known).then(|| Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"))
    })
    .await;
    let client = Registry::builder()
        .settings(&registry.host, RegistrySettings::new().mirror(&mirror.host))
        .credentials(&mirror.host, cutover())
        .build()
        .unwrap();
    let output = TempDir::new().unwrap();
    let pulled = client.pull(&registry.image(), amd64(), output.path()).finish().await.unwrap();
    assert_eq!(pulled.resolved.digest, image.digest());
    assert_eq!(pulled.resolved.image.registry(), registry.host, "it is the registry's image all the same");
    client.inspect(&registry.image(), &amd64()).await.unwrap();
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
}

#[tokio::test]
async fn a_mirror_that_lacks_it_is_down_or_busy_is_passed_over() {
    let image = TestImage::new("linux/amd64", &[1000]);
    let down = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let lacking = Peer::start(|_, _| Reply::new(404, "")).await;
    let busy = Peer::start(|_, _| Reply::new(503, "").with("Retry-After", "20")).await;
    let refusing = Peer::start(|_, _| Reply::new(403, "")).await;
    let registry = honest(&image).await;
    let client = mirrored(&registry, &[&down, &lacking.host, &busy.host, &refusing.host]);
    let output = TempDir::new().unwrap();
    client.pull(&registry.image(), amd64(), output.path()).finish().await.unwrap();
    assert_eq!(busy.requests().len(), 1, "it is left alone for a while");
    assert!(lacking.requests().len() > 1, "it may have the next");
}

#[tokio::test]
async fn a_mirror_that_lies_is_found_out_and_not_asked_again() {
    let image = TestImage::new("linux/amd64", &[200_000]);
    let layer = Digest::of(&image.blobs[1]);
    let lies: [fn(&[u8]) -> Reply; 3] = [
        |blob| Reply::new(200, vec![7; blob.len()]),
        |blob| Reply::new(200, [blob, b"more"].concat()),
        |blob| Reply::new(200, &blob[..1000]).claiming(blob.len()),
    ];
    for lie in lies {
        let (blob, own) = (image.blobs[1].clone(), format!("/blobs/{layer}"));
        let mirror =
            Peer::registry(&image, move |request, _| request.path.ends_with(&own).then(|| lie(&blob))).await;
        let registry = honest(&image).await;
        let client = mirrored(&registry, &[&mirror.host]);
        let output = TempDir::new().unwrap();
        client.pull(&registry.image(), amd64(), output.path()).finish().await.unwrap();
        let kept = std::fs::read(output.path().join("blobs/sha256").join(layer.hex())).unwrap();
        assert!(kept == image.blobs[1]);
        let asked = mirror.requests().len();
        client.resolve(&registry.image()).await.unwrap();
        assert_eq!(mirror.requests().len(), asked, "it is not asked again");
    }

    let mirror = Peer::registry(&image, |request, _| {
        request.path.contains("/manifests/").then(|| Reply::manifest(r#"{"schemaVersion":2}"#))
    })
    .await;
    let registry = honest(&image).await;
    let pinned = registry.image().with_digest(image.digest());
    let resolved = mirrored(&registry, &[&mirror.host]).resolve(&pinned).await.unwrap();
    assert_eq!(resolved.digest, image.digest());
}

#[tokio::test]
async fn nothing_is_pushed_to_a_mirror() {
    let image = TestImage::new("linux/amd64", &[10]);
    let daemon = Daemon::start(Auth::Anonymous).await;
    let mirror = honest(&image).await;
    let client = Registry::builder()
        .settings(&daemon.host, RegistrySettings::new().mirror(&mirror.host))
        .build()
        .unwrap();
    let layout = TestLayout::of(&image);
    let to = daemon.image("acme/web:v1");
    client.push(layout.path(), &to, &PushOptions::default()).finish().await.unwrap();
    client.tag(&to, "v2").await.unwrap();
    client.tags(&to).await.unwrap();
    assert!(mirror.requests().is_empty(), "{:?}", mirror.requests());
}

#[test]
fn a_mirror_is_named_as_a_registry_is() {
    for name in ["https://mirror.example", "mirror.example/hub", "", "mirror"] {
        let settings = RegistrySettings::new().mirror(name);
        let built = Registry::builder().settings("docker.io", settings).build();
        assert!(matches!(built, Err(Error::Setup { .. })), "{name:?}");
    }
}

#[tokio::test]
async fn a_certificate_is_trusted_for_the_registry_it_was_given_for() {
    let tls = Issuer::new();
    let (mine, other) =
        (Daemon::start_tls(&tls, Auth::Anonymous).await, Daemon::start_tls(&tls, Auth::Anonymous).await);
    let settings = RegistrySettings::new().https().root_certificates(tls.certificate_pem.clone());
    let registry = Registry::builder().settings(&mine.host, settings).https(&other.host).build().unwrap();
    let error = registry.resolve(&mine.image("acme/web:v1")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "the registry answered, over TLS: {error}");
    let error = registry.resolve(&other.image("acme/web:v1")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn timeouts_may_be_one_registrys_own() {
    let slow = Peer::start(|_, _| Reply::hang()).await;
    let timeouts = Timeouts { stall: Duration::from_millis(100), ..Timeouts::default() };
    let settings = RegistrySettings::new().timeouts(timeouts);
    let registry = Registry::builder().settings(&slow.host, settings).build().unwrap();
    let error = registry.resolve(&slow.image()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}
