//! A release that has to be signed: by openssl, in cosign's layout, pushed by skopeo.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use xtask::rig::image::Layout;
use xtask::rig::needs;
use xtask::rig::stage::Stage;

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// A stage whose app takes only what `cosign.pub` beside its configuration signed.
struct Signed {
    stage: Stage,
}

impl Signed {
    async fn new() -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let signed = Self { stage: stage.with("signed_by = [\"cosign.pub\"]").unwrap() };
        let public = openssl(&["pkey", "-in", text(&signed.key("cosign.key")), "-pubout"]);
        std::fs::write(signed.file("cosign.pub"), public).unwrap();
        signed
    }

    fn file(&self, name: &str) -> PathBuf {
        self.stage.config().with_file_name(name)
    }

    /// A new private key.
    fn key(&self, name: &str) -> PathBuf {
        let key = self.file(name);
        let curve = "ec_paramgen_curve:P-256";
        openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", text(&key)]);
        key
    }

    /// Signs a digest by the key, and puts the signature where cosign does.
    fn sign(&self, digest: &str, key: &Path) {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": self.stage.repository()},
                "image": {"docker-manifest-digest": digest},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let (payload, file) = (payload.to_string(), self.file("payload"));
        std::fs::write(&file, &payload).unwrap();
        let signature = STANDARD.encode(openssl(&["dgst", "-sha256", "-sign", text(key), text(&file)]));

        let files = tempfile::TempDir::new().unwrap();
        let layout = Layout::begin(files.path()).unwrap();
        let mut layer = layout.add(PAYLOAD, payload.as_bytes()).unwrap();
        layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
        let config = layout.add("application/vnd.oci.image.config.v1+json", b"{}").unwrap();
        layout.enter(&layout.manifest(&config, &[layer]).unwrap()).unwrap();
        let to = format!("docker://{}:{}.sig", self.stage.repository(), digest.replace(':', "-"));
        let login = self.stage.registry.docker_config().join("config.json");
        let copy = ["copy", "--insecure-policy", "--dest-tls-verify=false", "--authfile", text(&login)];
        run("skopeo", &[copy.as_slice(), &[&layout.transport(), &to]].concat());
    }

    /// A deploy that is refused, with the reason, and leaves nothing behind.
    async fn refuses(&self, image: &str, reason: &str) {
        let ran = self.stage.cutover(&["deploy", "--image", image]).await.exits(3);
        assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        assert_eq!(self.stage.containers().await.unwrap(), [""; 0]);
    }
}

fn openssl(arguments: &[&str]) -> Vec<u8> {
    run("openssl", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn an_image_is_deployed_once_it_is_signed_by_a_key_of_the_app_and_not_before() {
    let mut signed = Signed::new().await;
    let image = signed.stage.release("1", &[]).await.unwrap();
    let resolved = signed.stage.cutover(&["image", "resolve", &image]).await.exits(0);
    let digest = resolved.stdout.trim();

    signed.refuses(&image, "is not signed").await;
    signed.sign(digest, &signed.key("other.key"));
    signed.refuses(&image, "none of the 1 signatures").await;

    signed.sign(digest, &signed.file("cosign.key"));
    let account = signed.stage.deploy(&image).await;
    assert_eq!((&account["outcome"], &account["digest"]), (&"deployed".into(), &digest.into()), "{account}");
    let (status, body) = signed.stage.page(signed.stage.site(), "localhost", "/").await.unwrap();
    assert_eq!(status, 200, "{body}");
}
