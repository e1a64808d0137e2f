//! The version of nginx, which decides how some things are written.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A version of nginx.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NginxVersion {
    /// 1 in 1.22.0.
    pub major: u16,
    /// 22 in 1.22.0.
    pub minor: u16,
    /// 0 in 1.22.0.
    pub patch: u16,
}

impl NginxVersion {
    /// The oldest version that is rendered for: `$upstream_bytes_sent` and `keepalive_timeout` in `upstream` are there.
    pub const OLDEST: Self = Self::new(1, 15, 8);
    /// `http2 on;` takes the place of `listen … http2`.
    pub(crate) const HTTP2_DIRECTIVE: Self = Self::new(1, 25, 1);
    /// `server … resolve` and `resolver` in `upstream`.
    pub(crate) const RESOLVE: Self = Self::new(1, 27, 3);
    /// `keepalive_min_timeout`.
    pub(crate) const KEEPALIVE_MIN_TIMEOUT: Self = Self::new(1, 27, 4);

    /// The version `major.minor.patch`.
    #[must_use]
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads the version from what `nginx -v` writes: `nginx version: nginx/1.22.1 (Debian)`.
    ///
    /// # Errors
    /// [`Error::Invalid`] when no line has that form.
    pub fn parse_banner(banner: &str) -> Result<Self, Error> {
        banner
            .lines()
            .filter_map(|line| line.strip_prefix("nginx version: "))
            .filter_map(|rest| rest.split_whitespace().next()?.split_once('/'))
            .find_map(|(_, version)| version.parse().ok())
            .ok_or_else(|| Error::invalid("nginx version", banner.trim(), "no version is told"))
    }
}

impl fmt::Display for NginxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl FromStr for NginxVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('.').map(str::parse::<u16>);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => Ok(Self { major, minor, patch }),
            _ => Err(Error::invalid("nginx version", text, "a version is three numbers, as in 1.22.1")),
        }
    }
}
