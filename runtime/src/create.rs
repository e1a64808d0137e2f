//! From a container as wanted to what the engine's API takes.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HealthConfig, HostConfig, HostConfigLogConfig,
    ResourcesUlimits,
};
use bollard::models::{
    Mount as ApiMount, MountType, NetworkingConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum,
};
use secrecy::ExposeSecret;

use crate::error::{Error, Result};
use crate::{Attachment, ContainerSpec, Healthcheck, Mount, Published, Restart, Ulimit};

/// The body of a request to create `spec`, with its first network only: older engines take no more.
pub(crate) fn body(spec: &ContainerSpec) -> Result<ContainerCreateBody> {
    validate(spec)?;
    let env = spec.env.iter().map(|(name, value)| format!("{name}={}", value.expose_secret()));
    let exposed: BTreeSet<String> =
        spec.publish.iter().map(|port| format!("{}/tcp", port.container_port)).collect();
    let first = spec.networks.first();
    let networking = first.map(|first| NetworkingConfig {
        endpoints_config: Some(HashMap::from([(first.network.clone(), endpoint(first))])),
    });
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: spec.command.clone(),
        entrypoint: spec.entrypoint.clone(),
        env: some(env.collect()),
        labels: Some(spec.labels.clone().into_iter().collect()),
        user: spec.user.clone(),
        working_dir: spec.working_dir.clone(),
        hostname: spec.hostname.clone(),
        exposed_ports: some(exposed.into_iter().collect()),
        stop_signal: spec.stop_signal.clone(),
        stop_timeout: Some(whole_seconds(spec.stop_grace).into()),
        healthcheck: spec.healthcheck.as_ref().map(healthcheck),
        networking_config: networking,
        host_config: Some(host(spec)),
        ..ContainerCreateBody::default()
    })
}

fn host(spec: &ContainerSpec) -> HostConfig {
    HostConfig {
        memory: spec.memory.and_then(|bytes| i64::try_from(bytes).ok()),
        nano_cpus: spec.cpus.map(nano_cpus),
        pids_limit: spec.pids,
        network_mode: spec.networks.first().map(|first| first.network.clone()),
        port_bindings: bindings(&spec.publish),
        restart_policy: Some(restart(spec.restart)),
        log_config: Some(HostConfigLogConfig {
            typ: Some(spec.log.driver.clone()),
            config: Some(spec.log.options.clone().into_iter().collect()),
        }),
        mounts: some(spec.volumes.iter().map(mount).collect()),
        tmpfs: Some(spec.tmpfs.iter().map(|path| (path.clone(), String::new())).collect::<HashMap<_, _>>())
            .filter(|tmpfs| !tmpfs.is_empty()),
        security_opt: spec.no_new_privileges.then(|| vec!["no-new-privileges".to_owned()]),
        readonly_rootfs: Some(spec.read_only_root),
        init: spec.init.then_some(true),
        extra_hosts: some(spec.extra_hosts.clone()),
        cap_add: some(spec.cap_add.clone()),
        cap_drop: some(spec.cap_drop.clone()),
        shm_size: spec.shm_size.and_then(|bytes| i64::try_from(bytes).ok()),
        ulimits: some(spec.ulimits.iter().map(ulimit).collect()),
        sysctls: Some(spec.sysctls.clone().into_iter().collect::<HashMap<_, _>>())
            .filter(|sysctls| !sysctls.is_empty()),
        ..HostConfig::default()
    }
}

fn healthcheck(wanted: &Healthcheck) -> HealthConfig {
    let wanted = match wanted {
        Healthcheck::Off => {
            return HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() };
        }
        Healthcheck::Run(wanted) => wanted,
    };
    let nanoseconds = |time: Option<Duration>| time.and_then(|time| i64::try_from(time.as_nanos()).ok());
    HealthConfig {
        test: Some(wanted.test.clone()),
        interval: nanoseconds(wanted.interval),
        timeout: nanoseconds(wanted.timeout),
        retries: wanted.retries.map(i64::from),
        start_period: nanoseconds(wanted.start_period),
        ..HealthConfig::default()
    }
}

fn ulimit(wanted: &Ulimit) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(wanted.name.clone()), soft: Some(wanted.soft), hard: Some(wanted.hard) }
}

/// The settings of a container's place on a network.
pub(crate) fn endpoint(place: &Attachment) -> EndpointSettings {
    EndpointSettings {
        ipam_config: place.address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        aliases: some(place.aliases.clone()),
        mac_address: place.address.map(mac),
        ..EndpointSettings::default()
    }
}

/// The hardware address of a fixed address: what Docker Engine gave it up to version 27. With a random one, as Podman has
/// it, the host would for a while go on sending to the container that had the address before.
fn mac(address: Ipv4Addr) -> String {
    let [a, b, c, d] = address.octets();
    format!("02:42:{a:02x}:{b:02x}:{c:02x}:{d:02x}")
}

/// Whole seconds, rounded up: the engine takes no parts of them, and a grace must not come out shorter.
pub(crate) fn whole_seconds(time: Duration) -> i32 {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "validated to be positive and at most 4096 processors")]
fn nano_cpus(cpus: f64) -> i64 {
    (cpus * 1e9).round() as i64
}

fn bindings(publish: &[Published]) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let mut ports: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in publish {
        let binding = PortBinding {
            host_ip: Some(port.host.ip().to_string()),
            host_port: Some(port.host.port().to_string()).filter(|port| port != "0"),
        };
        let bound = ports.entry(format!("{}/tcp", port.container_port)).or_default();
        bound.get_or_insert_default().push(binding);
    }
    Some(ports).filter(|ports| !ports.is_empty())
}

fn mount(mount: &Mount) -> ApiMount {
    let bind = mount.source.starts_with('/');
    ApiMount {
        source: Some(mount.source.clone()),
        target: Some(mount.target.clone()),
        typ: Some(if bind { MountType::BIND } else { MountType::VOLUME }),
        read_only: Some(mount.read_only),
        ..ApiMount::default()
    }
}

fn restart(restart: Restart) -> RestartPolicy {
    let (name, most) = match restart {
        Restart::No => (RestartPolicyNameEnum::NO, None),
        Restart::OnFailure(most) => (RestartPolicyNameEnum::ON_FAILURE, most.map(i64::from)),
        Restart::UnlessStopped => (RestartPolicyNameEnum::UNLESS_STOPPED, None),
        Restart::Always => (RestartPolicyNameEnum::ALWAYS, None),
    };
    RestartPolicy { name: Some(name), maximum_retry_count: most }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    Some(list).filter(|list| !list.is_empty())
}

/// Refuses what the engine would misread, or would answer with a message that repeats a secret.
fn validate(spec: &ContainerSpec) -> Result<()> {
    let invalid = |why: String| Err(Error::InvalidSpec { container: spec.name.clone(), why });
    for (name, value) in &spec.env {
        if name.is_empty() || name.contains(['=', '\0']) {
            return invalid(format!("`{}` is not the name of a variable", name.escape_debug()));
        }
        if value.expose_secret().contains('\0') {
            return invalid(format!("the value of the variable {name} holds a NUL"));
        }
    }
    for mount in &spec.volumes {
        if !mount.target.starts_with('/') {
            return invalid(format!("the target `{}` of a volume is not an absolute path", mount.target));
        }
        if mount.source.is_empty() || (!mount.source.starts_with('/') && mount.source.contains('/')) {
            return invalid(format!(
                "the source `{}` is neither an absolute path nor a volume's name",
                mount.source
            ));
        }
    }
    if let Some(cpus) = spec.cpus.filter(|cpus| !(*cpus >= 0.01 && *cpus <= 4096.0)) {
        return invalid(format!("{cpus} processors cannot be had: at least 0.01"));
    }
    // The engine's own smallest is 6 MB; below, its error names no container.
    if let Some(memory) = spec.memory.filter(|&memory| memory < 6 << 20) {
        return invalid(format!("{memory} bytes of memory are too few: at least 6 MB"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
