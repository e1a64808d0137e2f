//! The app's own `server` block: where it listens, by which names, with which certificate.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The app's own `server` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Where it listens; at least one.
    pub listen: Vec<Listen>,
    /// Its names; none means a server without `server_name`.
    pub server_names: Vec<ServerName>,
    /// Its certificate. When it is given and no `listen` says `ssl`, all of them are.
    pub tls: Option<Tls>,
    /// Whether HTTP/2 is offered on `ssl` addresses.
    pub http2: bool,
    /// The greatest request body, in bytes; 0 is no limit, `None` is nginx's default of 1 MiB.
    pub client_max_body_size: Option<u64>,
    /// More directives and blocks for the `server` block; each is whole: balanced, and ends with `;` or `}`.
    pub extra: Vec<String>,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            server_names: Vec::new(),
            tls: None,
            http2: true,
            client_max_body_size: None,
            extra: Vec::new(),
        }
    }
}

/// A certificate and its key, PEM files as nginx sees them; absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, followed by its chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Where a site listens: an address with, perhaps, `ssl` and `default_server`.
///
/// `80`, `*:80`, `127.0.0.1:8080`, `[::]:443 ssl`, `unix:/run/site.sock`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Listen {
    address: String,
    ssl: bool,
    default_server: bool,
}

impl Listen {
    /// The address, as nginx takes it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it was said to speak TLS.
    #[must_use]
    pub const fn ssl(&self) -> bool {
        self.ssl
    }

    /// Whether it answers for names that no other server has.
    #[must_use]
    pub const fn default_server(&self) -> bool {
        self.default_server
    }

    /// What nginx binds, the same however it is written.
    pub(crate) fn bound(&self) -> String {
        let digits = self.address.strip_prefix("*:").unwrap_or(&self.address);
        match (digits.parse::<u16>(), self.address.parse::<SocketAddr>()) {
            (Ok(port), _) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).to_string(),
            (_, Ok(address)) => address.to_string(),
            _ => self.address.clone(),
        }
    }

    /// The port, unless it is a Unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        if self.address.starts_with("unix:") {
            return None;
        }
        self.address.rsplit(':').next().and_then(|port| port.parse().ok())
    }
}

/// So long no path of a socket can be on Linux, in bytes (`unix(7)`).
const SOCKET_PATH: usize = 108;

/// An address that nginx takes after `listen`.
fn check_listen_address(text: &str) -> Result<(), Error> {
    let fail = |reason| Err(Error::invalid("listen", text, reason));
    if let Some(path) = text.strip_prefix("unix:") {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
        if let Some((offset, character)) = text.char_indices().skip(5).find(|&(_, c)| !allowed(c)) {
            return Err(Error::Forbidden { field: "listen", value: text.to_owned(), character, offset });
        }
        return match path.len() {
            _ if !path.starts_with('/') => fail("the socket's path is not absolute"),
            SOCKET_PATH.. => fail("the path of a socket has at most 107 bytes"),
            _ => Ok(()),
        };
    }
    let digits = text.strip_prefix("*:").unwrap_or(text);
    let port = match digits.parse::<u16>() {
        Ok(port) if !digits.starts_with('+') => port,
        _ => match text.parse::<SocketAddr>() {
            Ok(SocketAddr::V6(v6)) if v6.scope_id() != 0 => {
                return fail("nginx takes no address with a scope");
            }
            Ok(address) => address.port(),
            Err(_) => return fail("neither a port, an `address:port` nor a `unix:/path`"),
        },
    };
    if port == 0 { fail("port 0 is not a port to listen on") } else { Ok(()) }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)?;
        f.write_str(if self.ssl { " ssl" } else { "" })?;
        f.write_str(if self.default_server { " default_server" } else { "" })
    }
}

impl FromStr for Listen {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut words = text.split_ascii_whitespace();
        let address = words.next().unwrap_or_default().to_owned();
        check_listen_address(&address)?;
        let mut listen = Self { address, ssl: false, default_server: false };
        for word in words {
            match word {
                "ssl" => listen.ssl = true,
                "default_server" => listen.default_server = true,
                _ => {
                    let reason = "only `ssl` and `default_server` may follow the address";
                    return Err(Error::invalid("listen", text, reason));
                }
            }
        }
        Ok(listen)
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self { address: address.to_string(), ssl: false, default_server: false }
    }
}

impl TryFrom<String> for Listen {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Listen> for String {
    fn from(listen: Listen) -> Self {
        listen.to_string()
    }
}

/// A name of a site: `example.com`, `*.example.com`, `.example.com`, `www.example.*` or `_`.
///
/// Regular expressions are not taken: they belong in a `server` block of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerName(String);

impl ServerName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the name of one host.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.0 != "_" && !self.0.contains('*') && !self.0.starts_with('.')
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ServerName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        const FIELD: &str = "server_names";
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
        if let Some((offset, character)) = text.char_indices().find(|&(_, c)| !allowed(c)) {
            return Err(Error::Forbidden { field: FIELD, value: text.to_owned(), character, offset });
        }
        let inner = text.strip_prefix("*.").or_else(|| text.strip_suffix(".*")).unwrap_or(text);
        let inner = inner.strip_prefix('.').unwrap_or(inner);
        if inner.contains('*') {
            return Err(Error::invalid(
                FIELD,
                text,
                "`*` stands only for a whole label at the start or the end",
            ));
        }
        if text.len() > 253 || inner.starts_with('-') || inner.split('.').any(str::is_empty) {
            return Err(Error::invalid(FIELD, text, "not the name of a host"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ServerName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<ServerName> for String {
    fn from(name: ServerName) -> Self {
        name.0
    }
}
