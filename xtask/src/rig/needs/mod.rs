//! What a machine must have for the rig, and how to get it.

mod install;
mod python_packages;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

pub use install::install;

use super::place;

/// What the rig uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Need {
    /// A `docker` command line.
    DockerClient,
    /// A Docker engine that answers.
    Engine,
    /// nginx, as the distribution has it.
    Nginx,
    /// `docker-registry`.
    Registry,
    /// `skopeo`, which judges what goes to and comes from a registry.
    Skopeo,
    /// `openssl`, which makes keys and signatures that no code of ours had a part in.
    Openssl,
    /// `docker-compose`, which judges what is read of compose files.
    Compose,
    /// `node`, for the guide's services.
    Node,
    /// `shellcheck`, which judges the example in shell.
    Shellcheck,
    /// `chromium`, which looks at pages.
    Chromium,
    /// `wrk`, for figures of throughput only.
    Wrk,
    /// Podman with its network backend, the other engine.
    Podman,
    /// `faketime`, for a clock that jumps.
    Faketime,
    /// `caddy`, for figures only.
    Caddy,
    /// `haproxy`, for figures only.
    Haproxy,
    /// The newest nginx, unpacked by [`install()`]; see [`nginx_new`].
    NginxNew,
    /// A Python with `slack_sdk`, made by [`install()`]; see [`python`].
    SlackSdk,
    /// `check-jsonschema`, put there by [`install()`]; see [`check_jsonschema`].
    CheckJsonschema,
    /// `crossplane`, put beside slack_sdk by [`install()`]: it judges what is written for nginx.
    Crossplane,
}

/// Something that the machine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// Which.
    pub need: Need,
    /// What it is, for people.
    pub what: &'static str,
    /// The command that mends it.
    pub mend: String,
    /// Whether the demo and the tests of the main road do without it.
    pub optional: bool,
}

/// Everything that the machine lacks, what is needed first.
pub fn check() -> Vec<Missing> {
    let has_client = runs("docker", &["--version"]);
    let mut missing = Vec::new();
    let mut need = |there: bool, need, what, mend: &str, optional| {
        if !there {
            missing.push(Missing { need, what, mend: mend.to_owned(), optional });
        }
    };
    need(has_client, Need::DockerClient, "docker, the command line", "apt-get install -y docker.io", false);
    let engine = has_client && runs("docker", &["version", "--format", "{{.Server.Version}}"]);
    need(
        engine,
        Need::Engine,
        "a Docker engine that answers",
        "apt-get install -y docker.io && systemctl start docker",
        false,
    );
    need(nginx().is_file(), Need::Nginx, "nginx", "apt-get install -y nginx-light", false);
    let registry = runs("docker-registry", &["--version"]);
    need(registry, Need::Registry, "docker-registry", "apt-get install -y docker-registry", false);
    let skopeo = runs("skopeo", &["--version"]);
    need(skopeo, Need::Skopeo, "skopeo", "apt-get install -y skopeo", false);
    let compose = runs("docker-compose", &["--version"]);
    need(compose, Need::Compose, "docker-compose", "apt-get install -y docker-compose", false);
    for (program, asks, what, package, need_is) in [
        ("node", "--version", "node", "nodejs", Need::Node),
        ("openssl", "version", "openssl", "openssl", Need::Openssl),
        ("shellcheck", "--version", "shellcheck", "shellcheck", Need::Shellcheck),
    ] {
        need(runs(program, &[asks]), need_is, what, &format!("apt-get install -y {package}"), false);
    }
    let chromium = runs("chromium", &["--version"]);
    need(chromium, Need::Chromium, "chromium, to look at pages", "apt-get install -y chromium", true);
    // wrk ends with a failure when it is asked for its version.
    let wrk = Command::new("wrk").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    need(wrk, Need::Wrk, "wrk, for figures of throughput", "apt-get install -y wrk", true);
    let podman = runs("podman", &["--version"]) && Path::new("/usr/lib/podman/netavark").is_file();
    let mend = "apt-get install -y podman netavark aardvark-dns";
    need(podman, Need::Podman, "podman with netavark", mend, true);
    need(faketime().is_some(), Need::Faketime, "faketime", "apt-get install -y faketime", true);
    for (program, asks, what, need_is) in [
        ("caddy", "version", "caddy, for figures", Need::Caddy),
        ("haproxy", "-v", "haproxy, for figures", Need::Haproxy),
    ] {
        need(runs(program, &[asks]), need_is, what, &format!("apt-get install -y {program}"), true);
    }
    need(nginx_new().is_some(), Need::NginxNew, "the newest nginx", "cargo xtask test --install", true);
    need(python().is_some(), Need::SlackSdk, "a Python with slack_sdk", "cargo xtask test --install", true);
    let schemas = check_jsonschema().is_some();
    need(schemas, Need::CheckJsonschema, "check-jsonschema", "cargo xtask test --install", true);
    need(crossplane(), Need::Crossplane, "crossplane", "cargo xtask test --install", true);
    missing
}

/// Where the distribution's nginx is: `/usr/sbin/nginx`; or another that the tests are to run on, by
/// `CUTOVER_TEST_NGINX`.
pub fn nginx() -> &'static Path {
    static NGINX: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::var_os("CUTOVER_TEST_NGINX").map_or_else(|| "/usr/sbin/nginx".into(), PathBuf::from)
    });
    &NGINX
}

/// The library by which a program sees another time, where Debian's `faketime` has it.
pub fn faketime() -> Option<PathBuf> {
    let library = format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    Some(PathBuf::from(library)).filter(|library| library.is_file())
}

/// The newest nginx, a static binary, where [`install()`] has unpacked it.
pub fn nginx_new() -> Option<PathBuf> {
    Some(place::kept().join("nginx-new/nginx")).filter(|binary| binary.is_file())
}

/// The Python with `slack_sdk`, where [`install()`] has made its environment.
pub fn python() -> Option<PathBuf> {
    let python = place::kept().join("venv/bin/python");
    imports(&python, "slack_sdk").then_some(python)
}

fn crossplane() -> bool {
    imports(&place::kept().join("venv/bin/python"), "crossplane")
}

fn imports(python: &Path, package: &str) -> bool {
    let tried =
        Command::new(python).arg("-c").arg(format!("import {package}")).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// `check-jsonschema`, where [`install()`] has put it. Its Python, beside it, has `ruamel.yaml`.
pub fn check_jsonschema() -> Option<PathBuf> {
    Some(place::kept().join("venv/bin/check-jsonschema")).filter(|program| program.is_file())
}

/// `docker-rollout`, where the user has put it: on the path, or among the plugins of `docker`. Nothing installs it.
pub fn docker_rollout() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
    let plugins = home.into_iter().chain([PathBuf::from("/usr/local/lib/docker")]);
    let plugins = plugins.map(|folder| folder.join("cli-plugins/docker-rollout"));
    place::program("docker-rollout").or_else(|| plugins.into_iter().find(|program| program.is_file()))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let status =
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
