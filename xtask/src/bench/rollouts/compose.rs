//! docker-rollout: Compose runs a second container of the service, and the script removes the first.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::discovery::Discovery;
use super::{DRAIN, GRACE};
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::registry::Registry;
use crate::rig::{process, run};

/// The service's name in the Compose file, and in Docker's DNS.
const SERVICE: &str = "web";

/// The option by which requests in flight are waited for, which came with 0.12.
const HOOK: &str = "--pre-stop-hook";

/// The user's `docker-rollout`.
pub(super) struct Script {
    program: PathBuf,
    /// Its version, in its own words without the `v`.
    pub(super) version: String,
    /// Whether it has [`HOOK`].
    pub(super) drains: bool,
}

impl Script {
    /// Asks it what it is.
    pub(super) async fn ask(program: PathBuf) -> Result<Self> {
        let asked = |arguments: &[&str]| {
            let mut command = Command::new(&program);
            command.args(arguments);
            process::run(command)
        };
        let metadata = asked(&["docker-cli-plugin-metadata"]).await?;
        let version = version_of(&metadata).ok_or_else(|| unexpected(program.display(), &metadata))?;
        let drains = asked(&["rollout", "--help"]).await?.contains(HOOK);
        Ok(Self { program, version, drains })
    }
}

/// The version in what a plugin of `docker` tells of itself.
fn version_of(metadata: &str) -> Option<String> {
    let told: Value = serde_json::from_str(metadata).ok()?;
    Some(told["Version"].as_str()?.trim_start_matches('v').to_owned())
}

/// The version of the Compose that the script takes: the plugin, where there is one.
pub(super) async fn version() -> Result<String> {
    let mut plugin = Command::new("docker");
    plugin.args(["compose", "version", "--short"]);
    if let Ok(version) = process::run(plugin).await {
        return Ok(format!("Compose {version}"));
    }
    let mut alone = Command::new("docker-compose");
    alone.args(["version", "--short"]);
    Ok(format!("docker-compose {}", process::run(alone).await?))
}

/// A Compose project of one service behind a [`Discovery`], whose network takes the containers along on drop.
pub(super) struct Project {
    name: String,
    script: Script,
    credentials: PathBuf,
    discovery: Discovery,
    place: TempDir,
}

impl Project {
    /// Runs the service for the first time.
    pub(super) async fn start(script: Script, registry: &Registry, image: &str) -> Result<Self> {
        let project = Self {
            name: format!("cutover-test-{}", run::random()),
            script,
            credentials: registry.docker_config(),
            discovery: Discovery::start(SERVICE).await?,
            place: TempDir::new().doing("make a temporary directory")?,
        };
        let file = project.file();
        let text = compose_file(project.discovery.network());
        std::fs::write(&file, text).doing(format!("write {}", file.display()))?;
        project.roll_out(image).await?;
        Ok(project)
    }

    /// Where it answers.
    pub(super) fn site(&self) -> SocketAddr {
        self.discovery.site()
    }

    /// `docker compose pull` and `docker rollout`.
    pub(super) async fn roll_out(&self, image: &str) -> Result<()> {
        let mut pull = self.command(Path::new("docker-compose"), image);
        pull.arg("-f").arg(self.file()).args(["pull", "-q", SERVICE]);
        process::run(pull).await?;
        let mut rollout = self.command(&self.script.program, image);
        rollout.args(["rollout", "-f"]).arg(self.file()).args(["--wait-after-healthy", "1"]);
        if self.script.drains {
            rollout.args([HOOK, &format!(": > {DRAIN} && sleep 1")]);
        }
        rollout.arg(SERVICE);
        process::run(rollout).await.map(drop)
    }

    fn file(&self) -> PathBuf {
        self.place.path().join("compose.yaml")
    }

    fn command(&self, program: &Path, image: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.place.path()).env("COMPOSE_PROJECT_NAME", &self.name);
        command.env("DOCKER_CONFIG", &self.credentials).env("IMAGE", image);
        command
    }
}

fn compose_file(network: &str) -> String {
    let [test, ours] = run::labels();
    format!(
        "services:\n  {SERVICE}:\n    image: ${{IMAGE}}\n    stop_grace_period: {GRACE}\n    labels: [{test:?}, \
         {ours:?}]\n    networks: [site]\n    healthcheck:\n      test: [CMD, /service, probe]\n      interval: \
         1s\n      timeout: 5s\n      retries: 1\nnetworks:\n  site:\n    external: true\n    name: {network}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_tells_its_version() {
        let metadata = r#"{ "SchemaVersion": "0.1.0", "Vendor": "a vendor", "Version": "v0.13" }"#;
        assert_eq!(version_of(metadata).as_deref(), Some("0.13"));
        assert_eq!(version_of("{}"), None);
        assert_eq!(version_of("docker: no such command"), None);
    }

    #[test]
    fn a_projects_containers_carry_the_labels_by_which_they_are_swept() {
        let file = compose_file("a-network");
        for label in run::labels() {
            assert!(file.contains(&format!("{label:?}")), "{file}");
        }
    }
}
