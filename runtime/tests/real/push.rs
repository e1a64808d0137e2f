//! Pushing to a real registry.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use base64::Engine as _;
use cutover_runtime::{Error, Removal};

use crate::registry::{PASSWORD, Registry, deploy};
use crate::rig::Rig;

/// The head of the registry's answer about a manifest, as the user that it knows.
fn head(registry: SocketAddr, path: &str) -> String {
    let auth = base64::engine::general_purpose::STANDARD.encode(format!("deploy:{PASSWORD}"));
    let mut stream = TcpStream::connect(registry).unwrap();
    let accept = "application/vnd.docker.distribution.manifest.v2+json";
    write!(stream, "HEAD {path} HTTP/1.1\r\nHost: {registry}\r\nAuthorization: Basic {auth}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.to_lowercase()
}

#[tokio::test]
async fn a_push_returns_the_digest_and_size_that_the_registry_serves() {
    let rig = Rig::new().await;
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::start(directory.path(), true).await;
    let reference = format!("{}/{}:v1", registry.address, rig.name);
    rig.engine.tag(&rig.image, &reference).await.unwrap();
    let mut steps = Vec::new();
    let pushed =
        rig.engine.push(&reference, Some(&deploy(PASSWORD)), &mut |step| steps.push(step)).await.unwrap();
    let head = head(registry.address, &format!("/v2/{}/manifests/v1", rig.name));
    assert!(head.contains(&format!("docker-content-digest: {}", pushed.digest)), "{head}");
    assert!(head.contains(&format!("content-length: {}\r", pushed.size)), "{head}");
    assert!(steps.iter().any(|step| step.layer.is_some() && step.total.is_some()), "{steps:?}");
    let again = rig.engine.push(&reference, Some(&deploy(PASSWORD)), &mut |_| {}).await.unwrap();
    assert_eq!(again, pushed);
    assert_eq!(rig.engine.remove_image(&reference).await.unwrap(), Removal::Removed);
}

#[tokio::test]
async fn what_keeps_a_push_away_is_told_apart() {
    let rig = Rig::new().await;
    let directory = tempfile::tempdir().unwrap();
    let registry = Registry::start(directory.path(), true).await;
    let reference = format!("{}/{}:v1", registry.address, rig.name);
    rig.engine.tag(&rig.image, &reference).await.unwrap();
    let wrong = deploy("wrong");
    for credentials in [Some(&wrong), None] {
        let error = rig.engine.push(&reference, credentials, &mut |_| {}).await.unwrap_err();
        assert!(matches!(&error, Error::PushUnauthorized { image, .. } if *image == reference), "{error:?}");
        assert!(!format!("{error:?}").contains("wrong"));
    }
    for missing in [format!("{}/{}:v2", registry.address, rig.name), format!("{reference}@sha256:ab")] {
        let error = rig.engine.push(&missing, None, &mut |_| {}).await.unwrap_err();
        assert!(matches!(&error, Error::NoSuchImage { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_tag_can_be_moved_and_leads_to_what_is_there() {
    let rig = Rig::new().await;
    let reference = format!("cutover-test/{}-moved", rig.name);
    let image = rig.engine.observe_image(&rig.image).await.unwrap().unwrap();
    for from in [&rig.image, &image.id] {
        rig.engine.tag(from, &reference).await.unwrap();
        assert_eq!(
            rig.engine.observe_image(&format!("{reference}:latest")).await.unwrap().unwrap().id,
            image.id
        );
    }
    let missing = rig.engine.tag("cutover-test/no-such", &reference).await.unwrap_err();
    assert!(matches!(missing, Error::NoSuchImage { .. }), "{missing:?}");
    let bad = rig.engine.tag(&rig.image, "Not A Name").await.unwrap_err();
    assert!(matches!(bad, Error::Refused { .. }), "{bad:?}");
}
