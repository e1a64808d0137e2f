//! The tables of an app.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use cutover_proxyconf::Address;
use cutover_registry::ImageRef;
use cutover_runtime::StatusRanges;
use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::build::Build;
use super::guard::{Canary, Guard};
use super::secret::Value;
use super::value::{Located, OneOrMany, Parsed, Period, Size, Volume};
use crate::compose::Service;
use crate::guard::Rule;

/// One service: an image, a port, a health check, a site.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = unless_composed)]
pub struct App {
    /// A service of a compose file. What it says counts wherever this table says nothing.
    pub compose: Option<Compose>,
    /// What the service says of what this table has no key for.
    #[serde(skip)]
    pub service: Option<Service>,
    /// The image, with a registry and a tag: `ghcr.io/acme/web:latest`.
    pub image: Parsed<ImageRef>,
    /// How the image is built, for `build`, `push` and `ship`. Left out: someone else builds it.
    pub build: Option<Build>,
    /// Public keys in PEM, as files beside the configuration. A release must be signed by one of them, as cosign signs.
    #[serde(default)]
    pub signed_by: Vec<Located<PathBuf>>,
    /// The port the app listens on in its container.
    pub port: NonZeroU16,
    /// A Docker network that the containers join besides, by its name; made if it is not there.
    pub network: Option<Located<String>>,
    /// Names by which others on `network` reach the app. Both slots carry them.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where each slot is reached by nginx. Left out: fixed addresses on the network of cutover's own.
    pub slots: Option<Located<Slots>>,
    /// How many containers a slot has.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub replicas: Located<u8>,
    /// The app's environment. A value is written out, or a secret from elsewhere.
    #[serde(default)]
    pub env: BTreeMap<String, Located<Value>>,
    /// Files of `NAME=value` lines, beside the configuration; `env` wins over them.
    #[serde(default)]
    pub env_files: Vec<Located<PathBuf>>,
    /// How a container is found to be well.
    #[serde(default)]
    pub health: Located<Health>,
    /// What `--probe` asks while an app changes. Left out: the path of the health check, at the site.
    #[serde(default)]
    pub probe: Probe,
    /// The nginx site. Left out: snippets for a `server` block of your own.
    pub site: Option<Site>,
    /// How nginx treats the slots.
    #[serde(default)]
    pub upstream: Upstream,
    /// How long a new release is watched after the switch.
    #[serde(default = "soak")]
    pub soak: Parsed<Period>,
    /// How a new release is compared with the one before by the requests of its clients. Left out: it is not.
    pub guard: Option<Guard>,
    /// That a release can be given to shares of the clients first. Left out: it cannot.
    pub canary: Option<Canary>,
    /// How long a slot may take to finish its requests before it is stopped.
    #[serde(default = "drain")]
    pub drain: Parsed<Period>,
    /// How many releases' images are kept on the engine, the live one included.
    #[serde(default = "retain")]
    #[schemars(range(min = 2))]
    pub retain: Located<u32>,
    /// Arguments instead of the image's.
    pub command: Option<Vec<String>>,
    /// A program instead of the image's entry point.
    pub entrypoint: Option<Vec<String>>,
    /// The user, and group if need be, that the app runs as: `1000:1000`.
    pub user: Option<String>,
    /// The folder the app starts in.
    pub working_dir: Option<String>,
    /// Volumes in Docker's short form: `name:/path` or `/host/path:/path:ro`.
    #[serde(default)]
    pub volumes: Vec<Parsed<Volume>>,
    /// When the engine starts a container anew by itself.
    #[serde(default)]
    pub restart: Located<Restart>,
    /// The most memory a container may have, such as `512m`.
    pub memory: Option<Parsed<Size>>,
    /// The most processor time a container may have, in cores.
    pub cpus: Option<Located<f64>>,
    /// The most processes a container may have.
    pub pids: Option<Located<u32>>,
    /// Labels of your own on the containers.
    #[serde(default)]
    pub labels: BTreeMap<Located<String>, String>,
    /// Where the containers' output goes.
    #[serde(default)]
    pub log: Log,
    /// The signal that asks the app to end, instead of the image's.
    pub stop_signal: Option<String>,
    /// How long the app may take to end after that signal before it is killed.
    #[serde(default = "stop_grace")]
    pub stop_grace: Parsed<Period>,
    /// Whether the container's own files are read-only.
    #[serde(default)]
    pub read_only: bool,
}

impl App {
    /// The rule by which a release is compared with the one before, where it is.
    #[must_use]
    pub fn rule(&self) -> Option<Rule> {
        let of_canary = || self.canary.as_ref().map(|_| Rule::default());
        self.guard.as_ref().map(Guard::rule).or_else(of_canary)
    }
}

/// A service of a compose file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compose {
    /// The file, beside the configuration.
    pub file: Located<PathBuf>,
    /// The service, by its name.
    pub service: Located<String>,
}

/// With a compose file, image and port may stand there.
fn unless_composed(schema: &mut schemars::Schema) {
    if let Some(required) = schema.remove("required") {
        let composed = serde_json::json!({ "required": ["compose"] });
        schema.insert("if".to_owned(), serde_json::json!({ "not": composed }));
        schema.insert("then".to_owned(), serde_json::json!({ "required": required }));
    }
}

/// The addresses of the two slots.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// The blue slot's address, or one for each replica.
    pub blue: OneOrMany<Parsed<Address>>,
    /// The green slot's.
    pub green: OneOrMany<Parsed<Address>>,
}

/// How a container is found to be well. By HTTP at `/` if nothing is said.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What is asked: an HTTP path, a TCP connection, or the image's own HEALTHCHECK.
    pub check: Option<HealthCheck>,
    /// The path that is asked for, from `/`.
    pub path: Option<String>,
    /// The `Host` header that is sent.
    pub host: Option<String>,
    /// The statuses that count as well; such as `200-299,301`; 200-299 if nothing is said.
    pub expect: Option<Parsed<StatusRanges>>,
    /// How long a container has to become well; 30 s if nothing is said.
    pub timeout: Option<Parsed<Period>>,
    /// How long one answer may take; 2 s if nothing is said.
    pub attempt: Option<Parsed<Period>>,
}

/// What a health check asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthCheck {
    /// An HTTP request.
    #[default]
    Http,
    /// Whether a TCP connection is taken.
    Tcp,
    /// The image's own HEALTHCHECK.
    Image,
}

impl Health {
    /// How long a container has to become well.
    #[must_use]
    pub fn timeout(&self) -> Duration {
        self.timeout.as_ref().map_or(Duration::from_secs(30), |p| p.0)
    }

    /// How long one answer may take.
    #[must_use]
    pub fn attempt(&self) -> Duration {
        self.attempt.as_ref().map_or(Duration::from_secs(2), |p| p.0)
    }
}

/// What `--probe` asks.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// The path, from `/`; that of the health check if nothing is said.
    pub path: Option<Located<String>>,
    /// The `Host` header; the first name of the site if nothing is said.
    pub host: Option<Located<String>>,
    /// Where the site is asked, such as `127.0.0.1:80`, in plain HTTP; where it listens if nothing is said. Needed for a
    /// `server` block of your own.
    pub address: Option<SocketAddr>,
}

/// A site of nginx.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What nginx listens on: a port, or an address and a port.
    pub listen: Located<OneOrMany<Parsed<String>>>,
    /// The names the site answers to; all if nothing is said.
    #[serde(default)]
    pub server_names: Located<Vec<String>>,
    /// The certificate and its key, for TLS.
    pub tls: Option<Located<Tls>>,
    /// The largest request body, such as `10m`; nginx's own limit if nothing is said.
    pub max_body: Option<Parsed<Size>>,
    /// Directives of your own for the `server` block, each ended with `;` or `}`.
    #[serde(default)]
    pub extra: Located<Vec<String>>,
}

/// A certificate and its key, as files that nginx can read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate with its chain, in PEM.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
}

/// How nginx treats the slots.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// How requests are spread over the replicas.
    pub balance: Option<Balance>,
    /// So many failures within `fail_timeout` make nginx leave a replica alone; 3 if nothing is said.
    pub max_fails: Option<u32>,
    /// And it is left alone for so long; 10 s if nothing is said.
    pub fail_timeout: Option<Parsed<Period>>,
    /// How many idle connections each worker keeps to a slot; 256 if nothing is said.
    pub keepalive: Option<u32>,
    /// How long an idle connection is kept; 200 ms if nothing is said. Shorter than the app keeps it, or a request meets a
    /// closing socket.
    pub keepalive_timeout: Option<Parsed<Period>>,
    /// How long nginx waits for a connection to a replica; 2 s if nothing is said.
    pub connect_timeout: Option<Parsed<Period>>,
    /// How long nginx waits for more of an answer; 60 s if nothing is said.
    pub read_timeout: Option<Parsed<Period>>,
    /// How long nginx waits for a replica to take more of a request; 60 s if nothing is said.
    pub send_timeout: Option<Parsed<Period>>,
    /// The same two for websockets and event streams; 1 h if nothing is said.
    pub stream_timeout: Option<Parsed<Period>>,
    /// Whether nginx buffers answers. Event streams are never buffered.
    pub buffering: Option<bool>,
    /// The name server that nginx asks, where slots are named: `127.0.0.11` in a container.
    pub resolver: Option<String>,
}

/// How requests are spread over the replicas of a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// In turn.
    #[default]
    RoundRobin,
    /// To the one with the fewest open requests.
    LeastConn,
    /// By the client's address.
    IpHash,
}

/// When the engine starts a container anew by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub enum Restart {
    /// Never.
    No,
    /// When it ends with a failure.
    OnFailure,
    /// Always, but not when it was stopped on purpose.
    #[default]
    UnlessStopped,
    /// Refused: a stopped release would come back with the engine.
    #[schemars(skip)]
    Always,
}

// By hand, so that `always` is told why it is refused and yet is not among the words that are offered.
impl<'de> Deserialize<'de> for Restart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "no" => Ok(Self::No),
            "on-failure" => Ok(Self::OnFailure),
            "unless-stopped" => Ok(Self::UnlessStopped),
            "always" => Ok(Self::Always),
            other => Err(D::Error::unknown_variant(other, &["no", "on-failure", "unless-stopped"])),
        }
    }
}

/// Where the containers' output goes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The engine's log driver; `json-file` if nothing is said.
    pub driver: Option<String>,
    /// The driver's options. For `json-file` three files of 10 MB if nothing is said.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

fn one() -> Located<u8> {
    Located::unwritten(1)
}

fn retain() -> Located<u32> {
    Located::unwritten(3)
}

fn soak() -> Parsed<Period> {
    Parsed::unwritten(Period::seconds(10))
}

fn drain() -> Parsed<Period> {
    Parsed::unwritten(Period::seconds(30))
}

fn stop_grace() -> Parsed<Period> {
    Parsed::unwritten(Period::seconds(10))
}
