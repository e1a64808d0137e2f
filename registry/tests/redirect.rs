//! Where credentials do not go.

use cutover_registry::{Error, Registry};
use tempfile::TempDir;

use crate::rig::image::TestImage;
use crate::rig::peer::{Peer, Reply, client, honest};
use crate::rig::{CUTOVER_BASIC, amd64, cutover};

#[tokio::test]
async fn a_redirect_to_another_host_is_followed_without_credentials() {
    let image = TestImage::new("linux/amd64", &[1000]);
    let store = Peer::registry(&image, |_, _| None).await;
    let to = store.url("");
    let peer = Peer::registry(&image, move |request, _| match request.header("authorization") {
        None => Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x")),
        Some(_) if request.path.contains("/blobs/") => Some(Reply::redirect(format!("{to}{}", request.path))),
        Some(_) => None,
    })
    .await;
    let output = TempDir::new().unwrap();
    let registry = Registry::builder().credentials(&peer.host, cutover()).build().unwrap();
    registry.pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();

    assert_eq!(peer.requests().last().unwrap().header("authorization"), Some(CUTOVER_BASIC));
    assert_eq!(store.requests().len(), 2, "the configuration and the layer");
    assert!(store.requests().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn a_redirect_within_the_registry_keeps_them() {
    let image = TestImage::new("linux/amd64", &[]);
    let there = image.clone();
    let peer =
        Peer::start(move |request, _| match (request.header("authorization"), request.path.as_str()) {
            (None, _) => Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"),
            (_, "/v2/acme/web/manifests/latest") => {
                Reply::redirect(format!("/v2/acme/web/manifests/{}", there.digest()))
            }
            _ => honest(&there, request),
        })
        .await;
    let registry = Registry::builder().credentials(&peer.host, cutover()).build().unwrap();
    assert_eq!(registry.resolve(&peer.image()).await.unwrap().digest, image.digest());
}

#[tokio::test]
async fn a_challenge_from_where_a_redirect_led_is_not_met() {
    let image = TestImage::new("linux/amd64", &[]);
    let thief = Peer::start(|_, _| Reply::new(200, r#"{"token":"x"}"#)).await;
    let realm = thief.url("/token");
    let store = Peer::start(move |_, _| Reply::bearer(&realm)).await;
    let to = store.url("/manifest");
    let peer = Peer::registry(&image, move |_, _| Some(Reply::redirect(to.clone()))).await;
    let registry = Registry::builder().credentials(&peer.host, cutover()).build().unwrap();
    let error = registry.resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(thief.requests().is_empty(), "{:?}", thief.requests());
}

#[tokio::test]
async fn redirects_in_a_circle_end() {
    let peer = Peer::start(|request, _| Reply::redirect(request.path.clone())).await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("redirects")), "{error}");
    assert_eq!(peer.requests().len(), 6);
}
