//! A container as the engine has it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use bollard::models::{
    ContainerInspectResponse, ContainerState, ContainerStateStatusEnum as Status, ContainerSummary,
};
use bollard::models::{EndpointSettings, Health, HealthStatusEnum, HostConfig, PortMap};
use bollard::models::{RestartPolicy, RestartPolicyNameEnum};
use futures_util::future::try_join_all;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::error::{self, Result};
use crate::{Engine, Published, Restart};

/// A container as the engine has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Container {
    /// The engine's own name for it.
    pub id: String,
    /// Its name, without the slash that the engine puts before it.
    pub name: String,
    /// The image it was made from, as it was asked for.
    pub image: String,
    /// The id of that image.
    pub image_id: String,
    /// Its labels, the image's among them.
    pub labels: BTreeMap<String, String>,
    /// What it is doing.
    pub state: State,
    /// Its first process, as the engine's host numbers it.
    pub pid: Option<i32>,
    /// When it last started, as RFC 3339 has it.
    pub started_at: Option<String>,
    /// When the engine starts it again by itself.
    pub restart: Restart,
    /// How often the engine has.
    pub restarts: u64,
    /// The networks it is on, by name.
    pub networks: Vec<Attached>,
    /// The status it last ended with; 0 when it has not ended yet.
    pub exit_code: i64,
    /// Whether it was ever ended for want of memory since it was made.
    pub oom: bool,
    /// The TCP ports of the engine's host that lead to it.
    pub published: Vec<Published>,
    /// What is mounted into it, by target.
    pub mounts: Vec<MountPoint>,
    /// What the image's own HEALTHCHECK says, where it has one and the container has been started.
    pub health: Option<ImageHealth>,
    /// Whether it has a HEALTHCHECK.
    pub has_healthcheck: bool,
    env: BTreeMap<String, SecretString>,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Made, and never started.
    Created,
    /// Running.
    Running,
    /// Frozen.
    Paused,
    /// It ended, and the engine is about to start it again.
    Restarting,
    /// It ended.
    Exited {
        /// The status of its first process; 128 and the signal where one ended it.
        code: i64,
        /// Whether it was ended for want of memory.
        oom: bool,
    },
    /// The engine is removing it, or failed to.
    Dead,
}

impl State {
    /// True while its processes are there.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// A container's place on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attached {
    /// The network's name.
    pub network: String,
    /// The container's address, while it runs.
    pub address: Option<IpAddr>,
    /// The host's address, while the container runs.
    pub gateway: Option<IpAddr>,
    /// The address that was asked for, whether it runs or not.
    pub configured_address: Option<Ipv4Addr>,
    /// The names that were asked for.
    pub aliases: Vec<String>,
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MountPoint {
    /// The path on the engine's host, or the volume's name.
    pub source: String,
    /// Where it is in the container.
    pub target: String,
    /// Whether the container can only read it.
    pub read_only: bool,
}

/// What the image's own HEALTHCHECK says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageHealth {
    /// The verdict.
    pub status: HealthStatus,
    /// How many times it has failed in a row.
    pub failing_streak: u64,
    /// What it last printed.
    pub output: Option<String>,
}

/// The verdict of an image's HEALTHCHECK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthStatus {
    /// None yet.
    Starting,
    /// It passed.
    Healthy,
    /// It failed as often as the image allows.
    Unhealthy,
}

impl Container {
    /// The value of a variable of its environment, the image's among them.
    pub fn env(&self, name: &str) -> Option<&SecretString> {
        self.env.get(name)
    }
}

impl Engine {
    /// The containers that have all of the labels, whatever their state, by name. A label with an empty value asks
    /// only for its key.
    ///
    /// One that vanishes while it is looked at is left out.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_containers(&self, labels: &[(&str, &str)]) -> Result<Vec<Container>> {
        let listed = self.list(labels).await?;
        let ids: Vec<String> = listed.into_iter().filter_map(|summary| summary.id).collect();
        let found = try_join_all(ids.iter().map(|id| self.observe_container(id))).await?;
        let mut found: Vec<Container> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// The labels of the containers that have all of these, in the order of [`observe_containers`](Self::observe_containers):
    /// one question to the engine, however many there are.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_labels(&self, labels: &[(&str, &str)]) -> Result<Vec<BTreeMap<String, String>>> {
        let mut listed = self.list(labels).await?;
        listed.sort_by(|a, b| a.names.cmp(&b.names));
        Ok(listed
            .into_iter()
            .map(|summary| summary.labels.unwrap_or_default().into_iter().collect())
            .collect())
    }

    async fn list(&self, labels: &[(&str, &str)]) -> Result<Vec<ContainerSummary>> {
        let wanted = |&(key, value): &(&str, &str)| match value {
            "" => key.to_owned(),
            _ => format!("{key}={value}"),
        };
        let listed = self.listed(labels.iter().map(wanted).collect()).await;
        listed.map_err(|e| error::engine("list its containers", e))
    }

    /// The container of that name or id, if there is one.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_container(&self, name_or_id: &str) -> Result<Option<Container>> {
        match self.inspected(name_or_id).await {
            Ok(inspected) => Ok(Some(inspected.into())),
            Err(e) if error::is_absent(&e) => Ok(None),
            Err(e) => Err(error::container("inspect", name_or_id, e)),
        }
    }
}

impl From<ContainerInspectResponse> for Container {
    fn from(seen: ContainerInspectResponse) -> Self {
        let config = seen.config.unwrap_or_default();
        let host = seen.host_config.unwrap_or_default();
        let state = seen.state.unwrap_or_default();
        let settings = seen.network_settings.unwrap_or_default();
        let mounts = seen.mounts.unwrap_or_default().into_iter().map(|mount| MountPoint {
            source: mount.name.or(mount.source).unwrap_or_default(),
            target: mount.destination.unwrap_or_default(),
            read_only: mount.rw == Some(false),
        });
        let networks = settings.networks.unwrap_or_default().into_iter().map(|(name, at)| attached(name, at));
        let test = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
        let mut container = Self {
            id: seen.id.unwrap_or_default(),
            name: seen.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            image: config.image.unwrap_or_default(),
            image_id: seen.image.unwrap_or_default(),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
            pid: state.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|&pid| pid > 0),
            started_at: state.started_at.clone().filter(|at| !at.is_empty() && !at.starts_with("0001-")),
            restart: restart(host.restart_policy.as_ref()),
            restarts: seen.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
            networks: networks.collect(),
            exit_code: state.exit_code.unwrap_or_default(),
            oom: state.oom_killed.unwrap_or_default(),
            published: published(settings.ports, &host),
            mounts: mounts.collect(),
            health: state.health.as_ref().and_then(health),
            has_healthcheck: crate::image::is_healthcheck(&test),
            state: self::state(&state),
            env: config
                .env
                .unwrap_or_default()
                .into_iter()
                .map(|pair| variable(&Zeroizing::new(pair)))
                .collect(),
        };
        container.networks.sort_by(|a, b| a.network.cmp(&b.network));
        container.mounts.sort_by(|a, b| a.target.cmp(&b.target));
        container
    }
}

fn state(seen: &ContainerState) -> State {
    match seen.status {
        Some(Status::RUNNING | Status::STOPPING) => State::Running,
        Some(Status::PAUSED) => State::Paused,
        Some(Status::RESTARTING) => State::Restarting,
        Some(Status::EXITED) => State::Exited {
            code: seen.exit_code.unwrap_or_default(),
            oom: seen.oom_killed.unwrap_or_default(),
        },
        Some(Status::DEAD | Status::REMOVING) => State::Dead,
        Some(Status::CREATED | Status::EMPTY) | None => State::Created,
    }
}

fn health(seen: &Health) -> Option<ImageHealth> {
    let status = match seen.status? {
        HealthStatusEnum::STARTING => HealthStatus::Starting,
        HealthStatusEnum::HEALTHY => HealthStatus::Healthy,
        HealthStatusEnum::UNHEALTHY => HealthStatus::Unhealthy,
        HealthStatusEnum::EMPTY | HealthStatusEnum::NONE => return None,
    };
    let last = seen.log.as_ref().and_then(|log| log.last()).and_then(|result| result.output.as_deref());
    Some(ImageHealth {
        status,
        failing_streak: seen.failing_streak.and_then(|streak| u64::try_from(streak).ok()).unwrap_or_default(),
        output: last.map(|output| output.trim().to_owned()).filter(|output| !output.is_empty()),
    })
}

fn attached(network: String, at: EndpointSettings) -> Attached {
    let address = |text: Option<String>| text.and_then(|text| text.parse().ok());
    let configured = at.ipam_config.and_then(|config| config.ipv4_address);
    Attached {
        network,
        address: address(at.ip_address).or_else(|| address(at.global_ipv6_address)),
        gateway: address(at.gateway).or_else(|| address(at.ipv6_gateway)),
        configured_address: configured.and_then(|text| text.parse().ok()),
        aliases: at.aliases.unwrap_or_default(),
    }
}

/// What the engine bound while the container runs, what it will bind otherwise.
fn published(bound: Option<PortMap>, host: &HostConfig) -> Vec<Published> {
    let ports = bound.filter(|ports| ports.values().flatten().next().is_some());
    let ports = ports.or_else(|| host.port_bindings.clone()).unwrap_or_default();
    let mut published = Vec::new();
    for (port, bindings) in ports {
        let Some(container_port) = port.strip_suffix("/tcp").and_then(|port| port.parse().ok()) else {
            continue;
        };
        for binding in bindings.into_iter().flatten() {
            let ip: Option<IpAddr> = binding.host_ip.and_then(|ip| ip.parse().ok());
            let port = binding.host_port.and_then(|port| port.parse().ok()).unwrap_or_default();
            let ip = ip.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
            published.push(Published { host: (ip, port).into(), container_port });
        }
    }
    published.sort_unstable();
    published
}

fn restart(policy: Option<&RestartPolicy>) -> Restart {
    let most =
        policy.and_then(|policy| policy.maximum_retry_count).and_then(|count| u32::try_from(count).ok());
    match policy.and_then(|policy| policy.name) {
        Some(RestartPolicyNameEnum::ALWAYS) => Restart::Always,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => Restart::UnlessStopped,
        Some(RestartPolicyNameEnum::ON_FAILURE) => Restart::OnFailure(most.filter(|&most| most > 0)),
        Some(RestartPolicyNameEnum::NO | RestartPolicyNameEnum::EMPTY) | None => Restart::No,
    }
}

fn variable(pair: &str) -> (String, SecretString) {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    (name.to_owned(), SecretString::from(value))
}
