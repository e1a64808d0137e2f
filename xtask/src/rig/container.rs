//! A container that a test runs itself.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::deadline::until;
use super::docker;
use super::error::{Result, unexpected};
use super::run;

/// A running container with a random name, removed by force on drop.
#[derive(Debug)]
pub struct Container {
    name: String,
}

impl Container {
    /// Runs `image` detached. `options` stand before the image (`--network`, `-e`, …), `command` after it.
    ///
    /// # Errors
    ///
    /// When the engine does not create or start it.
    pub async fn run(image: &str, options: &[&str], command: &[&str]) -> Result<Self> {
        let name = format!("cutover-test-{}", run::random());
        let [test, ours] = run::labels();
        let first = ["run", "-d", "--name", &name, "--label", &test, "--label", &ours];
        // Owned before it exists: a container that was created but not started must go too.
        let container = Self { name: name.clone() };
        docker::run(&[&first, options, &[image], command].concat()).await?;
        Ok(container)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address on the first network it is on.
    ///
    /// # Errors
    ///
    /// When it has none, as when it has ended.
    pub async fn address(&self) -> Result<IpAddr> {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
        let text = self.inspect(format).await?;
        let first = text.split_whitespace().next().unwrap_or_default();
        first.parse().map_err(|_| unexpected(&self.name, "has no address"))
    }

    /// Where it listens when it listens on `port`.
    ///
    /// # Errors
    ///
    /// As [`Container::address`].
    pub async fn at(&self, port: u16) -> Result<SocketAddr> {
        Ok(SocketAddr::new(self.address().await?, port))
    }

    /// What it wrote to stdout. Lines of stderr are not in it.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn logs(&self) -> Result<String> {
        docker::run(&["logs", &self.name]).await
    }

    /// Waits until it has ended; its exit code.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub async fn exit_code(&self, within: Duration) -> Result<i64> {
        until(&format!("container {} ends", self.name), within, async || {
            let state = self.inspect("{{.State.Status}} {{.State.ExitCode}}").await.ok()?;
            state.strip_prefix("exited ")?.parse().ok()
        })
        .await
    }

    /// Asks it to stop: SIGTERM, then SIGKILL after `grace` seconds. Returns once it has.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn stop(&self, grace: u32) -> Result<()> {
        docker::run(&["stop", "-t", &grace.to_string(), &self.name]).await.map(drop)
    }

    /// `docker inspect` with a Go template.
    ///
    /// # Errors
    ///
    /// When the engine does not answer, or the template is wrong.
    pub async fn inspect(&self, format: &str) -> Result<String> {
        docker::run(&["inspect", "--type", "container", "--format", format, &self.name]).await
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rm", "-fv", &self.name]));
    }
}
