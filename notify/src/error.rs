use std::time::Duration;

use crate::{Field, Status};

/// What can go wrong between a notice and the channel it is meant for.
///
/// Of a webhook's address only the host, with its port where that is unusual, is ever told: the path is
/// the secret.
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
    /// The webhook's address cannot be used.
    #[error("slack webhook refused: {why}")]
    Webhook {
        /// What is wrong with it, without a part of it but the scheme and host.
        why: String,
    },
    /// TLS cannot be set up, for want of the system's root certificates for one.
    #[error("cannot set up TLS to reach {host}")]
    Tls {
        /// The webhook's host.
        host: String,
        /// What the TLS library or the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No connection came about.
    #[error("cannot connect to {host} ({})", tries(*attempts))]
    Unreachable {
        /// The webhook's host.
        host: String,
        /// How many times it was tried.
        attempts: u32,
        /// What the last try met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The connection broke with the notice under way. It may have arrived.
    #[error("connection to {host} broke before an answer came; the notice may have arrived")]
    Broken {
        /// The webhook's host.
        host: String,
        /// What the connection met.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer came in time. The notice may have arrived, so it is not sent again.
    #[error("no answer from {host} within {:.1} s; the notice may have arrived", after.as_secs_f64())]
    TimedOut {
        /// The webhook's host.
        host: String,
        /// How long the last try waited.
        after: Duration,
        /// How many times it was tried.
        attempts: u32,
    },
    /// Too many messages (429), and no room to wait and try again.
    #[error("{host} takes no more messages now ({}){}", tries(*attempts), wait(*retry_after))]
    RateLimited {
        /// The webhook's host.
        host: String,
        /// How long the other side asks to wait.
        retry_after: Option<Duration>,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The other side has a fault of its own (5xx).
    #[error("{host} answered {status} ({})", tries(*attempts))]
    Unavailable {
        /// The webhook's host.
        host: String,
        /// The HTTP status of the last try.
        status: u16,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The other side refuses the notice, and would again.
    #[error("{host} refused the notice: {status} {code}{}", crate::slack::advice(code))]
    Rejected {
        /// The webhook's host.
        host: String,
        /// The HTTP status.
        status: u16,
        /// Slack's word for it, `no_service` for one; `unexplained` when it gave none.
        code: String,
    },
    /// The answer is not one that Slack gives: a proxy or a wrong address.
    #[error("{host} answered in a way that Slack does not; the notice may not have arrived")]
    Reply {
        /// The webhook's host.
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
