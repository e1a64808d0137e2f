//! Basic and token authentication, at real registries and at token servers that misbehave.

use std::time::{Duration, Instant};

use cutover_registry::{Credentials, Error, Registry, Timeouts};
use tempfile::TempDir;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::TestImage;
use crate::rig::issuer::Issuer;
use crate::rig::peer::{Peer, Reply, client};
use crate::rig::{CUTOVER_BASIC, amd64, cutover};

fn wrong() -> Credentials {
    Credentials::Basic { username: "cutover".into(), password: "hunter2".into() }
}

fn client_as(host: &str, credentials: Credentials) -> Registry {
    Registry::builder().credentials(host, credentials).build().unwrap()
}

#[tokio::test]
async fn basic_auth_lets_in_who_is_known() {
    let daemon = Daemon::start(Auth::Htpasswd).await;
    let pushed = TestImage::new("linux/amd64", &[100, 200]);
    pushed.push(&daemon.host, "acme/web", "v1", Some(CUTOVER_BASIC)).await;
    let (image, output) = (daemon.image("acme/web:v1"), TempDir::new().unwrap());

    let pulled =
        client_as(&daemon.host, cutover()).pull(&image, amd64(), output.path()).finish().await.unwrap();
    assert_eq!(pulled.resolved.digest, pushed.digest());

    let nobody = client().resolve(&image).await.unwrap_err();
    assert!(matches!(nobody, Error::Unauthorized { .. }), "{nobody}");
    assert!(nobody.to_string().contains("no credentials were given"), "{nobody}");
    let stranger = client_as(&daemon.host, wrong()).resolve(&image).await.unwrap_err();
    assert!(matches!(stranger, Error::Unauthorized { .. }), "{stranger}");
    assert!(!format!("{stranger} {stranger:?}").contains("hunter2"));
}

#[tokio::test]
async fn token_auth_asks_once_for_many_requests_at_once() {
    let issuer = Issuer::new();
    let tokens = issuer.serve().await;
    let realm = tokens.url("/token");
    let daemon = Daemon::start(Auth::Token { issuer: &issuer, realm: &realm }).await;
    let pushed = TestImage::new("linux/amd64", &[100, 200, 300, 400, 500]);
    let push = format!("Bearer {}", issuer.token("acme/web", &["pull", "push"]));
    pushed.push(&daemon.host, "acme/web", "v1", Some(&push)).await;
    let (image, output) = (daemon.image("acme/web:v1"), TempDir::new().unwrap());
    let registry = client_as(&daemon.host, cutover());

    let resolves = (0..8).map(|_| registry.resolve(&image));
    for resolved in futures_util::future::join_all(resolves).await {
        assert_eq!(resolved.unwrap().digest, pushed.digest());
    }
    registry.pull(&image, amd64(), output.path()).finish().await.unwrap();
    assert_eq!(tokens.requests().len(), 1, "{:?}", tokens.requests());
}

#[tokio::test]
async fn a_token_server_that_denies_is_told_of_with_its_reason() {
    let issuer = Issuer::new();
    let tokens = issuer.serve().await;
    let realm = tokens.url("/token");
    let daemon = Daemon::start(Auth::Token { issuer: &issuer, realm: &realm }).await;
    for registry in [client(), client_as(&daemon.host, wrong())] {
        let error = registry.resolve(&daemon.image("acme/web:v1")).await.unwrap_err();
        assert!(
            matches!(&error, Error::Denied { registry, repository, detail, .. }
                if *registry == daemon.host && repository == "acme/web" && detail.contains("DENIED: denied")),
            "{error}"
        );
    }
}

/// A registry that wants the token which `tokens` gives.
async fn guarded(image: &TestImage, tokens: &Peer) -> Peer {
    let realm = tokens.url("/token?x=y");
    let good = |token: &str| token.starts_with("Bearer good");
    Peer::registry(image, move |request, _| {
        (!request.header("authorization").is_some_and(good)).then(|| Reply::bearer(&realm))
    })
    .await
}

#[tokio::test]
async fn a_token_is_renewed_when_it_has_expired_or_is_refused() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|_, before| {
        Reply::new(200, format!(r#"{{"access_token":"good{before}","expires_in":3600}}"#))
    })
    .await;
    let realm = tokens.url("/token");
    // The first token is good for one request only.
    let peer = Peer::registry(&image, move |request, before| match request.header("authorization") {
        Some("Bearer good0") if before == 1 => None,
        Some("Bearer good1") => None,
        _ => Some(Reply::bearer(&realm)),
    })
    .await;
    let registry = client();
    for _ in 0..3 {
        registry.resolve(&peer.image()).await.unwrap();
    }
    assert_eq!(tokens.requests().len(), 2);

    let brief =
        Peer::start(|_, before| Reply::new(200, format!(r#"{{"token":"good{before}","expires_in":0}}"#)))
            .await;
    let peer = guarded(&image, &brief).await;
    for _ in 0..2 {
        registry.resolve(&peer.image()).await.unwrap();
    }
    assert_eq!(brief.requests().len(), 2, "a token past its end is not sent again");
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_pull_is_renewed_once_for_all_blobs() {
    let image = TestImage::new("linux/amd64", &[1000, 2000, 3000, 4000, 5000, 6000]);
    let tokens =
        Peer::start(|_, before| Reply::new(200, format!(r#"{{"token":"good{before}","expires_in":3600}}"#)))
            .await;
    let realm = tokens.url("/token");
    // The first token is good for manifests, and past when the blobs are asked for.
    let peer = Peer::registry(&image, move |request, _| match request.header("authorization") {
        Some("Bearer good0") if request.path.contains("/manifests/") => None,
        Some("Bearer good1") => None,
        _ => Some(Reply::bearer(&realm)),
    })
    .await;
    let output = TempDir::new().unwrap();
    let pulled = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_eq!((pulled.fetched, tokens.requests().len()), (image.size(), 2));
}

#[tokio::test]
async fn a_token_that_is_refused_again_is_an_error_and_no_loop() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|_, _| Reply::new(200, r#"{"token":"bad"}"#)).await;
    let peer = guarded(&image, &tokens).await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert_eq!((peer.requests().len(), tokens.requests().len()), (2, 1));
}

#[tokio::test]
async fn an_identity_token_is_posted_and_never_follows_a_redirect() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|_, _| Reply::new(200, r#"{"access_token":"good"}"#)).await;
    let peer = guarded(&image, &tokens).await;
    let identity = || Credentials::IdentityToken("refresh me".into());
    client_as(&peer.host, identity()).resolve(&peer.image()).await.unwrap();
    let asked = &tokens.requests()[0];
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/token?x=y"));
    for part in ["grant_type=refresh_token", "refresh_token=refresh+me", "service=test"] {
        assert!(asked.body.contains(part), "{}", asked.body);
    }

    let to = tokens.url("/steal");
    let sly = Peer::start(move |_, _| Reply::redirect(to.clone())).await;
    let peer = guarded(&image, &sly).await;
    let error = client_as(&peer.host, identity()).resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert_eq!(tokens.requests().len(), 1, "nobody came to the other host");
}

#[tokio::test]
async fn a_token_server_that_hangs_is_given_up() {
    let image = TestImage::new("linux/amd64", &[]);
    let tokens = Peer::start(|_, _| Reply::hang()).await;
    let peer = guarded(&image, &tokens).await;
    let timeouts = Timeouts { stall: Duration::from_millis(200), ..Timeouts::default() };
    let began = Instant::now();
    let error =
        Registry::builder().timeouts(timeouts).build().unwrap().resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(&error, Error::Timeout { what, .. } if what == "a token"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_token_is_read_only_so_far_and_never_shown() {
    let image = TestImage::new("linux/amd64", &[]);
    let endless = Peer::start(|_, _| Reply::new(200, vec![b' '; 65 * 1024])).await;
    let peer = guarded(&image, &endless).await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 65_536, .. }), "{error}");

    for body in [r#"{"token":["hunter2"]}"#, "{}", r#"{"token":"hunter2\n"}"#, "hunter2"] {
        let odd = Peer::start(move |_, _| Reply::new(200, body)).await;
        let peer = guarded(&image, &odd).await;
        let error = client().resolve(&peer.image()).await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{body}: {error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_registry_on_https_cannot_name_a_token_server_on_plain_http() {
    let tokens = Peer::start(|_, _| Reply::new(200, r#"{"token":"good"}"#)).await;
    let tls = Issuer::new();
    let realm = tokens.url("/token");
    let daemon = Daemon::start_tls(&tls, Auth::Token { issuer: &tls, realm: &realm }).await;
    let image = daemon.image("acme/web:v1");
    let registry = Registry::builder()
        .https(image.registry())
        .root_certificates(tls.certificate_pem.clone())
        .credentials(image.registry(), cutover())
        .build()
        .unwrap();
    let error = registry.resolve(&image).await.unwrap_err();
    assert!(matches!(error, Error::Unsafe { .. }), "{error}");
    assert!(tokens.requests().is_empty(), "{:?}", tokens.requests());
}

#[tokio::test]
async fn credentials_are_for_one_registry() {
    let image = TestImage::new("linux/amd64", &[]);
    let wants = |_: &crate::rig::peer::Request, _| {
        Some(Reply::new(401, "").with("WWW-Authenticate", "Basic realm=x"))
    };
    let (mine, other) = (Peer::registry(&image, wants).await, Peer::registry(&image, wants).await);
    let registry = client_as(&mine.host, cutover());
    for peer in [&mine, &other] {
        registry.resolve(&peer.image()).await.unwrap_err();
    }
    assert_eq!(mine.requests()[1].header("authorization"), Some(CUTOVER_BASIC));
    assert!(other.requests().iter().all(|request| request.header("authorization").is_none()));
}
