//! The guide's own set-up, as it was and converted: `examples/guide` runs as it stands.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use xtask::rig::deadline::until;
use xtask::rig::image::{NginxImage, ProgramImage};
use xtask::rig::load::{Config, Load};
use xtask::rig::registry::{Auth, Registry};
use xtask::rig::{docker, place, port, run};

const SOON: Duration = Duration::from_secs(30);

/// A copy of a folder of the example, up by compose; down again on drop.
struct Stack {
    folder: tempfile::TempDir,
    env: Vec<(&'static str, String)>,
}

impl Stack {
    /// The copy, with these words of its files replaced.
    fn copy(name: &str, replaced: &[(&str, &str)], env: &[(&'static str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&place::workspace().join("examples/guide").join(name), folder.path());
        for file in ["compose.yaml", "cutover.toml"] {
            let file = folder.path().join(file);
            let Ok(text) = std::fs::read_to_string(&file) else { continue };
            let text = replaced.iter().fold(text, |text, (from, to)| text.replace(from, to));
            std::fs::write(file, text).unwrap();
        }
        Self { folder, env: env.iter().map(|(name, value)| (*name, (*value).to_owned())).collect() }
    }

    fn compose(&self, arguments: &[&str]) -> String {
        let ran = self.try_compose(arguments);
        let ran = ran.expect("docker-compose is installed (apt-get install -y docker-compose)");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    fn try_compose(&self, arguments: &[&str]) -> std::io::Result<std::process::Output> {
        // The plugin where it is there, or else the program that Debian has.
        let plugin =
            Command::new("docker").args(["compose", "version"]).output().is_ok_and(|o| o.status.success());
        let mut command = if plugin { Command::new("docker") } else { Command::new("docker-compose") };
        let first: &[&str] = if plugin { &["compose"] } else { &[] };
        command
            .args(first)
            .args(["-f", "compose.yaml"])
            .args(arguments)
            .current_dir(self.folder.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .output()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        drop(self.try_compose(&["down", "--volumes", "--timeout", "1"]));
    }
}

/// `after/`, and what is deployed behind it.
struct Guide {
    stack: Stack,
    app: String,
}

impl Guide {
    fn start(image: &NginxImage, site: &str) -> Self {
        let id = run::random();
        let (balancer, network, app) =
            (format!("load_balancer-{id}"), format!("redis-net-{id}"), format!("app-{id}"));
        let subnet = format!("172.31.{}", u8::from_str_radix(&id[..2], 16).unwrap());
        let replaced = [
            ("\"load_balancer\"", &*format!("\"{balancer}\"")),
            ("\"redis-net\"", &*format!("\"{network}\"")),
            ("server-app", &app),
            ("172.31.250", &subnet),
            ("health  =", "soak    = \"1s\"\nhealth  ="),
        ];
        let env = [
            ("NGINX_IMAGE", image.name()),
            ("LOAD_BALANCER", &balancer),
            ("NETWORK", &network),
            ("SUBNET", &subnet),
            ("SITE", site),
            ("COMPOSE_PROJECT_NAME", &app),
        ];
        let guide = Self { stack: Stack::copy("after", &replaced, &env), app };
        guide.stack.compose(&["up", "-d"]);
        guide
    }

    /// Builds `app/` by its Dockerfile, on this machine's Node.
    async fn build(&self, node: &ProgramImage, version: &str) -> String {
        let name = format!("{}:{version}", self.app);
        let (base, says) = (format!("NODE_IMAGE={}", node.name()), format!("VERSION={version}"));
        let context = self.stack.folder.path().join("app");
        let context = context.to_str().unwrap();
        docker::run(&["build", "-q", "-t", &name, "--build-arg", &base, "--build-arg", &says, context])
            .await
            .unwrap();
        name
    }

    async fn cutover(&self, registry: &Registry, arguments: &[&str]) -> Value {
        let (_, password) = registry.auth().login().unwrap();
        let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args(arguments)
            .arg("--json")
            .current_dir(self.stack.folder.path())
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
        // Its network can only go when the app's containers are gone.
        let filter = format!("label=cutover.app={}", self.app);
        let listed = docker::run_blocking(&["ps", "-aq", "--filter", &filter]).unwrap_or_default();
        for id in listed.split_whitespace() {
            drop(docker::run_blocking(&["rm", "-fv", id]));
        }
        for reference in [format!("reference={}", self.app), format!("reference=*/{}", self.app)] {
            let listed = docker::run_blocking(&["images", "-q", "--filter", &reference]).unwrap_or_default();
            for id in listed.split_whitespace() {
                drop(docker::run_blocking(&["rmi", "-f", id]));
            }
        }
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

/// The body of the site's front page; none while nothing answers.
async fn page(site: std::net::SocketAddr) -> Option<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(site).await.ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_two_node_services_answer_as_the_guide_says_and_the_second_when_the_first_does_not_listen()
{
    let (nginx, node) =
        (NginxImage::build("/usr/sbin/nginx").await.unwrap(), ProgramImage::node().await.unwrap());
    let (site, first, second) = (port::free().unwrap(), port::free().unwrap(), port::free().unwrap());
    let project = format!("guide-{}", run::random());
    let replaced = [
        ("container_name: load_balancer", ""),
        ("\"80:80\"", &*format!("\"{site}:80\"")),
        ("\"3001:3000\"", &*format!("\"{first}:3000\"")),
        ("\"3002:3000\"", &*format!("\"{second}:3000\"")),
    ];
    let env =
        [("NGINX_IMAGE", nginx.name()), ("SERVER_IMAGE", node.name()), ("COMPOSE_PROJECT_NAME", &project)];
    let stack = Stack::copy("before", &replaced, &env);
    stack.compose(&["up", "-d"]);

    let says = async |at, words: &str| {
        let what = format!("{at} says {words:?}");
        until(&what, SOON, async || page(at).await.filter(|page| page == words)).await.unwrap();
    };
    says(site, "Hello, Server 1!").await;
    says(second, "Hello, Server 2!").await;
    // A server that does not listen is refused at once. To one that is gone nginx would try for a minute.
    std::fs::write(stack.folder.path().join("server-1/index.js"), "setInterval(() => {}, 1000);\n").unwrap();
    stack.compose(&["restart", "--timeout", "0", "server1"]);
    says(site, "Hello, Server 2!").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guides_set_up_becomes_a_cutover_deployment_that_loses_nothing() {
    let nginx = NginxImage::build("/usr/sbin/nginx").await.unwrap();
    let site = port::free().unwrap();
    let guide = Guide::start(&nginx, &site.to_string());
    let registry = Registry::start(Auth::token("acme", "guide-canary")).await.unwrap();
    let node = ProgramImage::node().await.unwrap();
    let mut images = Vec::new();
    for version in ["1", "2", "3"] {
        let image = guide.build(&node, version).await;
        registry.push(&image).await.unwrap();
        images.push(registry.name_of(&image));
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
