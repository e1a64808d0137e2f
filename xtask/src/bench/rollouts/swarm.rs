//! Docker Swarm: a service that starts the new task before it stops the old one.
//!
//! Its tasks are reached by their own addresses (`--endpoint-mode dnsrr`): the address of a service and its published
//! ports would need IPVS, which a kernel has to have.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::GRACE;
use super::discovery::Discovery;
use crate::rig::error::{Result, unexpected};
use crate::rig::registry::Registry;
use crate::rig::{docker, port, run};

/// The network that every member of a swarm has, and that outlives the swarm.
const GATEWAY: &str = "docker_gwbridge";

/// A service in a swarm of one node. On drop it is removed, and the engine leaves the swarm.
pub(super) struct Swarm {
    service: String,
    credentials: PathBuf,
    // Dropped in this order: HAProxy is on the swarm's network.
    discovery: Discovery,
    _member: Member,
}

impl Swarm {
    /// Makes the engine a swarm of its own, and runs the service for the first time.
    pub(super) async fn start(registry: &Registry, image: &str) -> Result<Self> {
        let member = Member::join().await?;
        let service = format!("cutover-test-{}", run::random());
        let discovery = Discovery::start(&service).await?;
        let swarm = Self { service, credentials: registry.docker_config(), discovery, _member: member };
        swarm.create(image).await?;
        Ok(swarm)
    }

    async fn create(&self, image: &str) -> Result<()> {
        let [test, ours] = run::labels();
        let network = format!("{}-net", self.service);
        let overlay = ["network", "create", "-d", "overlay", "--attachable", "--label"];
        docker::run(&[&overlay[..], &[&test, "--label", &ours, &network]].concat()).await?;
        self.discovery.connect(&network).await?;
        let labels =
            ["--label", &test, "--label", &ours, "--container-label", &test, "--container-label", &ours];
        let service =
            [&["service", "create", "-q", "--with-registry-auth", "--name", &self.service], &labels[..]];
        let reached = ["--network", &network, "--endpoint-mode", "dnsrr"];
        let health = ["--health-cmd", "/service probe", "--health-interval", "1s", "--health-timeout", "5s"];
        let update =
            ["--update-order", "start-first", "--update-monitor", "1s", "--stop-grace-period", GRACE];
        let rest = [&reached[..], &health, &["--health-retries", "1"], &update, &[image]].concat();
        self.docker(&[&service.concat(), &rest[..]].concat()).await
    }

    /// Where it answers.
    pub(super) fn site(&self) -> SocketAddr {
        self.discovery.site()
    }

    /// `docker service update`, to the end of what it waits for.
    pub(super) async fn roll_out(&self, image: &str) -> Result<()> {
        self.docker(&["service", "update", "-q", "--with-registry-auth", "--image", image, &self.service])
            .await
    }

    async fn docker(&self, arguments: &[&str]) -> Result<()> {
        docker::run_with(&self.credentials, arguments).await.map(drop)
    }
}

impl Drop for Swarm {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["service", "rm", &self.service]));
    }
}

/// The engine's membership in a swarm that was made here. It ends on drop, and what came with it goes.
struct Member {
    /// Whether [`GATEWAY`] was there before.
    gateway: bool,
}

impl Member {
    async fn join() -> Result<Self> {
        let state = docker::run(&["info", "--format", "{{.Swarm.LocalNodeState}}"]).await?;
        if state != "inactive" {
            return Err(unexpected(
                "the engine",
                format!("it is of a swarm already, which is not ours ({state})"),
            ));
        }
        let gateway = docker::run(&["network", "inspect", GATEWAY]).await.is_ok();
        let listen = port::free()?.to_string();
        docker::run(&["swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", &listen]).await?;
        Ok(Self { gateway })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["swarm", "leave", "--force"]));
        if !self.gateway {
            drop(docker::run_blocking(&["network", "rm", GATEWAY]));
        }
    }
}
