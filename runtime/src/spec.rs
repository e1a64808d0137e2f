//! A container as wanted.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

/// A container as wanted. [`ContainerSpec::new`] gives it the safe defaults.
///
/// ```
/// use cutover_runtime::{ContainerSpec, Restart};
/// let mut spec = ContainerSpec::new("web-blue", "ghcr.io/acme/web:latest");
/// spec.memory = Some(256 << 20);
/// assert_eq!(spec.restart, Restart::UnlessStopped);
/// assert!(spec.no_new_privileges);
/// ```
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// Its name, unique on the engine.
    pub name: String,
    /// The image: a reference, best one with a digest, or an image id.
    pub image: String,
    /// The arguments; `None` leaves the image's.
    pub command: Option<Vec<String>>,
    /// The program; `None` leaves the image's.
    pub entrypoint: Option<Vec<String>>,
    /// The environment, on top of the image's.
    pub env: Vec<(String, SecretString)>,
    /// Labels, on top of the image's.
    pub labels: BTreeMap<String, String>,
    /// The user, as `name`, `uid` or `uid:gid`; `None` leaves the image's.
    pub user: Option<String>,
    /// The working directory; `None` leaves the image's.
    pub working_dir: Option<String>,
    /// The host name that the container has for itself; `None` leaves it to the engine.
    pub hostname: Option<String>,
    /// The ports of the engine's host that lead to it.
    pub publish: Vec<Published>,
    /// The networks it is on. None means the engine's default bridge.
    pub networks: Vec<Attachment>,
    /// What is mounted into it.
    pub volumes: Vec<Mount>,
    /// Directories of it that are kept in memory.
    pub tmpfs: Vec<String>,
    /// When the engine starts it again.
    pub restart: Restart,
    /// The most memory it may use, in bytes.
    pub memory: Option<u64>,
    /// The most processors it may use, in parts of one.
    pub cpus: Option<f64>,
    /// The most processes and threads it may have.
    pub pids: Option<i64>,
    /// What becomes of its output.
    pub log: LogOptions,
    /// The signal that asks it to stop; `None` leaves the image's, or `SIGTERM`.
    pub stop_signal: Option<String>,
    /// How long it may take to stop before it is killed, in whole seconds, rounded up.
    pub stop_grace: Duration,
    /// Whether its processes are kept from gaining privileges, as by setuid programs.
    pub no_new_privileges: bool,
    /// Whether its root file system is read only.
    pub read_only_root: bool,
    /// Whether the engine's own init is its first process, which passes signals on and reaps children.
    pub init: bool,
    /// Names it knows beside those of the DNS, each as `name:address`.
    pub extra_hosts: Vec<String>,
    /// Capabilities of the kernel that it has besides the engine's usual ones, such as `NET_ADMIN`.
    pub cap_add: Vec<String>,
    /// Capabilities that it does not have, such as `NET_RAW`, or `ALL`.
    pub cap_drop: Vec<String>,
    /// The size of `/dev/shm`, in bytes; `None` leaves the engine's 64 MB.
    pub shm_size: Option<u64>,
    /// Limits of its processes, as setrlimit(2) has them.
    pub ulimits: Vec<Ulimit>,
    /// Settings of its kernel namespaces, such as `net.core.somaxconn`.
    pub sysctls: BTreeMap<String, String>,
    /// A HEALTHCHECK of its own; `None` leaves the image's.
    pub healthcheck: Option<Healthcheck>,
}

impl ContainerSpec {
    /// A container of that name and image: started again unless stopped, 10 s to stop, no new privileges, and
    /// output bounded as [`LogOptions`] has it.
    pub fn new(name: impl Into<String>, image: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            image: image.into(),
            command: None,
            entrypoint: None,
            env: Vec::new(),
            labels: BTreeMap::new(),
            user: None,
            working_dir: None,
            hostname: None,
            publish: Vec::new(),
            networks: Vec::new(),
            volumes: Vec::new(),
            tmpfs: Vec::new(),
            restart: Restart::default(),
            memory: None,
            cpus: None,
            pids: None,
            log: LogOptions::default(),
            stop_signal: None,
            stop_grace: Duration::from_secs(10),
            no_new_privileges: true,
            read_only_root: false,
            init: false,
            extra_hosts: Vec::new(),
            cap_add: Vec::new(),
            cap_drop: Vec::new(),
            shm_size: None,
            ulimits: Vec::new(),
            sysctls: BTreeMap::new(),
            healthcheck: None,
        }
    }
}

/// A limit of a container's processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    /// Its name, such as `nofile`.
    pub name: String,
    /// What counts until a process raises it; -1 for no limit.
    pub soft: i64,
    /// How far a process may raise it; -1 for no limit.
    pub hard: i64,
}

/// A HEALTHCHECK as wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Healthcheck {
    /// None, whatever the image brings.
    Off,
    /// A command; 0 is well.
    Run(Healthtest),
}

/// The command of a HEALTHCHECK, and its times. What is `None` is the engine's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healthtest {
    /// `CMD` and the program with its arguments, or `CMD-SHELL` and one text for the container's shell.
    pub test: Vec<String>,
    /// Between two runs; 30 s.
    pub interval: Option<Duration>,
    /// How long one run may take; 30 s.
    pub timeout: Option<Duration>,
    /// So many failures in a row are a verdict; 3.
    pub retries: Option<u32>,
    /// For so long after the start failures do not count; 0 s.
    pub start_period: Option<Duration>,
}

/// A TCP port of the engine's host that leads to one of the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Published {
    /// Where the host listens. Port 0 lets the engine choose.
    pub host: SocketAddr,
    /// The container's port.
    pub container_port: u16,
}

/// A place on a network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The network's name or id.
    pub network: String,
    /// The container's address there. It needs a network that was made with a subnet.
    pub address: Option<Ipv4Addr>,
    /// Names by which others on the network can call it, beside its own.
    pub aliases: Vec<String>,
}

impl Attachment {
    /// A place on that network, with an address that the engine chooses.
    pub fn new(network: impl Into<String>) -> Self {
        Self { network: network.into(), ..Self::default() }
    }
}

/// Something mounted into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// An absolute path of the engine's host, which must be there, or the name of a volume, which is made.
    pub source: String,
    /// Where it is in the container; absolute.
    pub target: String,
    /// Whether the container can only read it.
    pub read_only: bool,
}

/// When the engine starts a container again by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// Never.
    No,
    /// When it ends with another status than 0, at most so many times where a number is given.
    OnFailure(Option<u32>),
    /// Whenever it ends, and with the engine unless it was stopped before.
    #[default]
    UnlessStopped,
    /// Whenever it ends, and with the engine even where it was stopped before.
    Always,
}

/// What becomes of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// The engine's driver for it.
    pub driver: String,
    /// The driver's options.
    pub options: BTreeMap<String, String>,
}

impl Default for LogOptions {
    /// `json-file`, at most 3 files of 10 MB.
    fn default() -> Self {
        let options = [("max-size", "10m"), ("max-file", "3")];
        let options = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self { driver: "json-file".to_owned(), options }
    }
}
