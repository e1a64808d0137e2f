use std::ops::Range;
use std::time::Duration;

use crate::{Field, Status};

/// What can go wrong between a notice and the channel it is meant for.
///
/// Of a webhook's address only the host, with its port where that is unusual, is ever told: the path is
/// the secret. Of a token or key nothing is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A word that is no [`Status`].
    #[error("unknown status `{given}`: expected one of {}", list(Status::ALL))]
    Status {
        /// The word.
        given: String,
    },
    /// A name that is no [`Field`].
    #[error("unknown field `{given}`: expected one of {}", list(Field::ALL))]
    Field {
        /// The name.
        given: String,
    },
    /// Text that is no [`Mention`](crate::Mention).
    #[error(
        "cannot mention `{given}`: expected `here`, `channel`, `everyone`, a member id (U… or W…) or a \
         user group id (S…)"
    )]
    Mention {
        /// The text.
        given: String,
    },
    /// Text that is no [`SlackChannel`](crate::SlackChannel).
    #[error("`{given}` is no channel of Slack's: expected an id (C…, G… or D…) or a name such as `#deploys`")]
    Channel {
        /// The text.
        given: String,
    },
    /// An address cannot be used.
    #[error("{what} refused: {why}")]
    Address {
        /// What the address is of: `slack webhook` for one.
        what: &'static str,
        /// What is wrong with it, without a part of it but the scheme and host.
        why: String,
    },
    /// A token or key cannot be used.
    #[error("{what} refused: {why}")]
    Secret {
        /// What it is: `slack token` for one.
        what: &'static str,
        /// What is wrong with it, without a part of it.
        why: &'static str,
    },
    /// A [`Template`](crate::Template) that is none, names what there is not, or does not come to an end.
    #[error("{why} (line {line}, column {column} of the template)")]
    Template {
        /// What is wrong.
        why: String,
        /// The line of the template, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The bytes of the template that are concerned.
        range: Range<usize>,
    },
    /// A request whose [signature](crate::verify) does not hold.
    #[error("the signature does not hold: {why}")]
    Signature {
        /// Why it does not.
        why: &'static str,
    },
    /// The notice could not be written.
    #[error("the notice could not be written")]
    Unwritten(#[source] std::io::Error),
    /// The sink was still at it when its time was up, and was not waited for.
    #[error("{sink} was not done within {:.1} s; the notice may have arrived", after.as_secs_f64())]
    Unfinished {
        /// The sink's name.
        sink: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// TLS cannot be set up, for want of the system's root certificates for one.
    #[error("cannot set up TLS to reach {host}")]
    Tls {
        /// The peer's host.
        host: String,
        /// What the TLS library or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No connection came about.
    #[error("cannot connect to {host} ({})", tries(*attempts))]
    Unreachable {
        /// The peer's host.
        host: String,
        /// How many times it was tried.
        attempts: u32,
        /// What the last try met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke with the notice under way. It may have arrived.
    #[error("connection to {host} broke before an answer came; the notice may have arrived")]
    Broken {
        /// The peer's host.
        host: String,
        /// What the connection met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer came in time. The notice may have arrived, so it is not sent again.
    #[error("no answer from {host} within {:.1} s; the notice may have arrived", after.as_secs_f64())]
    TimedOut {
        /// The peer's host.
        host: String,
        /// How long the last try waited.
        after: Duration,
        /// How many times it was tried.
        attempts: u32,
    },
    /// Too many messages (429), and no room to wait and try again.
    #[error("{host} takes no more messages now ({}){}", tries(*attempts), wait(*retry_after))]
    RateLimited {
        /// The peer's host.
        host: String,
        /// How long the other side asks to wait.
        retry_after: Option<Duration>,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The other side has a fault of its own (5xx).
    #[error("{host} answered {status} ({})", tries(*attempts))]
    Unavailable {
        /// The peer's host.
        host: String,
        /// The HTTP status of the last try.
        status: u16,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The other side refuses the notice, and would again.
    #[error("{host} refused the notice: {status} {code}{}", crate::slack::advice(code))]
    Rejected {
        /// The peer's host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Slack's word for it, `no_service` for one; `unexplained` when it gave none.
        code: String,
    },
    /// The answer is not one that the peer gives: a proxy or a wrong address.
    #[error("{host} answered in a way that Slack does not; the notice may not have arrived")]
    Reply {
        /// The peer's host.
        host: String,
    },
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn tries(attempts: u32) -> String {
    if attempts == 1 { "tried once".to_owned() } else { format!("tried {attempts} times") }
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after.map(|wait| format!("; it asks to wait {} s", wait.as_secs())).unwrap_or_default()
}

impl Error {
    /// For a sink whose task ended before it was done.
    pub(crate) fn ended(sink: &str) -> Self {
        Self::Unfinished { sink: sink.to_owned(), after: Duration::ZERO }
    }
}
