//! Talking to the control server: what nginx really serves, and the preview route.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use serde::Deserialize;

use crate::client::{self, Failure};
use crate::told::each;
use crate::{AppName, Error, Generation, Slot};

/// Where a control server tells what it serves.
pub(crate) const STATE_PATH: &str = "/.well-known/cutover";
/// Asks for a slot; answered with the slot that was asked.
pub(crate) const SLOT_HEADER: &str = "X-Cutover-Slot";
/// The `Host` that the app is to see.
pub(crate) const HOST_HEADER: &str = "X-Cutover-Host";
/// Answered with the app whose control server it is.
pub(crate) const APP_HEADER: &str = "X-Cutover-App";
/// Answered with all addresses that were tried.
pub(crate) const UPSTREAM_HEADER: &str = "X-Cutover-Upstream";

/// What nginx serves of an app, as its control server tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Serving {
    /// The app is served.
    App {
        /// The live slot.
        live: Slot,
        /// The configuration that is loaded.
        generation: Generation,
    },
    /// It is not.
    Nothing {
        /// What is there instead.
        why: Absence,
    },
}

/// Why an app has no control server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absence {
    /// Nothing listens at the address.
    Refused,
    /// No answer came in time, or the connection broke.
    Silent,
    /// The control server of another app answered: this one has none.
    OtherApp(AppName),
    /// Something answered that is no control server, or that would not let us in.
    NotOurs {
        /// The status of its answer; `None` when it was not HTTP.
        status: Option<u16>,
    },
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused"),
            Self::Silent => f.write_str("no answer came"),
            Self::OtherApp(app) => write!(f, "only the app {app} is there"),
            Self::NotOurs { status: Some(403) } => {
                f.write_str("it answered 403: our address is not among those it allows")
            }
            Self::NotOurs { status: Some(status) } => {
                write!(f, "something that is no control server answered {status}")
            }
            Self::NotOurs { status: None } => f.write_str("something that does not speak HTTP answered"),
        }
    }
}

impl fmt::Display for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App { live, generation } => write!(f, "{live} with generation {generation}"),
            Self::Nothing { why } => write!(f, "nothing: {why}"),
        }
    }
}

/// A GET through the preview route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The path, with its query if any; begins with `/`.
    pub path: String,
    /// The `Host` that the app is to see; left out: [`App::preview_host`](crate::App::preview_host) or the site's name.
    pub host: Option<String>,
    /// The time for the whole answer.
    pub timeout: Duration,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Every address that nginx tried, in order (`$upstream_addr`); the last one answered.
    pub upstream: Vec<String>,
    /// The `Location`, of a redirect.
    pub location: Option<String>,
    /// The first KiB of the body; bytes that are no UTF-8 are replaced.
    pub body: String,
}

/// The body of [`STATE_PATH`].
#[derive(Deserialize)]
struct State {
    app: AppName,
    live: Slot,
    generation: Generation,
}

/// What the control server of `app` at `address` tells.
pub(crate) async fn observe(address: SocketAddr, app: &AppName, limit: Duration) -> Result<Serving, Error> {
    let host = app.control_host();
    let nothing = |why| Ok(Serving::Nothing { why });
    let reply = match client::get(address, STATE_PATH, &[("host", &host)], limit).await {
        Ok(reply) => reply,
        Err(Failure::Refused) => return nothing(Absence::Refused),
        Err(Failure::Silent(_) | Failure::Broken(_)) => return nothing(Absence::Silent),
        Err(Failure::NotHttp(_)) => return nothing(Absence::NotOurs { status: None }),
        Err(failure @ (Failure::Connect(_) | Failure::Request(_))) => {
            return Err(unreachable(address, app, failure));
        }
    };
    match serde_json::from_str::<State>(&reply.body) {
        Ok(State { app: answered, live, generation }) if reply.status == 200 => {
            if answered == *app {
                Ok(Serving::App { live, generation })
            } else {
                nothing(Absence::OtherApp(answered))
            }
        }
        _ => nothing(Absence::NotOurs { status: Some(reply.status) }),
    }
}

/// Sends `ask` through the preview route, to `slot` or else to the standby slot.
pub(crate) async fn ask(
    address: SocketAddr,
    app: &AppName,
    slot: Option<Slot>,
    ask: &Ask,
) -> Result<Answer, Error> {
    check(ask)?;
    let host = app.control_host();
    let mut headers = vec![("host", host.as_str())];
    headers.extend(slot.map(|slot| (SLOT_HEADER, slot.as_str())));
    headers.extend(ask.host.as_deref().map(|host| (HOST_HEADER, host)));
    let reply = client::get(address, &ask.path, &headers, ask.timeout)
        .await
        .map_err(|failure| unreachable(address, app, failure))?;
    match reply.header(APP_HEADER) {
        Some(answered) if answered == app.as_str() => {}
        answered => {
            let why = match answered.and_then(|name| name.parse().ok()) {
                Some(other) => Absence::OtherApp(other),
                None => Absence::NotOurs { status: Some(reply.status) },
            };
            return Err(Error::Absent { app: app.clone(), address, why });
        }
    }
    Ok(Answer {
        status: reply.status,
        upstream: each(reply.header(UPSTREAM_HEADER).unwrap_or_default()).map(str::to_owned).collect(),
        location: reply.header("location").map(str::to_owned),
        body: reply.body,
    })
}

fn check(ask: &Ask) -> Result<(), Error> {
    if !ask.path.starts_with('/') || ask.path.parse::<hyper::Uri>().is_err() {
        return Err(Error::invalid("path", &ask.path, "a path begins with `/` and is percent-encoded"));
    }
    match &ask.host {
        Some(host) if !client::is_header_value(host) => {
            Err(Error::invalid("host", host, "it cannot be the value of a header"))
        }
        _ => Ok(()),
    }
}

fn unreachable(address: SocketAddr, app: &AppName, failure: Failure) -> Error {
    Error::Control { app: app.clone(), address, source: Box::new(failure) }
}
