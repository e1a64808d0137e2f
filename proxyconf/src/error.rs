//! What can go wrong.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Absence, Address, AppName, NginxVersion, Slot};

/// What can go wrong between the model and a serving nginx.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name of an app is not allowed.
    #[error("app name `{name}`: {reason} (at byte {offset})")]
    InvalidAppName {
        /// The name.
        name: String,
        /// Where the name stops being one, in bytes.
        offset: usize,
        /// What is wrong there.
        reason: &'static str,
    },
    /// A value holds a character that could end the directive it is written into.
    #[error("{field} `{value}`: the character {character:?} at byte {offset} is not allowed")]
    Forbidden {
        /// The field, by its name in the model.
        field: &'static str,
        /// The value.
        value: String,
        /// The character.
        character: char,
        /// Where it is, in bytes.
        offset: usize,
    },
    /// A value is not what nginx takes there.
    #[error("{field} `{value}`: {reason}")]
    Invalid {
        /// The field, by its name in the model.
        field: &'static str,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A slot has no address to send requests to.
    #[error("app {app}: the {slot} slot has no address")]
    NoReplicas {
        /// The app.
        app: AppName,
        /// The slot.
        slot: Slot,
    },
    /// An address is a name, and this nginx looks names up only once, when it loads.
    #[error(
        "address {address}: nginx {version} looks a name up only when it loads, and would go on sending to the old \
         address of a container that was made anew; give an IP address, or use nginx 1.27.3 or later"
    )]
    NamesNeedResolve {
        /// The address.
        address: Address,
        /// The version of nginx.
        version: NginxVersion,
    },
    /// nginx is older than what the configuration needs.
    #[error("nginx {version} is too old: {} or later is needed", NginxVersion::OLDEST)]
    TooOld {
        /// The version of nginx.
        version: NginxVersion,
    },
    /// A file or directory of nginx's could not be read or changed.
    #[error("cannot {action} {path}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A command of nginx's could not be run.
    #[error("cannot run `{command}`")]
    Command {
        /// The command.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// A command of nginx's took too long and was ended.
    #[error("`{command}` did not end within {} s", limit.as_secs_f32())]
    TimedOut {
        /// The command.
        command: String,
        /// The time it had.
        limit: Duration,
    },
    /// nginx refused a configuration or a command.
    #[error("nginx refused: {output}")]
    Refused {
        /// What nginx wrote.
        output: String,
    },
    /// nginx is not running, so there is nothing to reload.
    #[error("nginx is not running; start it, then try again")]
    NotRunning,
    /// Where nginx runs could not be reached. For implementations of [`Surface`](crate::Surface) of one's own.
    #[error("cannot {action}")]
    Surface {
        /// What was tried, such as `write /etc/nginx/conf.d/cutover-web.conf in container edge`.
        action: String,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// nginx cannot be heard: the socket's folder is not one of this machine's.
    #[error(
        "nginx cannot tell of requests at {path}: its folder is not one of this machine's; mount it into nginx's container \
         from this machine"
    )]
    NotShared {
        /// The socket, as nginx sees it.
        path: PathBuf,
    },
    /// The control server could not be asked.
    #[error("cannot ask the control server of {app} at {address}")]
    Control {
        /// The app.
        app: AppName,
        /// The address.
        address: std::net::SocketAddr,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Something else than the app's control server answered.
    #[error("the control server of {app} at {address} does not answer: {why}")]
    Absent {
        /// The app.
        app: AppName,
        /// The address.
        address: std::net::SocketAddr,
        /// What is there instead.
        why: Absence,
    },
    /// After a reload nginx did not serve the configuration it was given.
    #[error(
        "reloaded, but after {} s nginx serves {served} where {wanted} was installed (a listen address that is taken? a \
         directory that its http block does not include?)", limit.as_secs_f32()
    )]
    NotServed {
        /// What it serves.
        served: String,
        /// What it should serve.
        wanted: String,
        /// The time it had.
        limit: Duration,
    },
    /// A change of the configuration failed, and the old files are back.
    #[error(
        "the nginx configuration of {app} could not be changed ({stage}); the old one is back and serves"
    )]
    Restored {
        /// The app.
        app: AppName,
        /// The stage that failed.
        stage: Stage,
        /// Why it failed.
        source: Box<Error>,
    },
    /// A change of the configuration failed, and putting the old files back failed too.
    #[error(
        "the nginx configuration of {app} could not be changed ({stage}: {cause}), nor the old one be put back; nginx \
         serves what it had loaded, and the old files are beside the new ones as .*.cutover-old"
    )]
    NotRestored {
        /// The app.
        app: AppName,
        /// The stage that failed.
        stage: Stage,
        /// Why it failed.
        cause: Box<Error>,
        /// Why the old files could not be put back.
        source: Box<Error>,
    },
    /// nginx did not follow the marker, which was put back.
    #[error(
        "app {app}: nginx does not follow the marker {marker} to {to} within {} s ({served}); it was put back. Can \
         nginx's worker processes search its directory?", limit.as_secs_f32()
    )]
    NotFollowed {
        /// The app.
        app: AppName,
        /// The marker.
        marker: PathBuf,
        /// The slot that was to be live.
        to: Slot,
        /// What nginx serves.
        served: String,
        /// The time it had.
        limit: Duration,
    },
}

impl Error {
    pub(crate) fn invalid(field: &'static str, value: &str, reason: &'static str) -> Self {
        Self::Invalid { field, value: value.to_owned(), reason }
    }
}

/// A stage of changing the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Writing the files.
    Write,
    /// `nginx -t`.
    Check,
    /// `nginx -s reload`.
    Reload,
    /// Waiting until nginx serves what was written.
    Confirm,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Write => "writing the files",
            Self::Check => "nginx's own check",
            Self::Reload => "the reload",
            Self::Confirm => "what nginx serves after the reload",
        })
    }
}
