//! The name of an app, and the names in nginx that follow from it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, Slot};

/// The name of an app: `[a-z0-9]([a-z0-9-]{0,26}[a-z0-9])?`.
///
/// It becomes part of file names, of `upstream` groups, of nginx variables and of a host name. 28 bytes is what leaves
/// the longest of those within one bucket (64 bytes) of nginx's default hash tables.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(String);

impl AppName {
    /// The greatest length, in bytes.
    pub const MAX_LEN: usize = 28;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the app's `upstream` group for `slot`, such as `my_app_blue`.
    ///
    /// No two apps share a group: a name holds no `_`, so `-` can be turned into `_` and back.
    #[must_use]
    pub fn group(&self, slot: Slot) -> String {
        format!("{}_{slot}", self.ident())
    }

    /// The virtual host of the app's control server, such as `my-app.cutover.localhost`.
    #[must_use]
    pub fn control_host(&self) -> String {
        format!("{}.cutover.localhost", self.0)
    }

    /// The name in the letters that an nginx variable may have.
    pub(crate) fn ident(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for AppName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let fail = |offset: usize, reason: &'static str| {
            Err(Error::InvalidAppName { name: text.to_owned(), offset, reason })
        };
        if text.is_empty() {
            return fail(0, "it is empty");
        }
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if let Some(offset) = text.find(|c| !allowed(c)) {
            return fail(offset, "only a-z, 0-9 and `-` are allowed");
        }
        if text.starts_with('-') {
            return fail(0, "it begins with `-`");
        }
        if text.len() > Self::MAX_LEN {
            return fail(Self::MAX_LEN, "it is longer than 28 bytes");
        }
        if text.ends_with('-') {
            return fail(text.len() - 1, "it ends with `-`");
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for AppName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<AppName> for String {
    fn from(name: AppName) -> Self {
        name.0
    }
}
