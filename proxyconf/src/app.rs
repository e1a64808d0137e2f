//! The model: one app as nginx is to serve it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::directives::{Directive, directives};
use crate::{Address, AppName, BySlot, Site};

/// One app as nginx is to serve it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its name.
    pub name: AppName,
    /// Where each slot's replicas are, as nginx reaches them. Neither may be empty.
    pub slots: BySlot<Vec<Address>>,
    /// How requests are spread over the replicas.
    pub upstream: Upstream,
    /// How the app is shown to the world.
    pub exposure: Exposure,
    /// How requests are passed on.
    pub proxy: ProxySettings,
    /// Where the app's control server listens.
    pub control: Control,
    /// The directory of the markers, as nginx sees it; absolute.
    pub state_dir: PathBuf,
    /// The `Host` that the preview route sends when a request names none; else the first plain server name.
    pub preview_host: Option<String>,
    /// Whether nginx tells of the app's requests while someone [listens](crate::Nginx::listen).
    pub tells: bool,
    /// By what a client is known, where shares of the clients can be sent to the standby slot; `None` where they cannot.
    pub canary: Option<Stickiness>,
    /// What the http block around has, for blocks that would no longer inherit it.
    pub inherited: Inherited,
}

impl App {
    /// Whether the user's own directives for the site's `server` block have one of this name.
    pub(crate) fn has_own(&self, name: &str) -> bool {
        self.own_directives().any(|own| own.blocks.is_empty() && own.split().0 == name)
    }

    /// The user's own directives for the site.
    pub(crate) fn own_directives(&self) -> impl Iterator<Item = Directive> {
        let extra: &[String] = match &self.exposure {
            Exposure::Site(site) => &site.extra,
            Exposure::Snippets => &[],
        };
        extra.iter().flat_map(|text| directives(text))
    }
}

/// By what a client is known, so that it stays with one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stickiness {
    /// Its address.
    Address,
    /// A cookie `cutover_<app>` (`-` as `_`), which nginx gives to each new client.
    Cookie,
}

/// Directives of the http block that a `server` block inherits only while it has none of its own. Each as its words, without
/// the directive's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inherited {
    /// Those of `access_log`.
    pub access_logs: Vec<Vec<String>>,
    /// Those of `add_header`.
    pub headers: Vec<Vec<String>>,
}

/// How requests are spread over the replicas of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The method.
    pub balance: Balance,
    /// Failures within `fail_timeout` that make nginx leave a replica out (`max_fails`).
    pub max_fails: u32,
    /// How long failures count, and how long a replica is left out (`fail_timeout`).
    pub fail_timeout: Duration,
    /// Idle connections that each worker keeps to a slot; 0 keeps none.
    pub keepalive: u32,
    /// How long an idle connection is kept; see [`Upstream::KEEPALIVE_TIMEOUT`].
    pub keepalive_timeout: Duration,
    /// What follows `resolver`, for addresses that are names: `127.0.0.11 valid=10s`. Left out: that of the http block.
    pub resolver: Option<String>,
}

impl Upstream {
    /// Each worker keeps up to 256 idle connections to a slot.
    ///
    /// With fewer than there are clients at full speed, nginx opens and closes connections all the time.
    pub const KEEPALIVE: u32 = 256;

    /// Idle connections to an app are given up after 200 ms.
    ///
    /// nginx must give one up before the app does, since a POST that meets a closing socket is lost; gunicorn's threads
    /// close theirs after 2 s, Node and uvicorn after 5 s. It is also how long a slot takes to be seen as quiet after the
    /// switch. A site that is busy enough to gain from a kept connection uses it again within milliseconds.
    pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_millis(200);
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            balance: Balance::RoundRobin,
            max_fails: 3,
            fail_timeout: Duration::from_secs(10),
            keepalive: Self::KEEPALIVE,
            keepalive_timeout: Self::KEEPALIVE_TIMEOUT,
            resolver: None,
        }
    }
}

/// The balancing method, in nginx's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// One after the other.
    #[default]
    RoundRobin,
    /// The replica with the fewest requests under way.
    LeastConn,
    /// By the client's address. `backup` cannot stand beside it, so failing over is done by an error page.
    IpHash,
}

/// How the app is shown to the world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exposure {
    /// A `server` block of our own.
    Site(Site),
    /// Two files for a `server` block of the user's: `cutover/<app>.server.inc` and `cutover/<app>.location.inc`.
    Snippets,
}

/// How requests are passed on to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// How long nginx waits.
    pub timeouts: Timeouts,
    /// Whether nginx buffers answers (`proxy_buffering`). Event streams are never buffered.
    pub buffering: bool,
}

impl Default for ProxySettings {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), buffering: true }
    }
}

/// How long nginx waits for the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection; see [`Timeouts::CONNECT`].
    pub connect: Duration,
    /// Between two reads of an answer; 60 s unless said.
    pub read: Duration,
    /// Between two writes of a request; 60 s unless said.
    pub send: Duration,
    /// Between two reads or writes of an event stream or a websocket; 1 h unless said.
    pub stream: Duration,
}

impl Timeouts {
    /// A connection is waited for up to 2 s.
    ///
    /// After a switch many connections are opened at once. Those that do not fit into the app's queue are tried again by the
    /// kernel, after 1 s: given up by then, they would make nginx hold a slot for failed that is only busy.
    pub const CONNECT: Duration = Duration::from_secs(2);
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Self::CONNECT,
            read: Duration::from_secs(60),
            send: Duration::from_secs(60),
            stream: Duration::from_secs(3600),
        }
    }
}

/// Where the control server listens, and to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// The address, as nginx binds it. Apps share it: their control servers are told apart by name.
    pub listen: SocketAddr,
    /// Who may ask; everyone else is answered 403.
    pub allow: Vec<IpAddr>,
}

impl Control {
    /// A control server at `listen` that answers loopback addresses only.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self { listen, allow: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] }
    }
}

/// The folder of an app's markers, `<state_dir>/<app>`.
pub(crate) fn folder(state_dir: &Path, app: &AppName) -> PathBuf {
    state_dir.join(app.as_str())
}

/// The marker of an app, `<state_dir>/<app>/green`: while it is there, green is live.
#[must_use]
pub fn marker(state_dir: &Path, app: &AppName) -> PathBuf {
    folder(state_dir, app).join("green")
}
