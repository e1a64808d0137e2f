//! `cutover image …`: the registry side alone, at registries that want a login, with skopeo and the engine as judges.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::PathBuf;
use std::process::Command;

use ring::digest::{SHA256, digest};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use xtask::rig::image::Layout;
use xtask::rig::registry::{Auth, Registry};
use xtask::rig::stage::{Ran, Stage};
use xtask::rig::{docker, needs, run};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const SBOM: &str = "application/spdx+json";

/// A stage with a second registry, and an image in a layout on the disk.
struct Images {
    stage: Stage,
    second: Registry,
    layout: Layout,
    /// The digest of the image's manifest, and of its configuration: the engine's name for it.
    digest: String,
    id: String,
}

impl Images {
    async fn new() -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let (user, password) = stage.registry.auth().login().unwrap();
        let second = Registry::start(Auth::basic(user, password.expose_secret())).await.unwrap();
        let login = format!(
            "[registry.{:?}]\nusername = {user:?}\npassword = {{ env = \"REGISTRY_PASSWORD\" }}",
            second.host()
        );
        let stage = stage.with_tables(&login).unwrap();
        let layout = Layout::begin(stage.config().with_file_name("layout")).unwrap();
        let layer = layer();
        let labels = run::labels();
        let mut labels: Value =
            labels.iter().filter_map(|label| label.split_once('=')).map(|(k, v)| (k.to_owned(), v)).collect();
        labels["org.opencontainers.image.version"] = "1.4".into();
        let config = json!({
            "os": "linux", "architecture": "amd64", "created": "2024-05-06T07:08:09Z",
            "config": {
                "Env": ["MODE=test"], "Entrypoint": ["/hello"], "ExposedPorts": {"8080/tcp": {}},
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": [sha256(&layer)]},
        });
        let config = layout.add(CONFIG, config.to_string().as_bytes()).unwrap();
        let layers = [layout.add(LAYER, &layer).unwrap()];
        let digest = layout.enter(&layout.manifest(&config, &layers).unwrap()).unwrap();
        Self { stage, second, layout, digest, id: config["digest"].as_str().unwrap().to_owned() }
    }

    /// The image in the stage's registry.
    fn here(&self) -> String {
        format!("{}:v1", self.stage.repository())
    }

    /// The image in the second.
    fn there(&self) -> String {
        self.second.name_of(&format!("acme/{}:v1", self.stage.app))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.stage.config().with_file_name(name)
    }

    async fn image(&self, arguments: &[&str]) -> Ran {
        self.stage.cutover(&[&["image"], arguments].concat()).await.exits(0)
    }

    async fn push(&self, layout: &Layout, to: &str) -> Ran {
        self.image(&["push", layout.path().to_str().unwrap(), to]).await
    }
}

/// A tar of one file.
fn layer() -> Vec<u8> {
    let content = run::random();
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o755);
    let mut archive = tar::Builder::new(Vec::new());
    archive.append_data(&mut header, "hello", content.as_bytes()).unwrap();
    archive.into_inner().unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The digest of what a transport of skopeo's names.
fn skopeo(transport: &str, login: &Registry) -> String {
    let mut command = Command::new("skopeo");
    command.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}", "--authfile"]);
    let output = command.arg(login.docker_config().join("config.json")).arg(transport).output().unwrap();
    assert!(output.status.success(), "{transport}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn an_image_goes_from_disk_to_a_registry_to_disk_to_another_and_into_the_engine() {
    let images = Images::new().await;
    let pushed = images.push(&images.layout, &images.here()).await;
    assert_eq!(pushed.stdout.trim(), images.digest);

    let output = images.file("output");
    let pulled = images.image(&["pull", &images.here(), "--output", output.to_str().unwrap()]).await;
    assert_eq!(pulled.stdout.trim(), images.digest);
    assert_eq!(skopeo(&format!("oci:{}", output.display()), &images.second), images.digest);

    let there = images.there();
    let on = images.image(&["push", "--json", output.to_str().unwrap(), &there]).await.json();
    assert_eq!((&on["digest"], &on["tags"]), (&images.digest.as_str().into(), &json!(["v1"])), "{on}");
    assert_eq!(skopeo(&format!("docker://{there}"), &images.second), images.digest);

    let loaded =
        images.image(&["pull", "--json", "--load", "--platform", "linux/amd64", &there]).await.json();
    let shown = docker::run(&["image", "inspect", "--format", "{{.Id}} {{.Config.Env}}", &there]).await;
    docker::run(&["rmi", "-f", &images.id]).await.unwrap();
    assert_eq!(shown.unwrap(), format!("{} [MODE=test]", images.id));
    assert_eq!(loaded["digest"], images.digest.as_str(), "{loaded}");
    assert_eq!(loaded["loaded"], json!([there]), "{loaded}");
}

#[tokio::test]
async fn what_a_registry_has_is_told_without_a_pull() {
    let images = Images::new().await;
    let (here, other) = (images.here(), format!("{}:v2", images.stage.repository()));
    images.push(&images.layout, &here).await;
    images.push(&images.layout, &other).await;
    assert_eq!(images.image(&["tags", &images.stage.repository()]).await.stdout.trim(), "v1\nv2");

    let seen = images.image(&["inspect", "--json", "--platform", "linux/amd64", &here]).await.json();
    for (key, value) in [
        ("digest", json!(images.digest)),
        ("platform", json!("linux/amd64")),
        ("created", json!("2024-05-06T07:08:09Z")),
        ("env", json!(["MODE=test"])),
        ("entrypoint", json!(["/hello"])),
        ("ports", json!(["8080/tcp"])),
    ] {
        assert_eq!(seen[key], value, "{key} of {seen}");
    }
    assert_eq!(seen["labels"]["org.opencontainers.image.version"], "1.4", "{seen}");
    assert_eq!(seen["layers"].as_array().map(Vec::len), Some(1), "{seen}");

    assert_eq!(images.image(&["referrers", &here]).await.stdout.trim(), "", "none yet");
    // Where there is no API for them, an index under a tag lists them (OCI distribution specification, "Referrers tag
    // schema").
    let layout = Layout::begin(images.file("referrers")).unwrap();
    let bill = [layout.add(SBOM, b"{}").unwrap()];
    let empty = layout.add("application/vnd.oci.empty.v1+json", b"{}").unwrap();
    let mut referrer = layout.manifest(&empty, &bill).unwrap();
    referrer["artifactType"] = SBOM.into();
    layout.enter(&layout.index(&[referrer.clone()]).unwrap()).unwrap();
    let tag = format!("{}:{}", images.stage.repository(), images.digest.replace(':', "-"));
    images.push(&layout, &tag).await;
    let found = images.image(&["referrers", &here]).await;
    assert_eq!(found.stdout.trim(), format!("{} {SBOM}", referrer["digest"].as_str().unwrap()));
}
