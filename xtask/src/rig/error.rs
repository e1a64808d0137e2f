//! Why a part of the rig could not be had.

use std::fmt;
use std::io;
use std::time::Duration;

/// What went wrong in the rig, never in what it tests.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file, a socket or a process could not be used.
    #[error("cannot {doing}")]
    Io {
        /// What was being done, with the path or address.
        doing: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A command ended with a failure.
    #[error("`{command}` failed ({status}): {output}")]
    Command {
        /// The command line.
        command: String,
        /// Its exit status.
        status: String,
        /// The end of what it wrote.
        output: String,
    },
    /// Something did not become true in time.
    #[error("{what}: not within {within:?}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
    },
    /// The machine lacks something.
    #[error("{what} is missing: {mend}")]
    Missing {
        /// What is missing.
        what: String,
        /// What to run, or to do, to have it.
        mend: String,
    },
    /// A part answered what it should not.
    #[error("{what}: {why}")]
    Unexpected {
        /// The part.
        what: String,
        /// What it did.
        why: String,
    },
}

/// What the rig's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what an [`io::Error`] kept from being done.
pub(crate) trait Doing<T> {
    /// The error with `doing` said of it.
    fn doing(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|source| Error::Io { doing: doing.to_string(), source })
    }
}

/// An [`Error::Unexpected`].
pub(crate) fn unexpected(what: impl fmt::Display, why: impl fmt::Display) -> Error {
    Error::Unexpected { what: what.to_string(), why: why.to_string() }
}
