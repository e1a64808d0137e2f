//! Registries that take uploads in odd ways, or do not take them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cutover_registry::{Digest, Error, ImageRef, PushOptions, Pushed, Registry, Result, Timeouts};

use crate::rig::image::TestImage;
use crate::rig::layout::TestLayout;
use crate::rig::peer::{Peer, Reply, Request, client};
use crate::rig::{CUTOVER_BASIC, cutover};

const PLACE: &str = "/v2/acme/web/blobs/uploads/1";

/// A registry that has nothing and takes everything, but where `odd` answers first.
async fn taking(odd: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static) -> Peer {
    Peer::start(move |request, before| odd(request, before).unwrap_or_else(|| take(request))).await
}

fn take(request: &Request) -> Reply {
    match request.method.as_str() {
        "HEAD" => Reply::new(404, ""),
        "POST" | "PATCH" => Reply::new(202, "").with("Location", PLACE),
        _ => Reply::new(201, ""),
    }
}

async fn push(
    registry: &Registry,
    image: &TestImage,
    to: &ImageRef,
    options: &PushOptions,
) -> Result<Pushed> {
    registry.push(TestLayout::of(image).path(), to, options).finish().await
}

async fn push_plainly(image: &TestImage, peer: &Peer) -> Result<Pushed> {
    push(&client(), image, &peer.image(), &PushOptions::default()).await
}

fn chunks(chunk: u64) -> PushOptions {
    let mut options = PushOptions::default();
    options.one_body_up_to = chunk;
    options.chunk = chunk;
    options
}

fn of<'a>(requests: &'a [Request], method: &str, part: &str) -> Vec<&'a Request> {
    requests.iter().filter(|request| request.method == method && request.path.contains(part)).collect()
}

#[tokio::test]
async fn a_place_to_upload_to_may_be_relative_or_absolute_and_keeps_its_query() {
    let image = TestImage::new("linux/amd64", &[]);
    for absolute in [false, true] {
        let peer = taking(move |request, _| {
            let host = request.header("host").unwrap_or_default();
            let host = if absolute { format!("http://{host}") } else { String::new() };
            let place = format!("{host}{PLACE}?_state=a%2Fb%3D&x=1");
            (request.method == "POST").then(|| Reply::new(202, "").with("Location", place))
        })
        .await;
        push_plainly(&image, &peer).await.unwrap();
        let requests = peer.requests();
        let put = of(&requests, "PUT", "uploads")[0];
        let digest = Digest::of(&image.blobs[0]).to_string().replace(':', "%3A");
        assert_eq!(put.path, format!("{PLACE}?_state=a%2Fb%3D&x=1&digest={digest}"));
        assert_eq!(put.body.as_bytes(), image.blobs[0]);
    }
}

#[tokio::test]
async fn a_place_on_another_host_gets_the_blob_and_no_credentials() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let store = taking(|_, _| None).await;
    let place = store.url("/bucket?signature=s");
    let peer = taking(move |request, _| match request.header("authorization") {
        None => Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x")),
        Some(_) if request.method == "POST" => Some(Reply::new(202, "").with("Location", place.clone())),
        Some(_) => None,
    })
    .await;
    let registry = Registry::builder().credentials(&peer.host, cutover()).build().unwrap();
    push(&registry, &image, &peer.image(), &PushOptions::default()).await.unwrap();
    let stored = store.requests();
    assert_eq!(of(&stored, "PUT", "/bucket?signature=s&digest=").len(), 2);
    assert!(stored.iter().all(|request| request.header("authorization").is_none()));
    let manifest = &peer.requests();
    assert_eq!(of(manifest, "PUT", "manifests").last().unwrap().header("authorization"), Some(CUTOVER_BASIC));
}

#[tokio::test]
async fn a_place_that_leads_from_https_to_plain_http_is_refused() {
    // A registry on https would have to be one; the rule is the one of redirects.
    let image = TestImage::new("linux/amd64", &[]);
    let peer = taking(|request, _| {
        (request.method == "POST").then(|| Reply::new(202, "").with("Location", "ftp://127.0.0.1/x"))
    })
    .await;
    let error = push_plainly(&image, &peer).await.unwrap_err();
    assert!(matches!(error, Error::Unsafe { .. }), "{error}");
}

#[tokio::test]
async fn a_mount_that_is_answered_with_an_upload_goes_on_as_one() {
    let image = TestImage::new("linux/amd64", &[]);
    let peer = taking(|_, _| None).await;
    let mut options = PushOptions::default();
    options.mount_from = vec!["acme/base".to_owned()];
    let pushed = push(&client(), &image, &peer.image(), &options).await.unwrap();
    assert_eq!((pushed.sent, pushed.mounted), (image.size(), 0));
    let requests = peer.requests();
    let begun = of(&requests, "POST", "uploads");
    let digest = Digest::of(&image.blobs[0]);
    let [begun] = begun[..] else { panic!("one upload, not {begun:?}") };
    assert_eq!(begun.path, format!("/v2/acme/web/blobs/uploads/?mount={digest}&from=acme/base"));
}

#[tokio::test]
async fn a_mount_that_is_refused_is_an_upload() {
    let image = TestImage::new("linux/amd64", &[]);
    for status in [400, 403, 404, 405] {
        let peer =
            taking(move |request, _| request.path.contains("mount=").then(|| Reply::new(status, ""))).await;
        let mut options = PushOptions::default();
        options.mount_from = vec!["acme/base".to_owned()];
        let pushed = push(&client(), &image, &peer.image(), &options).await.unwrap();
        assert_eq!(pushed.sent, image.size(), "{status}");
    }
}

#[tokio::test]
async fn a_registry_that_calls_what_it_took_by_another_digest_is_not_believed() {
    let image = TestImage::new("linux/amd64", &[]);
    for part in ["uploads", "manifests"] {
        let other = Digest::of("other").to_string();
        let peer = taking(move |request, _| {
            let lies = request.method == "PUT" && request.path.contains(part);
            lies.then(|| Reply::new(201, "").with("Docker-Content-Digest", other.clone()))
        })
        .await;
        let error = push_plainly(&image, &peer).await.unwrap_err();
        assert!(
            matches!(&error, Error::DigestMismatch { actual, .. } if *actual == Digest::of("other")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_body_that_is_too_long_goes_in_chunks_and_chunks_that_are_too_long_are_told_of() {
    let image = TestImage::new("linux/amd64", &[250_000]);
    // nginx before a registry says 413, GHCR 416 ("the request body is too large", wasmCloud/wash#268).
    for status in [413, 416] {
        let too_long = move |request: &Request, _| {
            let length = request.header("content-length").and_then(|length| length.parse().ok());
            length.is_some_and(|length: u64| length > 100_000).then(|| Reply::new(status, ""))
        };
        let peer = taking(too_long).await;
        let mut options = PushOptions::default();
        options.chunk = 100_000;
        push(&client(), &image, &peer.image(), &options).await.unwrap();
        let requests = peer.requests();
        let ranges: Vec<_> = of(&requests, "PATCH", "uploads")
            .iter()
            .filter_map(|chunk| chunk.header("content-range"))
            .collect();
        assert_eq!(ranges, ["0-99999", "100000-199999", "200000-249999"]);
    }
    let peer =
        taking(|request, _| matches!(request.method.as_str(), "PUT" | "PATCH").then(|| Reply::new(413, "")))
            .await;
    let error = push(&client(), &image, &peer.image(), &chunks(100_000)).await.unwrap_err();
    assert!(matches!(error, Error::BodyTooLarge { .. }), "{error}");
    assert!(error.to_string().contains("client_max_body_size"), "{error}");
}

#[tokio::test]
async fn a_chunk_that_does_not_follow_is_taken_up_where_the_registry_is() {
    let image = TestImage::new("linux/amd64", &[250_000]);
    let patched = AtomicUsize::new(0);
    let peer = taking(move |request, _| match request.method.as_str() {
        // It lost half of the first chunk.
        "PATCH" if patched.fetch_add(1, Ordering::SeqCst) == 1 => Some(Reply::new(416, "")),
        "GET" => Some(Reply::new(204, "").with("Range", "0-49999").with("Location", PLACE)),
        _ => None,
    })
    .await;
    push(&client(), &image, &peer.image(), &chunks(100_000)).await.unwrap();
    let requests = peer.requests();
    let ranges: Vec<_> =
        of(&requests, "PATCH", "uploads").iter().filter_map(|chunk| chunk.header("content-range")).collect();
    assert_eq!(ranges, ["0-99999", "100000-199999", "50000-149999", "150000-249999"]);
}

#[tokio::test]
async fn an_upload_that_the_registry_forgot_begins_anew() {
    let image = TestImage::new("linux/amd64", &[250_000]);
    let patched = AtomicUsize::new(0);
    let peer = taking(move |request, _| match request.method.as_str() {
        "PATCH" if patched.fetch_add(1, Ordering::SeqCst) == 1 => Some(Reply::new(503, "")),
        "GET" => Some(Reply::new(404, "")),
        _ => None,
    })
    .await;
    push(&client(), &image, &peer.image(), &chunks(200_000)).await.unwrap();
    let requests = peer.requests();
    let ranges: Vec<_> =
        of(&requests, "PATCH", "uploads").iter().filter_map(|chunk| chunk.header("content-range")).collect();
    assert_eq!(ranges, ["0-199999", "200000-249999", "0-199999", "200000-249999"]);
}

#[tokio::test]
async fn an_upload_that_is_gone_when_its_body_comes_begins_anew() {
    let image = TestImage::new("linux/amd64", &[]);
    let gone = AtomicUsize::new(0);
    let peer = taking(move |request, _| {
        let first = request.path.contains("/uploads/1") && gone.fetch_add(1, Ordering::SeqCst) == 0;
        first.then(|| Reply::new(404, ""))
    })
    .await;
    push_plainly(&image, &peer).await.unwrap();
    assert_eq!(of(&peer.requests(), "POST", "uploads").len(), 2);
}

#[tokio::test]
async fn a_registry_that_forgets_chunks_again_and_again_is_given_up() {
    let image = TestImage::new("linux/amd64", &[250_000]);
    let peer = taking(|request, _| match (request.method.as_str(), request.header("content-range")) {
        ("PATCH", Some(range)) if !range.starts_with("0-") => Some(Reply::new(416, "")),
        ("GET", _) => Some(Reply::new(204, "").with("Range", "0-0").with("Location", PLACE)),
        _ => None,
    })
    .await;
    let error = push(&client(), &image, &peer.image(), &chunks(200_000)).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
}

#[tokio::test]
async fn a_repository_that_may_not_be_mounted_from_is_asked_for_once() {
    let image = TestImage::new("linux/amd64", &[10, 20, 30]);
    let peer = taking(|request, _| request.path.contains("mount=").then(|| Reply::new(403, ""))).await;
    let mut options = PushOptions::default();
    (options.mount_from, options.at_once) = (vec!["acme/base".to_owned()], 1);
    push(&client(), &image, &peer.image(), &options).await.unwrap();
    assert_eq!(of(&peer.requests(), "POST", "mount=").len(), 1);
}

#[tokio::test]
async fn chunks_are_as_long_as_the_registry_wants_them() {
    let image = TestImage::new("linux/amd64", &[250_000]);
    let peer = taking(|request, _| {
        let begun = Reply::new(202, "").with("Location", PLACE).with("OCI-Chunk-Min-Length", "200000");
        (request.method == "POST").then_some(begun)
    })
    .await;
    push(&client(), &image, &peer.image(), &chunks(100_000)).await.unwrap();
    let requests = peer.requests();
    let lengths: Vec<_> =
        of(&requests, "PATCH", "uploads").iter().filter_map(|chunk| chunk.header("content-length")).collect();
    assert_eq!(lengths, ["200000", "50000"]);
}

#[tokio::test]
async fn what_passes_is_waited_out_in_a_push_too() {
    let image = TestImage::new("linux/amd64", &[]);
    for (method, part, status) in
        [("POST", "uploads", 429), ("PUT", "uploads", 503), ("PUT", "manifests", 429), ("HEAD", "blobs", 500)]
    {
        let failed = AtomicUsize::new(0);
        let peer = taking(move |request, _| {
            let here = request.method == method && request.path.contains(part);
            (here && failed.fetch_add(1, Ordering::SeqCst) == 0).then(|| Reply::new(status, ""))
        })
        .await;
        push_plainly(&image, &peer).await.unwrap_or_else(|error| panic!("{method} {part}: {error}"));
        assert_eq!(of(&peer.requests(), method, part).len(), 2, "{method} {part}");
    }
}

#[tokio::test]
async fn a_token_that_expires_under_a_body_is_renewed_and_the_body_sent_again() {
    let image = TestImage::new("linux/amd64", &[400_000]);
    let tokens =
        Peer::start(|_, before| Reply::new(200, format!(r#"{{"token":"good{before}","expires_in":3600}}"#)))
            .await;
    let realm = tokens.url("/token");
    // The first token is good until the first blob comes.
    let peer = taking(move |request, _| match request.header("authorization") {
        Some("Bearer good0") if request.method != "PUT" => None,
        Some("Bearer good1") => None,
        _ => Some(Reply::bearer(&realm)),
    })
    .await;
    push_plainly(&image, &peer).await.unwrap();
    assert_eq!(tokens.requests().len(), 2, "one for many at once, and one more");
    let requests = peer.requests();
    let layer = of(&requests, "PUT", &Digest::of(&image.blobs[1]).to_string().replace(':', "%3A"));
    assert!(layer.iter().all(|put| put.header("content-length") == Some("400000")), "{}", layer.len());
    assert_eq!(layer.last().unwrap().header("authorization"), Some("Bearer good1"));
}

#[tokio::test]
async fn an_upload_that_is_never_answered_is_given_up() {
    let image = TestImage::new("linux/amd64", &[]);
    let peer = taking(|request, _| (request.method == "PUT").then(Reply::hang)).await;
    let brief = Duration::from_millis(200);
    let timeouts = Timeouts { stall: brief, answer: brief, ..Timeouts::default() };
    let registry = Registry::builder().timeouts(timeouts).build().unwrap();
    let error = push(&registry, &image, &peer.image(), &PushOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
    assert_eq!(of(&peer.requests(), "PUT", "uploads").len(), 3);
}

#[tokio::test]
async fn a_redirect_that_would_make_a_put_something_else_is_refused() {
    let image = TestImage::new("linux/amd64", &[]);
    let peer = taking(|request, _| {
        (request.method == "PUT").then(|| Reply::new(302, "").with("Location", "/elsewhere"))
    })
    .await;
    let error = push_plainly(&image, &peer).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("302")), "{error}");
}
