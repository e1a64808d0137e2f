//! Tags, indexes and platforms at a real registry.

use cutover_registry::{Digest, Error, Platform};

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::{INDEX, MANIFEST, TestImage, index, put_manifest};
use crate::rig::issuer::Issuer;
use crate::rig::peer::client;

#[tokio::test]
async fn a_tag_becomes_the_digest_of_its_bytes() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let pushed = TestImage::new("linux/amd64", &[100]);
    pushed.push(&daemon.host, "acme/web", "v1", None).await;
    let image = daemon.image("acme/web:v1");

    let resolved = client().resolve(&image).await.unwrap();
    assert_eq!(resolved.digest, pushed.digest());
    assert_eq!(resolved.image, image.with_digest(pushed.digest()));
    assert_eq!((resolved.media_type.as_str(), resolved.size), (MANIFEST, pushed.manifest.len() as u64));
    assert_eq!(client().resolve(&resolved.image).await.unwrap(), resolved, "a digest resolves to itself");
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_not_found() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    TestImage::new("linux/amd64", &[]).push(&daemon.host, "acme/web", "v1", None).await;
    for image in [
        daemon.image("acme/web:v2"),
        daemon.image("acme/none:v1"),
        daemon.image("acme/web").with_digest(Digest::of("x")),
    ] {
        let error = client().resolve(&image).await.unwrap_err();
        assert!(matches!(&error, Error::NotFound { image: named } if **named == image), "{error}");
    }
}

#[tokio::test]
async fn an_index_is_walked_to_the_platform_past_attestations() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let [attestation, amd64, arm6, arm7] = ["unknown/unknown", "linux/amd64", "linux/arm/v6", "linux/arm/v7"]
        .map(|name| TestImage::new(name, &[10]));
    for image in [&attestation, &amd64, &arm6, &arm7] {
        image.push(&daemon.host, "acme/web", &image.digest().to_string(), None).await;
    }
    let list = index(&attestation, &[&amd64, &arm6, &arm7]);
    put_manifest(&daemon.host, "acme/web", "latest", INDEX, &list, None).await;
    let (image, registry) = (daemon.image("acme/web"), client());

    assert_eq!(registry.resolve(&image).await.unwrap().digest, Digest::of(&list), "the tag's own digest");
    for (wanted, given) in [
        ("linux/amd64", &amd64),
        ("linux/amd64/v3", &amd64),
        ("linux/arm", &arm7),
        ("linux/arm/v8", &arm7),
        ("linux/arm/v6", &arm6),
    ] {
        let (resolved, manifest) = registry.manifest(&image, &wanted.parse().unwrap()).await.unwrap();
        assert_eq!(resolved.digest, given.digest(), "{wanted}");
        assert_eq!(manifest.size(), given.size(), "{wanted}");
    }
    for missing in ["linux/s390x", "linux/arm/v5", "windows/amd64", "unknown/unknown"] {
        let missing: Platform = missing.parse().unwrap();
        let error = registry.manifest(&image, &missing).await.unwrap_err();
        assert!(matches!(&error, Error::PlatformMissing { wanted, .. } if *wanted == missing), "{error}");
        assert!(error.to_string().ends_with("on offer: linux/amd64, linux/arm/v6, linux/arm/v7"), "{error}");
    }
}

#[tokio::test]
async fn https_is_spoken_with_the_root_given_and_with_no_other() {
    let issuer = Issuer::new();
    let daemon = Daemon::start_tls(&issuer, Auth::Anonymous).await;
    let image = daemon.image("acme/web:v1");
    let builder = cutover_registry::Registry::builder().https(image.registry());

    let trusting = builder.clone().root_certificates(issuer.certificate_pem.clone()).build().unwrap();
    let error = trusting.resolve(&image).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "the registry answered, over TLS: {error}");

    let error = builder.build().unwrap().resolve(&image).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}
