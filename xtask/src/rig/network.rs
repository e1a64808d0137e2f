//! A bridge network of the test's own.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::deadline::until;
use super::docker;
use super::error::{Result, unexpected};
use super::run;

/// How long the engine may take to list its networks without one going meanwhile.
const PATIENCE: Duration = Duration::from_secs(60);

/// A network with a random name. On drop it is removed, with the labelled containers that still are on it.
#[derive(Debug)]
pub struct Network {
    name: String,
}

impl Network {
    /// Makes a network whose subnet the engine picks.
    ///
    /// # Errors
    ///
    /// When the engine does not make it.
    pub async fn create() -> Result<Self> {
        Self::with(&[]).await
    }

    /// Makes a network with a /24 of its own, so that containers can have fixed addresses on it.
    ///
    /// # Errors
    ///
    /// When the engine does not make it, as when the subnet overlaps with another.
    pub async fn with_subnet(first: Ipv4Addr) -> Result<Self> {
        Self::with(&["--subnet", &format!("{first}/24")]).await
    }

    async fn with(options: &[&str]) -> Result<Self> {
        let name = format!("cutover-test-{}", run::random());
        let [test, ours] = run::labels();
        let arguments =
            [&["network", "create", "--label", &test, "--label", &ours], options, &[&name]].concat();
        docker::run(&arguments).await?;
        Ok(Self { name })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let (on_it, ours) = (format!("network={}", self.name), format!("label={}", run::run_label()));
        let listed = docker::run_blocking(&["ps", "-aq", "--filter", &on_it, "--filter", &ours]);
        let listed = listed.unwrap_or_default();
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            drop(docker::run_blocking(&[&["rm", "-fv"][..], &ids].concat()));
        }
        // Whatever still is on it is not ours; `sweep` tells.
        drop(docker::run_blocking(&["network", "rm", &self.name]));
    }
}

/// The name of a network that the tested program makes. On drop it is removed; whoever was on it has to be gone by then.
#[derive(Debug)]
pub struct Made(pub String);

impl Drop for Made {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["network", "rm", &self.0]));
    }
}

/// A subnet that no network of the engine has, from a range that cutover itself does not take. It is picked at random:
/// other tests pick one at the same time, each before its network is made.
pub(crate) async fn free_subnet() -> Result<String> {
    // A network of another test may go between the two commands.
    let used = until("the networks are listed", PATIENCE, async || {
        let ids = docker::run(&["network", "ls", "-q"]).await.ok()?;
        let mut arguments =
            vec!["network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}"];
        arguments.extend(ids.split_whitespace());
        docker::run(&arguments).await.ok()
    })
    .await?;
    let picks = (0..100).map(|_| {
        let number = u32::from_str_radix(&run::random(), 16).unwrap_or_default();
        format!("10.{}.{}.0/24", 235 + number % 16, number / 16 % 256)
    });
    let free = picks.into_iter().find(|subnet| !used.contains(subnet.as_str()));
    free.ok_or_else(|| unexpected("docker network ls", used))
}
