use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Slack's names have 80 characters at most.
const LONGEST: usize = 80;

/// A channel of Slack's: by its id (`C0123456789`), which it keeps, or by its name (`#deploys`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackChannel(String);

impl SlackChannel {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SlackChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SlackChannel {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Channel`] for what is neither an id nor a name. A name has no capitals, spaces or dots, and may have its
    /// `#` or not.
    fn from_str(given: &str) -> Result<Self, Error> {
        let id = given.starts_with(['C', 'G', 'D'])
            && (8..=24).contains(&given.len())
            && given.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if id {
            return Ok(Self(given.to_owned()));
        }
        let name = given.strip_prefix('#').unwrap_or(given);
        let lower = |c: char| c.is_alphanumeric() && !c.is_uppercase();
        let well = (1..=LONGEST).contains(&name.chars().count())
            && name.chars().all(|c| lower(c) || matches!(c, '-' | '_'));
        if well { Ok(Self(format!("#{name}"))) } else { Err(Error::Channel { given: given.to_owned() }) }
    }
}
