//! `cutover.toml` as it is written: tables, names and defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cutover_proxyconf::AppName;
use cutover_runtime::Endpoint;
use schemars::JsonSchema;
use serde::Deserialize;

use super::app::App;
use super::notify::Notify;
use super::secret::SecretSource;
use super::value::{Located, Parsed, Period};

/// A `cutover.toml`: an engine, an nginx, registries, apps and where notices go.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Where locks and the history are kept. Left out: the proxy's `state_dir`, or `/var/lib/cutover` where that is not a folder of this machine.
    pub data_dir: Option<PathBuf>,
    /// The Docker Engine.
    #[serde(default)]
    pub engine: Engine,
    /// One nginx for all apps of the file. Left out: the host's nginx with its usual paths.
    #[serde(default)]
    pub proxy: Proxy,
    /// The Docker network that cutover makes for the slots' fixed addresses.
    #[serde(default)]
    pub network: Network,
    /// Credentials by registry host. Left out: the environment, then `~/.docker/config.json` and its helpers, then none.
    #[serde(default)]
    pub registry: BTreeMap<String, Registry>,
    /// The apps, by name.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, App>")]
    pub apps: BTreeMap<Parsed<AppName>, App>,
    /// Who is told.
    #[serde(default)]
    pub notify: Notify,
}

/// The Docker Engine.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// `unix:///path` or `tcp://host:port`. Left out: `DOCKER_HOST`, then the local socket.
    pub host: Option<Parsed<Endpoint>>,
}

/// The nginx that the apps stand behind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    /// The nginx of this host, or a container.
    #[serde(default)]
    pub nginx: Located<Nginx>,
    /// The folder of configuration that nginx's `http` block includes (`include …/*.conf;`), as nginx sees it.
    #[serde(default = "conf_dir")]
    pub conf_dir: Located<PathBuf>,
    /// The folder of the markers, as nginx sees it. nginx's workers must be able to search it.
    #[serde(default = "state_dir")]
    pub state_dir: Located<PathBuf>,
    /// The address of the control server: loopback, or in a container any port of it.
    #[serde(default = "control")]
    pub control: SocketAddr,
}

impl Default for Proxy {
    fn default() -> Self {
        Self { nginx: Located::default(), conf_dir: conf_dir(), state_dir: state_dir(), control: control() }
    }
}

/// Which nginx.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nginx {
    /// The program, for an nginx of this host. Left out: `/usr/sbin/nginx`.
    pub binary: Option<PathBuf>,
    /// Its main configuration file. Left out: the one built in.
    pub conf: Option<PathBuf>,
    /// The container that nginx runs in, by name.
    pub container: Option<String>,
}

/// The Docker network that cutover makes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its addresses, such as `10.213.0.0/16`. Left out: the first /16 from there on that is free.
    pub subnet: Option<Located<String>>,
}

impl Default for Network {
    fn default() -> Self {
        Self { name: "cutover".to_owned(), subnet: None }
    }
}

/// Credentials for a registry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The user.
    pub username: Option<Located<String>>,
    /// The password or token.
    pub password: Option<Located<SecretSource>>,
    /// Whether the registry is spoken to without TLS. Loopback always is.
    #[serde(default)]
    pub insecure: bool,
    /// Certificates in PEM that are trusted for this registry besides the system's, as a file beside the configuration.
    pub ca: Option<Located<PathBuf>>,
    /// Registries that are asked before this one, such as `mirror.lan:5000`. Never pushed to.
    #[serde(default)]
    pub mirrors: Vec<Located<String>>,
    /// How long the registry may be silent; 30 s if nothing is said.
    pub timeout: Option<Parsed<Period>>,
}

fn conf_dir() -> Located<PathBuf> {
    Located::unwritten("/etc/nginx/conf.d".into())
}

fn state_dir() -> Located<PathBuf> {
    Located::unwritten("/var/lib/cutover".into())
}

fn control() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 9180))
}
