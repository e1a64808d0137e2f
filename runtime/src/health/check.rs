//! What is asked of a container.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

/// How a container shows that it is healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It answers a GET with an expected status. Redirects are not followed.
    Http {
        /// The path, with a query where one is needed.
        path: String,
        /// The `Host` header; `None` sends the address that is asked.
        host: Option<String>,
        /// The statuses that are good.
        expect: StatusRanges,
    },
    /// It takes a connection.
    Tcp,
    /// The image's own HEALTHCHECK passes.
    Image,
}

impl Check {
    /// A GET of that path, for a status from 200 to 299.
    pub fn http(path: impl Into<String>) -> Self {
        Self::Http { path: path.into(), host: None, expect: StatusRanges::default() }
    }

    /// What is asked, for people.
    #[must_use]
    pub fn asked(&self, target: SocketAddr) -> String {
        match self {
            Self::Http { path, host: None, .. } => format!("GET http://{target}{path}"),
            Self::Http { path, host: Some(host), .. } => format!("GET http://{target}{path}, Host: {host}"),
            Self::Tcp => format!("connect to {target}"),
            Self::Image => "the image's HEALTHCHECK".to_owned(),
        }
    }
}

/// A check, where it is made, and how long that may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    /// How the container shows that it is healthy.
    pub check: Check,
    /// Where it is asked; of no use to [`Check::Image`].
    pub target: SocketAddr,
    /// How long one answer may take.
    pub attempt: Duration,
    /// How long it may take until an answer is good.
    pub timeout: Duration,
}

impl Gate {
    /// A gate that gives each answer 2 s, and the container 30 s in all.
    pub fn new(check: Check, target: SocketAddr) -> Self {
        Self { check, target, attempt: Duration::from_secs(2), timeout: Duration::from_secs(30) }
    }
}

/// HTTP statuses from one to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
}

/// Ranges of HTTP statuses, written as `200-299,401`.
///
/// ```
/// use cutover_runtime::StatusRanges;
/// let good: StatusRanges = "200-299,401".parse()?;
/// assert!(good.contains(401) && !good.contains(301));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRanges(Vec<StatusRange>);

impl StatusRanges {
    /// True when the status is in one of the ranges.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| (range.first..=range.last).contains(&status))
    }
}

impl Default for StatusRanges {
    /// 200 to 299.
    fn default() -> Self {
        Self(vec![StatusRange { first: 200, last: 299 }])
    }
}

impl fmt::Display for StatusRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, StatusRange { first, last }) in self.0.iter().enumerate() {
            f.write_str(if at > 0 { "," } else { "" })?;
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}-{last}")? }
        }
        Ok(())
    }
}

impl FromStr for StatusRanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let status = |part: &str| {
            let number = part.trim().parse().ok().filter(|status| (100..=599).contains(status));
            number.ok_or_else(|| format!("`{}` is not an HTTP status from 100 to 599", part.trim()))
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (status(first)?, status(last)?);
            if first > last {
                return Err(format!("`{}` begins after its end", part.trim()));
            }
            Ok(StatusRange { first, last })
        };
        text.split(',').map(range).collect::<Result<_, _>>().map(Self)
    }
}

impl FromIterator<StatusRange> for StatusRanges {
    fn from_iter<I: IntoIterator<Item = StatusRange>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_back_as_they_were_shown() {
        for text in ["200-299", "204", "200-299,301,401-403"] {
            assert_eq!(text.parse::<StatusRanges>().unwrap().to_string(), text);
        }
        assert_eq!(StatusRanges::default(), "200 - 299".parse().unwrap());
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["", "ok", "20", "600", "299-200", "200,,201", "200-"] {
            assert!(text.parse::<StatusRanges>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_asked_names_the_address_and_the_host() {
        let target: SocketAddr = "10.0.0.2:80".parse().unwrap();
        let host = Some("x".to_owned());
        let check = Check::Http { path: "/healthz".into(), host, expect: StatusRanges::default() };
        assert_eq!(check.asked(target), "GET http://10.0.0.2:80/healthz, Host: x");
        assert_eq!(Check::Tcp.asked("[::1]:80".parse().unwrap()), "connect to [::1]:80");
    }
}
