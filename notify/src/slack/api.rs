use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::address::Address;

/// Where Slack's Web API is.
const API: &str = "https://slack.com/api";

/// The address of Slack's Web API: Slack's own if nothing else is said, or that of a proxy or a stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackApi(String);

impl SlackApi {
    pub(super) fn address(&self) -> Result<Address, Error> {
        Address::base("slack api", &self.0)
    }
}

impl Default for SlackApi {
    fn default() -> Self {
        Self(API.to_owned())
    }
}

impl fmt::Display for SlackApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for SlackApi {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Address`] when it is none, has a user name, or is neither `https` nor `http` to a loopback address.
    fn from_str(given: &str) -> Result<Self, Error> {
        let api = Self(given.to_owned());
        api.address()?;
        Ok(api)
    }
}
