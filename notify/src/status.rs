use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// How a deployment ended.
///
/// Reads and prints as `success`, `failure`, `cancelled`, `rolled-back` and `waiting`. The first three are the
/// words that GitHub Actions has for the status of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Status {
    /// The release is live.
    Success,
    /// The release did not go live.
    Failure,
    /// Someone or something stopped the deployment before it ended.
    Cancelled,
    /// The release was live, and traffic is back on the one before it.
    RolledBack,
    /// The release is well and waits for its promotion; the one before it has the traffic.
    Waiting,
}

impl Status {
    /// Every status, in the order of declaration.
    pub const ALL: [Self; 5] =
        [Self::Success, Self::Failure, Self::Cancelled, Self::RolledBack, Self::Waiting];

    /// The word for this status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled-back",
            Self::Waiting => "waiting",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Status`] for any other word.
    fn from_str(given: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == given)
            .ok_or_else(|| Error::Status { given: given.to_owned() })
    }
}
