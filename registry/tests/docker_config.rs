//! Docker configurations: real files, real helpers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_registry::{Credentials, DockerConfig, Error};
use secrecy::ExposeSecret;
use tempfile::TempDir;

fn helpers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/helpers")
}

fn read(text: &str) -> Result<DockerConfig, Error> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    DockerConfig::read(&path).map(|config| config.helper_directory(helpers()))
}

async fn found(config: &DockerConfig, registry: &str) -> Option<(String, String)> {
    match config.credentials_for(registry).await.unwrap()? {
        Credentials::Basic { username, password } => Some((username, password.expose_secret().to_owned())),
        Credentials::IdentityToken(token) => Some(("(token)".to_owned(), token.expose_secret().to_owned())),
        other => panic!("{other:?}"),
    }
}

fn pair(username: &str, secret: &str) -> Option<(String, String)> {
    Some((username.to_owned(), secret.to_owned()))
}

#[tokio::test]
async fn auths_are_found_under_whatever_name_the_registry_was_written() {
    // acme:pass:word and hub:hub
    let config = read(
        r#"{"auths": {
            "ghcr.io": {"auth": "YWNtZTpwYXNzOndvcmQ="},
            "https://index.docker.io/v1/": {"auth": "aHViOmh1Yg"},
            "https://registry.example:5000": {"username": "u", "password": "p"},
            "idp.example": {"auth": "PHRva2VuPjo=", "identitytoken": "refresh"},
            "quay.io/acme": {"auth": "aHViOmh1Yg=="},
            "empty.example": {}
        }, "HttpHeaders": {"x": "y"}}"#,
    )
    .unwrap();
    assert_eq!(found(&config, "ghcr.io").await, pair("acme", "pass:word"));
    assert_eq!(found(&config, "docker.io").await, pair("hub", "hub"));
    assert_eq!(found(&config, "index.docker.io").await, pair("hub", "hub"));
    assert_eq!(found(&config, "registry.example:5000").await, pair("u", "p"));
    assert_eq!(found(&config, "idp.example").await, pair("(token)", "refresh"));
    for none in ["quay.io", "registry.example", "empty.example", "other.example"] {
        assert_eq!(found(&config, none).await, None, "{none}");
    }
}

#[tokio::test]
async fn a_helper_is_asked_for_its_registry_and_the_store_for_the_rest() {
    let config = read(
        r#"{"credHelpers": {"ghcr.io": "echoes", "token.example": "identity"}, "credsStore": "empty",
            "auths": {"fallback.example": {"username": "u", "password": "p"}}}"#,
    )
    .unwrap();
    assert_eq!(found(&config, "ghcr.io").await, pair("user of ghcr.io", "it's $HOME `id`"));
    assert_eq!(found(&config, "token.example").await, pair("(token)", "refresh"));
    assert_eq!(found(&config, "unknown.example").await, None);
    assert_eq!(found(&config, "fallback.example").await, pair("u", "p"));
    let hub = read(r#"{"credsStore": "echoes"}"#).unwrap();
    assert_eq!(
        found(&hub, "docker.io").await,
        pair("user of https://index.docker.io/v1/", "it's $HOME `id`")
    );
}

#[tokio::test]
async fn a_helper_that_fails_is_named_with_what_it_said() {
    let ask = async |name: &str| {
        let config = read(&format!(r#"{{"credsStore": "{name}"}}"#)).unwrap();
        config.helper_time_limit(Duration::from_millis(300)).credentials_for("ghcr.io").await.unwrap_err()
    };
    let error = ask("broken").await;
    assert!(matches!(&error, Error::Helper { detail, .. } if detail == "the keychain is locked"), "{error}");
    let error = ask("garbage").await;
    assert!(matches!(&error, Error::Helper { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    let error = ask("absent").await;
    assert!(
        matches!(&error, Error::HelperMissing { helper, registry } if helper == "docker-credential-absent" && registry == "ghcr.io"),
        "{error}"
    );
    let error = ask("hangs").await;
    assert!(matches!(&error, Error::HelperTimeout { .. }), "{error}");
    let error = ask("../../bin/sh").await;
    assert!(matches!(&error, Error::ConfigInvalid { .. }), "{error}");
}

#[tokio::test]
async fn a_missing_file_is_told_from_a_bad_one() {
    let missing = DockerConfig::read(Path::new("/nonexistent/config.json")).unwrap_err();
    assert!(matches!(&missing, Error::ConfigMissing { path } if path.ends_with("config.json")), "{missing}");
    let unreadable = DockerConfig::read(&helpers()).unwrap_err();
    assert!(matches!(unreadable, Error::Io { .. }), "{unreadable}");
}

#[tokio::test]
async fn no_error_and_no_debug_shows_a_secret() {
    for text in [
        "{\"auths\": {\"ghcr.io\": \"hunter2\"}}",
        "{\"auths\": {\"ghcr.io\": {\"auth\": \"hunter2*\"}}}",
        "{\"auths\": {\"ghcr.io\": {\"auth\": \"aHVudGVyMg==\"}}}",
        "{\"auths\": \"hunter2\"}",
        "hunter2",
    ] {
        let error = read(text).unwrap_err();
        assert!(matches!(error, Error::ConfigInvalid { .. }), "{error}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVyMg"), "{shown}");
    }
    let config = read(r#"{"auths": {"ghcr.io": {"username": "acme", "password": "hunter2"}}}"#).unwrap();
    let shown = format!("{config:?} {:?}", config.credentials_for("ghcr.io").await);
    assert!(shown.contains("acme") && !shown.contains("hunter2"), "{shown}");
    let token = format!("{:?}", Credentials::IdentityToken("hunter2".into()));
    assert!(!token.contains("hunter2"), "{token}");
}
