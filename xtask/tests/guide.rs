//! The guide's own set-up, converted: `examples/guide/after` runs as it stands.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use xtask::rig::image::{NginxImage, ServiceImage};
use xtask::rig::load::{Config, Load};
use xtask::rig::registry::{Auth, Registry};
use xtask::rig::{docker, port, run};

/// A copy of the example with names of its own, up by compose; down again on drop.
struct Guide {
    folder: tempfile::TempDir,
    env: Vec<(String, String)>,
    balancer: String,
    network: String,
    app: String,
}

impl Guide {
    fn start(image: &NginxImage, site: &str) -> Self {
        let id = run::random();
        let (balancer, network, app) =
            (format!("load_balancer-{id}"), format!("redis-net-{id}"), format!("app-{id}"));
        let subnet = format!("172.31.{}", u8::from_str_radix(&id[..2], 16).unwrap());
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/guide/after"), folder.path());
        let file = folder.path().join("cutover.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text
            .replace("load_balancer", &balancer)
            .replace("redis-net", &network)
            .replace("server-app", &app)
            .replace("172.31.250", &subnet)
            .replace("health  =", "soak    = \"1s\"\nhealth  =");
        std::fs::write(file, text).unwrap();
        let env = [
            ("NGINX_IMAGE", image.name()),
            ("LOAD_BALANCER", &balancer),
            ("NETWORK", &network),
            ("SUBNET", &subnet),
            ("SITE", site),
            ("COMPOSE_PROJECT_NAME", &app),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let guide = Self { folder, env, balancer, network, app };
        guide.compose(&["up", "-d"]);
        guide
    }

    fn compose(&self, arguments: &[&str]) {
        // The plugin where it is there, or else the program that Debian has.
        let plugin =
            Command::new("docker").args(["compose", "version"]).output().is_ok_and(|o| o.status.success());
        let mut command = if plugin { Command::new("docker") } else { Command::new("docker-compose") };
        let first: &[&str] = if plugin { &["compose"] } else { &[] };
        let ran = command
            .args(first)
            .args(["-f", "compose.yaml"])
            .args(arguments)
            .current_dir(self.folder.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output();
        let ran = ran.expect("docker-compose is installed (apt-get install -y docker-compose)");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    async fn cutover(&self, registry: &Registry, arguments: &[&str]) -> Value {
        let (_, password) = registry.auth().login().unwrap();
        let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .arg("--json")
            .current_dir(self.folder.path())
            .env("GHCR_TOKEN", password.expose_secret())
            .env("DOCKER_CONFIG", registry.docker_config())
            .output()
            .await
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice(&ran.stdout).unwrap()
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        let filter = format!("label=cutover.app={}", self.app);
        let listed = docker::run_blocking(&["ps", "-aq", "--filter", &filter]).unwrap_or_default();
        for id in listed.split_whitespace() {
            drop(docker::run_blocking(&["rm", "-fv", id]));
        }
        drop(docker::run_blocking(&["rm", "-fv", &self.balancer]));
        let images = format!("reference=*/{}", self.app);
        for id in docker::run_blocking(&["images", "-q", "--filter", &images])
            .unwrap_or_default()
            .split_whitespace()
        {
            drop(docker::run_blocking(&["rmi", "-f", id]));
        }
        drop(docker::run_blocking(&["network", "rm", &self.network]));
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
    // A temporary folder is its owner's alone; nginx's workers have to search this one.
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_set_up_becomes_a_cutover_deployment_that_loses_nothing() {
    let nginx = NginxImage::build("/usr/sbin/nginx").await.unwrap();
    let site = port::free().unwrap();
    let guide = Guide::start(&nginx, &site.to_string());
    let registry = Registry::start(Auth::token("acme", "guide-canary")).await.unwrap();
    let mut images = Vec::new();
    for version in ["1", "2", "3"] {
        let image = ServiceImage::build(&guide.app, version, &[("VERSION", version), ("PORT", "3000")])
            .await
            .unwrap();
        registry.push(image.name()).await.unwrap();
        images.push(registry.name_of(image.name()));
    }
    let first = guide.cutover(&registry, &["ship", "--image", &images[0]]).await;
    assert_eq!((&first["outcome"], &first["live"]), (&"deployed".into(), &"blue".into()));
    let load = Load::start(Config::at(site));
    load.answered_by("1", Duration::from_secs(10)).await.unwrap();
    for (image, version) in images.iter().zip(["1", "2", "3"]).skip(1) {
        let shipped = guide.cutover(&registry, &["ship", "--image", image]).await;
        assert_eq!((&shipped["outcome"], &shipped["reloads"]), (&"deployed".into(), &0.into()));
        load.answered_by(version, Duration::from_secs(10)).await.unwrap();
    }
    let report = load.stop().await;
    println!("{} requests, {} failed, 2 releases", report.sent, report.failed);
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(report.versions(), ["1", "2", "3"]);
}
