//! The subnet of a stage's network.

use crate::rig::error::{Result, unexpected};
use crate::rig::{docker, run};

/// A subnet that no network of the engine has, from a range that cutover itself does not take. It is picked at random:
/// other tests pick one at the same time, each before its network is made.
pub(super) async fn free_subnet() -> Result<String> {
    let ids = docker::run(&["network", "ls", "-q"]).await?;
    let mut arguments = vec!["network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}} {{end}}"];
    arguments.extend(ids.split_whitespace());
    let used = docker::run(&arguments).await?;
    let picks = (0..100).map(|_| {
        let number = u32::from_str_radix(&run::random(), 16).unwrap_or_default();
        format!("10.{}.{}.0/24", 235 + number % 16, number / 16 % 256)
    });
    let free = picks.into_iter().find(|subnet| !used.contains(subnet.as_str()));
    free.ok_or_else(|| unexpected("docker network ls", used))
}
