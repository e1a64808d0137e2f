//! Servers that are busy or broken for a while, or for good.

use std::time::{Duration, Instant};

use cutover_registry::Error;

use crate::rig::image::TestImage;
use crate::rig::peer::{Peer, Reply, client};

#[tokio::test]
async fn what_passes_is_waited_out() {
    let image = TestImage::new("linux/amd64", &[]);
    for status in [429, 500, 502, 503, 504] {
        let peer =
            Peer::registry(&image, move |_, before| (before < 2).then(|| Reply::new(status, ""))).await;
        assert_eq!(client().resolve(&peer.image()).await.unwrap().digest, image.digest(), "{status}");
        assert_eq!(peer.requests().len(), 3, "{status}");
    }
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let image = TestImage::new("linux/amd64", &[]);
    let busy = |_: &_, before| (before == 0).then(|| Reply::new(429, "").with("Retry-After", "1"));
    let peer = Peer::registry(&image, busy).await;
    let began = Instant::now();
    client().resolve(&peer.image()).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn more_patience_than_we_have_is_told_of_and_not_waited_for() {
    let peer = Peer::start(|_, _| Reply::new(429, "").with("Retry-After", "3600")).await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(
        matches!(&error, Error::RateLimited { retry_after: Some(delay), .. } if delay.as_secs() == 3600),
        "{error}"
    );
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn three_tries_are_made_and_no_more() {
    let peer =
        Peer::start(|_, _| Reply::new(503, r#"{"errors":[{"code":"UNAVAILABLE","message":"later"}]}"#)).await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(
        matches!(&error, Error::Unavailable { status: 503, detail, .. } if detail == "UNAVAILABLE: later"),
        "{error}"
    );
    assert_eq!(peer.requests().len(), 3);
}

#[tokio::test]
async fn a_plain_no_is_taken_for_an_answer() {
    for status in [400, 403, 404, 501] {
        let peer = Peer::start(move |_, _| Reply::new(status, "")).await;
        client().resolve(&peer.image()).await.unwrap_err();
        assert_eq!(peer.requests().len(), 1, "{status}");
    }
}
