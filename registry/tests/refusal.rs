//! What a refusal means, by the very words that GHCR has for it. Each case names where they were seen.

use cutover_registry::{Credentials, Error, PushOptions, Refusal, Registry};

use crate::rig::image::TestImage;
use crate::rig::layout::TestLayout;
use crate::rig::peer::{Peer, Reply, client};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Who {
    Nobody,
    Classic,
    FineGrained,
    Workflow,
}

impl Who {
    fn credentials(self) -> Credentials {
        let password = match self {
            Self::Nobody => return Credentials::Anonymous,
            Self::Classic => "ghp_hunter2",
            Self::FineGrained => "github_pat_hunter2",
            Self::Workflow => "ghs_hunter2",
        };
        Credentials::Basic { username: "acme".into(), password: password.into() }
    }
}

/// Who refuses: the token server, or the registry after it gave a token.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    TokenServer,
    Registry,
}

/// An answer with the headers that `ghcr.io` sends.
fn github(status: u16, code: &str, message: &str) -> Reply {
    let body = serde_json::json!({"errors": [{"code": code, "message": message}]}).to_string();
    Reply::new(status, body)
        .with("Content-Type", "application/json")
        .with("Docker-Distribution-Api-Version", "registry/2.0")
        .with("X-GitHub-Request-Id", "DE78:3E15:4291:372C4:5D8D55C6")
}

/// A challenge as GHCR's.
fn challenge(realm: &str) -> Reply {
    let challenge = format!(r#"Bearer realm="{realm}",service="ghcr.io",scope="repository:acme/web:pull""#);
    github(401, "UNAUTHORIZED", "authentication required").with("WWW-Authenticate", challenge)
}

async fn refused(at: At, refusal: Reply, who: Who, pushing: bool) -> Error {
    let own = refusal.clone();
    let tokens = Peer::start(move |_, _| match at {
        At::TokenServer => own.clone(),
        At::Registry => Reply::new(200, r#"{"token":"good"}"#),
    })
    .await;
    let realm = tokens.url("/token");
    let peer = Peer::start(move |request, _| match request.header("authorization") {
        Some("Bearer good") => refusal.clone(),
        _ => challenge(&realm),
    })
    .await;
    let registry = Registry::builder().credentials(&peer.host, who.credentials()).build().unwrap();
    if pushing {
        let layout = TestLayout::of(&TestImage::new("linux/amd64", &[]));
        registry.push(layout.path(), &peer.image(), &PushOptions::default()).finish().await.unwrap_err()
    } else {
        registry.resolve(&peer.image()).await.unwrap_err()
    }
}

#[tokio::test]
async fn ghcr_is_understood() {
    use At::{Registry, TokenServer};
    use Who::{Classic, FineGrained, Nobody, Workflow};
    let scopes = "permission_denied: The token provided does not match expected scopes.";
    let write = "permission_denied: write_package";
    let read = "permission_denied: read_package";
    let (pull, push) = (false, true);
    let table = [
        // charmbracelet/catwalk#518: a private package, and no credentials.
        (
            TokenServer,
            403,
            "DENIED",
            "requested access to the resource is denied",
            Nobody,
            pull,
            Refusal::Hidden,
            "or it is private",
        ),
        // Mic92/niks3#229, openappsec/openappsec#306.
        (
            Registry,
            401,
            "UNAUTHORIZED",
            "authentication required",
            Nobody,
            pull,
            Refusal::Hidden,
            "or it is private",
        ),
        // sigstore/scaffolding#127 (private), riverqueue/riverui#182 (an expired token): the same words.
        (TokenServer, 403, "DENIED", "denied", Nobody, pull, Refusal::Hidden, "give credentials"),
        (TokenServer, 403, "DENIED", "denied", Classic, pull, Refusal::Hidden, "has expired"),
        // getwud/wud#219, autc04/Retro68#274 (an expired token).
        (
            Registry,
            401,
            "UNAUTHORIZED",
            "unauthenticated: User cannot be authenticated with the token provided.",
            Classic,
            pull,
            Refusal::BadCredentials,
            "has expired",
        ),
        (
            TokenServer,
            401,
            "UNAUTHORIZED",
            "unauthenticated: User cannot be authenticated with the token provided.",
            Classic,
            push,
            Refusal::BadCredentials,
            "has expired",
        ),
        // argoproj-labs/argocd-image-updater#303.
        (Registry, 403, "DENIED", "invalid token", Classic, pull, Refusal::BadCredentials, "has expired"),
        // caprover/caprover#1953, daltoniam/switchboard#139.
        (Registry, 403, "DENIED", scopes, Classic, push, Refusal::WriteScope, "write:packages"),
        (Registry, 403, "DENIED", scopes, Classic, pull, Refusal::ReadScope, "read:packages"),
        (Registry, 403, "DENIED", scopes, Workflow, push, Refusal::WriteScope, "packages: write"),
        // tuna-os/tunaOS#642, hephaestus-build/Hephaestus#1671: the package is not linked to the workflow's repository.
        (Registry, 403, "DENIED", write, Workflow, push, Refusal::NotLinked, "Manage Actions access"),
        (Registry, 403, "DENIED", write, Classic, push, Refusal::NoAccess, "no access to this package"),
        // redhat-actions/push-to-registry#52 is the same on the way down, for a private package.
        (Registry, 403, "DENIED", read, Workflow, pull, Refusal::NotLinked, "Manage Actions access"),
        // docker/build-push-action#606, pinchbench/skill#17.
        (
            Registry,
            403,
            "DENIED",
            "installation not allowed to Create organization package",
            Workflow,
            push,
            Refusal::WrongOwner,
            "this owner",
        ),
        // jidicula/clang-format-action#190: Dependabot's token only reads.
        (
            Registry,
            403,
            "DENIED",
            "installation not allowed to Write organization package",
            Workflow,
            push,
            Refusal::WriteScope,
            "Dependabot",
        ),
        // grafana/k6#2111.
        (
            Registry,
            403,
            "DENIED",
            "permission_denied: The requested installation does not exist.",
            Workflow,
            push,
            Refusal::WrongOwner,
            "this owner",
        ),
        (
            Registry,
            403,
            "DENIED",
            "requested access to the resource is denied",
            Classic,
            pull,
            Refusal::NoAccess,
            "no access to this package",
        ),
        // docs.github.com, "Working with the Container registry": classic tokens only.
        (TokenServer, 403, "DENIED", "denied", FineGrained, pull, Refusal::Hidden, "no fine-grained tokens"),
        (
            Registry,
            403,
            "QUOTA",
            "the month is over",
            Classic,
            push,
            Refusal::Unknown,
            "QUOTA: the month is over",
        ),
    ];
    for (at, status, code, message, who, pushing, meaning, advice) in table {
        let error = refused(at, github(status, code, message), who, pushing).await;
        let case = format!("{message:?} to {who:?}, pushing: {pushing}: {error}");
        let (Error::Denied { refusal, .. } | Error::Unauthorized { refusal, .. }) = &error else {
            panic!("{case}")
        };
        assert_eq!(*refusal, meaning, "{case}");
        let told = error.to_string();
        assert!(told.contains(message) && told.contains(advice), "{case}");
        assert!(!format!("{error:?}").contains("hunter2"), "{case}");
    }
}

#[tokio::test]
async fn a_tag_or_a_package_that_ghcr_does_not_know_is_not_found() {
    // sigstore/cosign#1542, ietf-tools/www#392.
    for (code, message) in
        [("MANIFEST_UNKNOWN", "manifest unknown"), ("NAME_UNKNOWN", "repository name not known to registry")]
    {
        let error = refused(At::Registry, github(404, code, message), Who::Classic, false).await;
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
}

#[tokio::test]
async fn other_registries_are_not_told_of_packages() {
    let peer = Peer::start(|_, _| {
        Reply::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#)
            .with("WWW-Authenticate", "Basic realm=x")
    })
    .await;
    let error = client().resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { refusal: Refusal::Hidden, .. }), "{error:?}");
    assert!(!error.to_string().contains("packages"), "{error}");
    let named = Registry::builder().credentials(&peer.host, Who::Classic.credentials()).build().unwrap();
    let error = named.resolve(&peer.image()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { refusal: Refusal::BadCredentials, .. }), "{error:?}");
    assert!(error.to_string().contains("wrong or have expired"), "{error}");
}
