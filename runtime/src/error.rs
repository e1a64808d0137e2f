//! What can go wrong between us and the engine.

use std::time::Duration;

use crate::{Endpoint, words};

/// A result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error beneath one of ours, of whatever library it came from.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// What the engine, the registry behind it, or the way to it refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not an engine's address.
    #[error("`{given}` is not an engine's address: {why}")]
    InvalidEndpoint {
        /// What was given.
        given: String,
        /// What is wrong with it, and what would be right.
        why: &'static str,
    },
    /// The address is well formed, but this crate cannot speak that way.
    #[error("cannot reach an engine over `{scheme}`, as `{given}` asks: {hint}")]
    UnsupportedScheme {
        /// What was given.
        given: String,
        /// Its scheme.
        scheme: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// Nothing answers as an engine there.
    #[error("the engine at {endpoint} cannot be reached: {why}")]
    Unreachable {
        /// Where the engine was looked for.
        endpoint: Endpoint,
        /// What was met there, and what to do about it.
        why: String,
        /// What the system said.
        source: Option<Source>,
    },
    /// The engine did not answer in time.
    #[error("the engine did not {doing} within {after:?}")]
    Timeout {
        /// What was asked.
        doing: String,
        /// How long it was given.
        after: Duration,
    },
    /// No container has that name or id.
    #[error("there is no container `{container}`")]
    NoSuchContainer {
        /// Its name or id.
        container: String,
    },
    /// The engine does not hold that image.
    #[error("the engine has no image `{image}`")]
    NoSuchImage {
        /// The reference or id.
        image: String,
    },
    /// The engine has no such network.
    #[error("the engine could not {doing}: a network it needs is not there")]
    NoSuchNetwork {
        /// What was asked.
        doing: String,
        /// What the engine said, with the network's name.
        source: Source,
    },
    /// Two or more networks bear that name, so it stands for none of them.
    #[error("{} networks are named `{name}` ({}): remove all but one by id", ids.len(), ids.join(", "))]
    AmbiguousNetwork {
        /// The name.
        name: String,
        /// The ids of the networks.
        ids: Vec<String>,
    },
    /// The network is there, with another subnet than asked for.
    #[error("the network `{name}` has the subnet {found}, not {wanted}")]
    SubnetMismatch {
        /// The network.
        name: String,
        /// The subnet asked for, in CIDR notation.
        wanted: String,
        /// The subnets it has.
        found: String,
    },
    /// The subnet overlaps with one in use.
    #[error("the network `{name}` cannot have the subnet {subnet}: it overlaps with one in use")]
    SubnetTaken {
        /// The network.
        name: String,
        /// The subnet asked for, in CIDR notation.
        subnet: String,
        /// What the engine said.
        source: Source,
    },
    /// A container is still attached to the network.
    #[error("the network `{network}` is in use")]
    NetworkInUse {
        /// The network's id or name.
        network: String,
        /// What the engine said.
        source: Source,
    },
    /// Another container has the name.
    #[error("the container name `{name}` is taken")]
    NameTaken {
        /// The name.
        name: String,
        /// What the engine said, with the other's id.
        source: Source,
    },
    /// A fixed address or a host port of the container belongs to another.
    #[error("the engine could not {doing}: an address or port is taken")]
    AddressTaken {
        /// What was asked.
        doing: String,
        /// What the engine said, with the address.
        source: Source,
    },
    /// The container runs, and what was asked needs it not to.
    #[error("the container `{container}` is running: stop it first")]
    StillRunning {
        /// Its name or id.
        container: String,
    },
    /// The container does not run, and what was asked needs it to.
    #[error("the container `{container}` is not running")]
    NotRunning {
        /// Its name or id.
        container: String,
    },
    /// The specification of a container is contradictory.
    #[error("the container `{container}` cannot be made: {why}")]
    InvalidSpec {
        /// The name it would have had.
        container: String,
        /// What is wrong, and where.
        why: String,
    },
    /// The registry wants credentials, or refused those it was given.
    #[error("the registry refused to let us pull `{image}`: unauthorized")]
    Unauthorized {
        /// The reference.
        image: String,
        /// What the engine said.
        source: Source,
    },
    /// The registry knows us and says no.
    #[error("the registry denies us `{image}`: the repository is not there, or is not ours to read")]
    Denied {
        /// The reference.
        image: String,
        /// What the engine said.
        source: Source,
    },
    /// The registry has no such image.
    #[error("the registry has no image `{image}`")]
    ImageNotFound {
        /// The reference.
        image: String,
        /// What the engine said.
        source: Source,
    },
    /// The registry wants credentials for a push, or refused those it was given.
    #[error("the registry refused to let us push `{image}`: unauthorized")]
    PushUnauthorized {
        /// The reference.
        image: String,
        /// What the engine said.
        source: Source,
    },
    /// The registry knows us and takes no push from us.
    #[error(
        "the registry denies us to push `{image}`: the repository is not ours to write, or cannot be made"
    )]
    PushDenied {
        /// The reference.
        image: String,
        /// What the engine said.
        source: Source,
    },
    /// An archive that was being loaded broke off. Nothing of it was loaded.
    #[error("the archive of images broke off while the engine was loading it")]
    Load {
        /// Why.
        source: Source,
    },
    /// The engine's disk is full.
    #[error("the engine could not {doing}: no space is left on its disk")]
    NoSpace {
        /// What was asked.
        doing: String,
        /// What the engine said.
        source: Source,
    },
    /// A path in a container that cannot be read or written as asked.
    #[error("`{path}` in the container `{container}`: {why}")]
    Path {
        /// The container's name or id.
        container: String,
        /// The path concerned.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The engine said no, for a reason that has no variant of its own.
    #[error("the engine could not {doing}{}", answered(*status))]
    Refused {
        /// What was asked.
        doing: String,
        /// The HTTP status of the answer; 0 where the failure came in the stream of an answer that was well at first.
        status: u16,
        /// What the engine said.
        source: Source,
    },
    /// The connection to the engine broke, or what it sent was not understood.
    #[error("the engine could not {doing}")]
    Exchange {
        /// What was asked.
        doing: String,
        /// What went wrong.
        source: Source,
    },
}

use bollard::errors::Error as Api;

use crate::connection::Lost;

fn answered(status: u16) -> String {
    if status == 0 { String::new() } else { format!(" (status {status})") }
}

/// The status and message of a refusal, whichever way the engine sent it.
///
/// Failures that come in the stream of an answer have no status of their own: 0 stands for it.
pub(crate) fn refusal(error: &Api) -> Option<(u16, &str)> {
    match error {
        Api::DockerResponseServerError { status_code, message } => Some((*status_code, message)),
        Api::DockerStreamError { error } => Some((0, error)),
        _ => None,
    }
}

/// True when the engine answered that what was asked about is not there.
pub(crate) fn is_absent(error: &Api) -> bool {
    matches!(error, Api::DockerResponseServerError { status_code: 404, .. })
}

/// The engine's own words as a source, without the library's preamble.
fn said(message: &str) -> Source {
    message.trim().to_owned().into()
}

/// Says what an answer to `doing` means, where nothing more special is known.
pub(crate) fn engine(doing: impl Into<String>, error: Api) -> Error {
    let doing = doing.into();
    match refusal(&error) {
        Some((_, message)) if message.contains("no space left on device") => {
            Error::NoSpace { doing, source: said(message) }
        }
        Some((_, message)) if words::address_taken(message) => {
            Error::AddressTaken { doing, source: said(message) }
        }
        Some((404, message)) if words::no_network(message) => {
            Error::NoSuchNetwork { doing, source: said(message) }
        }
        // Podman's; any other 500 may speak of networks for reasons of its own.
        Some((500, message)) if message.contains("network not found") => {
            Error::NoSuchNetwork { doing, source: said(message) }
        }
        Some((status, message)) => Error::Refused { doing, status, source: said(message) },
        None if matches!(error, Api::RequestTimeoutError) => {
            Error::Timeout { doing, after: crate::engine::TIMEOUT }
        }
        None => match Lost::find(&error).cloned() {
            // What the libraries between say of it adds nothing.
            Some(lost) => Error::Exchange { doing, source: lost.into() },
            None => Error::Exchange { doing, source: error.into() },
        },
    }
}

/// Says what an answer to `doing` means that did not come through bollard. The status of one in a stream is 0.
pub(crate) fn said_while(doing: &str, status: u16, message: &str) -> Error {
    engine(doing, Api::DockerResponseServerError { status_code: status, message: message.to_owned() })
}

/// Says what an answer about a container means.
pub(crate) fn container(doing: &str, container: &str, error: Api) -> Error {
    match refusal(&error) {
        Some((404, message)) if words::no_container(message) => {
            Error::NoSuchContainer { container: container.to_owned() }
        }
        Some((409 | 500, message)) if words::not_running(message) => {
            Error::NotRunning { container: container.to_owned() }
        }
        Some((409 | 500, message)) if words::name_taken(message) => {
            Error::NameTaken { name: container.to_owned(), source: said(message) }
        }
        _ => engine(format!("{doing} the container `{container}`"), error),
    }
}

/// Says what a failed push of `image` means. The engine first tells whether it has the image itself.
pub(crate) fn push(image: &str, status: u16, message: &str) -> Error {
    let (lower, source) = (message.to_lowercase(), said(message));
    let has = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let image = image.to_owned();
    if has(&["does not exist locally", "tag does not exist", "no such image"]) {
        Error::NoSuchImage { image }
    } else if has(UNAUTHORIZED) {
        Error::PushUnauthorized { image, source }
    } else if has(&["denied", "forbidden"]) {
        Error::PushDenied { image, source }
    } else {
        said_while(&format!("push `{image}`"), status, message)
    }
}

/// The words of registries that want to know who we are.
const UNAUTHORIZED: &[&str] =
    &["unauthorized", "no basic auth credentials", "authentication required", "incorrect username"];

/// Says what a failed pull of `image` means. The status tells little: "unauthorized" comes as 500 and in the stream.
pub(crate) fn pull(image: &str, error: Api) -> Error {
    let image = image.to_owned();
    let Some((_, message)) = refusal(&error) else { return engine(format!("pull `{image}`"), error) };
    let source = said(message);
    let message = message.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if has(UNAUTHORIZED) {
        Error::Unauthorized { image, source }
    } else if has(&["manifest unknown", "name unknown", "not found", "no such image"]) {
        Error::ImageNotFound { image, source }
    } else if has(&["denied", "forbidden"]) {
        Error::Denied { image, source }
    } else {
        engine(format!("pull `{image}`"), error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> Api {
        Api::DockerResponseServerError { status_code, message: message.into() }
    }

    #[test]
    fn a_failed_pull_is_told_by_what_the_engine_says() {
        let unauthorized =
            pull("r/i", answer(500, "Head \"http://r/v2/i\": unauthorized: authentication required"));
        assert!(matches!(unauthorized, Error::Unauthorized { .. }), "{unauthorized:?}");
        let anonymous = pull("r/i", answer(500, "Get http://r/v2/: no basic auth credentials"));
        assert!(matches!(anonymous, Error::Unauthorized { .. }), "{anonymous:?}");
        let missing =
            pull("r/i", answer(404, "manifest for r/i:x not found: manifest unknown: manifest unknown"));
        assert!(matches!(missing, Error::ImageNotFound { .. }), "{missing:?}");
        let denied = pull("r/i", answer(404, "pull access denied for i, repository does not exist"));
        assert!(matches!(denied, Error::Denied { .. }), "{denied:?}");
        let full = pull("r/i", Api::DockerStreamError { error: "write /x: no space left on device".into() });
        assert!(matches!(full, Error::NoSpace { .. }), "{full:?}");
        let other = pull("r/i", answer(500, "the moon is in the wrong place"));
        assert!(matches!(other, Error::Refused { status: 500, .. }), "{other:?}");
    }

    #[test]
    fn what_the_engine_said_is_kept_as_the_source() {
        let error = engine("start the container `web`", answer(500, "exec: \"/nope\": no such file"));
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("exec: \"/nope\": no such file"));
    }

    #[test]
    fn a_taken_port_or_address_is_told_from_other_refusals() {
        for message in [
            "driver failed programming external connectivity: Bind for 127.0.0.1:80 failed: port is already allocated",
            "Address already in use",
        ] {
            let error = container("start", "web", answer(500, message));
            assert!(matches!(error, Error::AddressTaken { .. }), "{error:?}");
        }
    }
}
