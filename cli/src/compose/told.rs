//! The keys of a service that are not taken, and why: told, or refused where the app would be another without them.

use super::reader::{Read, Reader};
use super::yaml::{Key, Node};
use crate::config::near;

/// The keys that are taken, wholly or in part.
const TAKEN: &[&str] = &[
    "image",
    "environment",
    "env_file",
    "volumes",
    "networks",
    "mem_limit",
    "cpus",
    "pids_limit",
    "deploy",
    "healthcheck",
    "command",
    "entrypoint",
    "user",
    "working_dir",
    "labels",
    "logging",
    "stop_grace_period",
    "stop_signal",
    "restart",
    "read_only",
    "expose",
    "init",
    "cap_add",
    "cap_drop",
    "extra_hosts",
    "tmpfs",
    "shm_size",
    "ulimits",
    "sysctls",
    "hostname",
];

/// Keys that a release does without, with the reason and what is done instead.
const TOLD: &[(&str, &str, &str)] = &[
    ("ports", "nginx reaches the slots by themselves", "write `site` in cutover.toml: what nginx listens on"),
    ("container_name", "two slots cannot have one name", "others reach the app by `networks` and aliases"),
    ("depends_on", "cutover starts the app alone", "`docker compose up -d` starts what it depends on"),
    ("build", "images are built by `cutover build`", "write [apps.NAME.build] in cutover.toml"),
    ("profiles", "the app is named in cutover.toml", "leave them to Compose"),
    ("scale", "a slot has the replicas that cutover.toml says", "write `replicas = N` there"),
    ("links", "containers find each other on their networks", "write `networks`"),
    ("external_links", "containers find each other on their networks", "write `networks`"),
    ("pull_policy", "a release is pulled by its digest", "leave it to Compose"),
    ("platform", "the engine takes the image for its own platform", "build the image for the engine's"),
    ("develop", "it is for development", "leave it to Compose"),
    ("attach", "it is for `docker compose up`", "leave it to Compose"),
    ("stdin_open", "a service has no terminal", "leave it to Compose"),
    ("tty", "a service has no terminal", "leave it to Compose"),
    ("domainname", "containers have a host name alone", "write `hostname`"),
    ("mac_address", "two slots cannot have one address", "leave it out"),
    ("dns", "a container asks the engine's name server", "set `dns` of the engine"),
    ("dns_opt", "a container asks the engine's name server", "set `dns-opts` of the engine"),
    ("dns_search", "a container asks the engine's name server", "set `dns-search` of the engine"),
    ("annotations", "releases are told by labels", "write `labels`"),
    ("label_file", "labels stand in the file", "write `labels`"),
    ("security_opt", "cutover sets `no-new-privileges`, and nothing else", "leave it out"),
    ("group_add", "the app has the groups of its user", "write `user: UID:GID`"),
    ("mem_reservation", "only limits are set", "write `mem_limit`"),
    ("memswap_limit", "only limits are set", "write `mem_limit`"),
    ("mem_swappiness", "only limits are set", "write `mem_limit`"),
    ("cpu_shares", "only limits are set", "write `cpus`"),
    ("cpu_quota", "only limits are set", "write `cpus`"),
    ("cpu_period", "only limits are set", "write `cpus`"),
    ("cpu_count", "only limits are set", "write `cpus`"),
    ("cpu_percent", "only limits are set", "write `cpus`"),
    ("cpuset", "only limits are set", "write `cpus`"),
    ("cpu_rt_period", "only limits are set", "write `cpus`"),
    ("cpu_rt_runtime", "only limits are set", "write `cpus`"),
    ("blkio_config", "only limits are set", "leave it out"),
    ("oom_kill_disable", "an app without memory must end", "write `mem_limit`"),
    ("oom_score_adj", "the engine's own is taken", "leave it out"),
    ("cgroup", "the engine's own is taken", "leave it out"),
    ("cgroup_parent", "the engine's own is taken", "leave it out"),
    ("isolation", "the engine's own is taken", "leave it out"),
    ("storage_opt", "the engine's own are taken", "leave it out"),
    ("post_start", "a release is what its image and settings are", "do it in the image's entry point"),
    ("pre_stop", "a release is asked to end by its signal", "write `stop_signal`"),
];

/// Keys without which the app would not be what it is under Compose.
const REFUSED: &[(&str, &str)] = &[
    ("extends", "write the service out: `docker compose config` prints it so"),
    ("network_mode", "each slot needs an address of its own: write `networks`"),
    ("privileged", "name what it needs by `cap_add`"),
    ("devices", "cutover gives no devices to containers"),
    ("device_cgroup_rules", "cutover gives no devices to containers"),
    ("gpus", "cutover gives no devices to containers"),
    ("runtime", "the engine's default runtime is taken: set that"),
    ("pid", "cutover's containers have processes of their own"),
    ("ipc", "cutover's containers have memory of their own: share a volume"),
    ("uts", "cutover's containers have a name of their own"),
    ("userns_mode", "set it for the engine"),
    ("volumes_from", "name the volumes"),
    ("secrets", "write them as `env` with a source in cutover.toml, or mount the file by `volumes`"),
    ("configs", "mount the file by `volumes`"),
    ("credential_spec", "it is for Windows"),
    ("models", "write their addresses as `environment`"),
    ("provider", "the service is no container"),
    ("use_api_socket", "mount the socket by `volumes`"),
];

/// Whether a key is taken. What is not is told.
pub(super) fn is_taken(reader: &Reader<'_>, key: &Key, node: &Node) -> Read<bool> {
    let name = key.text.as_str();
    if let Some((_, mend)) = REFUSED.iter().find(|(refused, _)| *refused == name) {
        // `privileged: false` asks for nothing.
        if node.is_null() || (name == "privileged" && !reader.truth(node)?) {
            return Ok(false);
        }
        return Err(reader.invalid(&key.span, format!("`{name}` cannot be had"), mend));
    }
    if let Some((_, why, mend)) = TOLD.iter().find(|(told, ..)| *told == name) {
        reader.warn(&key.span, format!("`{name}` is not taken: {why}"), mend);
        return Ok(false);
    }
    if TAKEN.contains(&name) {
        return Ok(true);
    }
    if name.starts_with("x-") {
        return Ok(false);
    }
    let names: Vec<&str> = TAKEN
        .iter()
        .copied()
        .chain(TOLD.iter().map(|(name, ..)| *name))
        .chain(REFUSED.iter().map(|(name, _)| *name))
        .collect();
    let mend = near(name, &names).map_or_else(
        || "a key of your own begins with `x-`".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(reader.invalid(&key.span, format!("unknown key `{name}` of a service"), &mend))
}
