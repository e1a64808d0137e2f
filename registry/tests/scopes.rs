//! What tokens are asked for, and how often, at a real registry.

use cutover_registry::{PushOptions, Registry};

use crate::rig::cutover;
use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::TestImage;
use crate::rig::issuer::{Issuer, asked_scopes};
use crate::rig::layout::TestLayout;
use crate::rig::peer::{Peer, Reply};

#[tokio::test]
async fn many_blobs_at_once_need_one_token_to_push_and_one_to_mount() {
    let issuer = Issuer::new();
    let tokens = issuer.serve_all().await;
    let realm = tokens.url("/token");
    let daemon = Daemon::start(Auth::Token { issuer: &issuer, realm: &realm }).await;
    let registry = Registry::builder().credentials(&daemon.host, cutover()).build().unwrap();
    let image = TestImage::new("linux/amd64", &[100, 200, 300, 400, 500, 600]);
    let layout = TestLayout::of(&image);
    let mut options = PushOptions::default();
    options.at_once = 8;
    registry.push(layout.path(), &daemon.image("acme/base:v1"), &options).finish().await.unwrap();
    let asked: Vec<_> = tokens.requests().iter().map(asked_scopes).collect();
    assert_eq!(asked, [["repository:acme/base:pull,push"]]);

    options.mount_from = vec!["acme/base".to_owned()];
    let pushed = registry.push(layout.path(), &daemon.image("acme/web:v1"), &options).finish().await.unwrap();
    assert_eq!((pushed.sent, pushed.mounted), (0, image.size()));
    let asked: Vec<_> = tokens.requests()[1..].iter().map(asked_scopes).collect();
    assert_eq!(
        asked,
        [
            vec!["repository:acme/web:pull,push"],
            vec!["repository:acme/web:pull,push", "repository:acme/base:pull"],
        ]
    );
}

#[tokio::test]
async fn a_warm_token_makes_a_tag_known_in_one_round_trip() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|_, _| Reply::new(200, r#"{"token":"good","expires_in":3600}"#)).await;
    let realm = tokens.url("/token");
    let peer = Peer::registry(&image, move |request, _| {
        (request.header("authorization") != Some("Bearer good")).then(|| Reply::bearer(&realm))
    })
    .await;
    let registry = Registry::builder().build().unwrap();
    registry.resolve(&peer.image()).await.unwrap();
    let (warm, asked) = (peer.requests().len(), tokens.requests().len());
    for _ in 0..3 {
        registry.resolve(&peer.image()).await.unwrap();
    }
    assert_eq!((peer.requests().len() - warm, tokens.requests().len() - asked), (3, 0));
}

#[tokio::test]
async fn changed_credentials_are_not_served_the_tokens_of_the_ones_before() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|request, _| {
        let who = request.header("authorization").map_or("nobody", |_| "somebody");
        Reply::new(200, format!(r#"{{"token":"{who}","expires_in":3600}}"#))
    })
    .await;
    let realm = tokens.url("/token");
    let peer = Peer::registry(&image, move |request, _| {
        request.header("authorization").is_none().then(|| Reply::bearer(&realm))
    })
    .await;
    let registry = Registry::builder().build().unwrap();
    registry.resolve(&peer.image()).await.unwrap();
    registry.clone().set_credentials(&peer.host, cutover());
    registry.resolve(&peer.image()).await.unwrap();
    let seen: Vec<_> = peer
        .requests()
        .iter()
        .filter_map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(seen, ["Bearer nobody", "Bearer somebody"]);
}
