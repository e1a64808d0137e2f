//! A bridge network of the test's own.

use std::net::Ipv4Addr;

use super::docker;
use super::error::Result;
use super::run;

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
