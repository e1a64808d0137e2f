//! Signatures as cosign lays them out, made by openssl and pushed by ourselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cutover_registry::{Digest, Error, ImageRef, PublicKey, PushOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::{MANIFEST, TestImage};
use crate::rig::layout::TestLayout;
use crate::rig::peer::client;

/// A key pair that openssl made.
struct Pair {
    files: TempDir,
    public: PublicKey,
    /// Ed25519 signs the message, the others its SHA-256.
    raw: bool,
}

impl Pair {
    fn new(arguments: &[&str]) -> Self {
        let files = TempDir::new().unwrap();
        let key = files.path().join("key.pem");
        openssl(&[&["genpkey", "-out", path(&key)], arguments].concat());
        let public = openssl(&["pkey", "-in", path(&key), "-pubout"]);
        let raw = arguments.contains(&"ed25519");
        Self { files, public: PublicKey::from_pem(public).unwrap(), raw }
    }

    fn p256() -> Self {
        Self::new(&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
    }

    fn sign(&self, message: &[u8]) -> String {
        let (key, file) = (self.files.path().join("key.pem"), self.files.path().join("message"));
        std::fs::write(&file, message).unwrap();
        let (key, file) = (path(&key), path(&file));
        STANDARD.encode(if self.raw {
            openssl(&["pkeyutl", "-sign", "-inkey", key, "-rawin", "-in", file])
        } else {
            openssl(&["dgst", "-sha256", "-sign", key, file])
        })
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("these tests need openssl (apt-get install openssl): {error}"));
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn payload(digest: &Digest) -> Vec<u8> {
    let critical = json!({
        "identity": {"docker-reference": "ghcr.io/acme/web"},
        "image": {"docker-manifest-digest": digest},
        "type": "cosign container image signature",
    });
    serde_json::to_vec(&json!({"critical": critical, "optional": null})).unwrap()
}

/// A registry with an image that carries these payloads and signatures.
struct Signed {
    daemon: Daemon,
    image: TestImage,
}

impl Signed {
    async fn new(signatures: impl FnOnce(&TestImage) -> Vec<(Vec<u8>, String)>) -> Self {
        let daemon = Daemon::start(Auth::Anonymous).await;
        let image = TestImage::new("linux/amd64", &[10]);
        image.push(&daemon.host, "acme/web", "v1", None).await;
        let mut layout = TestLayout::new();
        let layers: Vec<Value> = signatures(&image)
            .into_iter()
            .map(|(payload, signature)| {
                let mut layer = layout.add("application/vnd.dev.cosign.simplesigning.v1+json", &payload);
                layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
                layer
            })
            .collect();
        let config = layout.add("application/vnd.oci.image.config.v1+json", b"{}");
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        layout.enter(MANIFEST, &serde_json::to_vec(&manifest).unwrap(), None);
        let tag = format!("acme/web:{}.sig", image.digest().to_string().replace(':', "-"));
        client().push(layout.path(), &daemon.image(&tag), &PushOptions::default()).finish().await.unwrap();
        Self { daemon, image }
    }

    fn tag(&self) -> ImageRef {
        self.daemon.image("acme/web:v1")
    }
}

#[tokio::test]
async fn a_signature_by_a_key_that_was_given_holds() {
    let kinds = [
        Pair::p256(),
        Pair::new(&["-algorithm", "ed25519"]),
        Pair::new(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ];
    let other = Pair::p256();
    for pair in &kinds {
        let signed = Signed::new(|image| {
            let payload = payload(&image.digest());
            vec![(payload.clone(), other.sign(b"something else")), (payload.clone(), pair.sign(&payload))]
        })
        .await;
        let keys = [Pair::p256().public, pair.public.clone()];
        let verified = client().verify_signature(&signed.tag(), &keys).await.unwrap();
        assert_eq!(verified.image, signed.tag().with_digest(signed.image.digest()));
        assert_eq!((verified.key, verified.reference.as_str()), (1, "ghcr.io/acme/web"));
    }
}

#[tokio::test]
async fn what_nobody_signed_is_unsigned() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[10]);
    image.push(&daemon.host, "acme/web", "v1", None).await;
    let error =
        client().verify_signature(&daemon.image("acme/web:v1"), &[Pair::p256().public]).await.unwrap_err();
    assert!(matches!(error, Error::Unsigned { .. }), "{error}");
    let nothing = Signed::new(|_| Vec::new()).await;
    let error = client().verify_signature(&nothing.tag(), &[Pair::p256().public]).await.unwrap_err();
    assert!(matches!(error, Error::Unsigned { .. }), "{error}");
}

#[tokio::test]
async fn signatures_by_other_keys_and_broken_ones_do_not_hold() {
    let (theirs, ours) = (Pair::p256(), Pair::p256());
    let signed = Signed::new(|image| {
        let payload = payload(&image.digest());
        let mut broken = ours.sign(&payload);
        broken.replace_range(20..24, "AAAA");
        vec![
            (payload.clone(), theirs.sign(&payload)),
            (payload.clone(), broken),
            (payload.clone(), "not base64".to_owned()),
            (payload, String::new()),
        ]
    })
    .await;
    let error =
        client().verify_signature(&signed.tag(), std::slice::from_ref(&ours.public)).await.unwrap_err();
    assert!(matches!(error, Error::SignedByOthers { found: 4, .. }), "{error:?}");
    let error = client().verify_signature(&signed.tag(), &[]).await.unwrap_err();
    assert!(matches!(error, Error::SignedByOthers { .. }), "no key, no trust: {error}");
}

#[tokio::test]
async fn a_good_signature_of_another_image_does_not_hold() {
    let pair = Pair::p256();
    let other = Digest::of("another image");
    for (message, told) in [
        (payload(&other), other.to_string()),
        (b"{}".to_vec(), "no image".to_owned()),
        (
            String::from_utf8(payload(&other)).unwrap().replace("cosign container", "some").into_bytes(),
            "kind".to_owned(),
        ),
    ] {
        let signed = Signed::new(|_| vec![(message.clone(), pair.sign(&message))]).await;
        let keys = std::slice::from_ref(&pair.public);
        let error = client().verify_signature(&signed.tag(), keys).await.unwrap_err();
        assert!(matches!(&error, Error::SignedAnother { signed, .. } if signed.contains(&told)), "{error}");
    }
}

#[test]
fn a_private_key_is_not_taken_for_a_public_one() {
    let pair = Pair::p256();
    let private: PathBuf = pair.files.path().join("key.pem");
    let error = PublicKey::from_pem(std::fs::read(private).unwrap()).unwrap_err();
    assert!(matches!(error, Error::KeyInvalid { .. }), "{error}");
    let p384 = openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]);
    let public = crate::rig::layout::piped("openssl", &["pkey", "-pubout"], &p384);
    let error = PublicKey::from_pem(public).unwrap_err();
    assert!(error.to_string().contains("P-256"), "{error}");
}
