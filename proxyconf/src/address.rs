//! Where nginx sends the requests of a slot.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The address of one replica, as nginx reaches it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Address {
    /// An IP address and a port: `127.0.0.1:8112`, `[::1]:8112`.
    Socket(SocketAddr),
    /// A name that nginx looks up, and a port: `web-blue:8112`. Needs nginx 1.27.3.
    Name {
        /// The host name.
        host: String,
        /// The TCP port.
        port: u16,
    },
}

impl Address {
    /// The TCP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        match self {
            Self::Socket(address) => address.port(),
            Self::Name { port, .. } => *port,
        }
    }

    /// Refuses what could not have been parsed: the fields are public, and end in a configuration.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.port() == 0 {
            return Err(Error::invalid("address", &self.to_string(), "port 0 is not an address to send to"));
        }
        match self {
            Self::Socket(SocketAddr::V6(v6)) if v6.scope_id() != 0 => {
                Err(Error::invalid("address", &self.to_string(), "nginx takes no address with a scope"))
            }
            Self::Socket(_) => Ok(()),
            Self::Name { host, .. } => check_host("address", host),
        }
    }
}

/// Refuses what is no host name of RFC 1123, section 2.1 (with `_`, which Docker's names may have).
fn check_host(field: &'static str, host: &str) -> Result<(), Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if let Some((offset, character)) = host.char_indices().find(|&(_, c)| !allowed(c)) {
        return Err(Error::Forbidden { field, value: host.to_owned(), character, offset });
    }
    if host.is_empty() || host.len() > 253 {
        return Err(Error::invalid(field, host, "a host name has 1 to 253 bytes"));
    }
    if host.starts_with(['-', '.']) || host.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return Err(Error::invalid(field, host, "neither an IP address nor a host name"));
    }
    Ok(())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(address) => address.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let address = if let Ok(socket) = text.parse() {
            Self::Socket(socket)
        } else {
            let Some((host, port)) = text.rsplit_once(':') else {
                return Err(Error::invalid("address", text, "an address is `host:port`"));
            };
            let port = port
                .parse()
                .map_err(|_| Error::invalid("address", text, "the port is not a number of 1 to 65535"))?;
            Self::Name { host: host.to_owned(), port }
        };
        address.check()?;
        Ok(address)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Socket(address)
    }
}

impl TryFrom<String> for Address {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}
