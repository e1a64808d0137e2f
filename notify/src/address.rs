use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::Error;

/// The address of a peer that was found good. It is not `Debug`: a webhook's path is its secret.
pub(crate) struct Address {
    url: Url,
    host: String,
}

impl Address {
    /// A webhook's address; `what` is what the webhook is called in an error.
    pub(crate) fn webhook(what: &'static str, address: &SecretString) -> Result<Self, Error> {
        let address = Self::parse(what, address)?;
        if address.url.path() == "/" {
            let why = format!("the part after {}/ is missing", address.host);
            return Err(Error::Address { what, why });
        }
        Ok(address)
    }

    /// An address of which the path is no secret and may be missing.
    pub(crate) fn base(what: &'static str, address: &str) -> Result<Self, Error> {
        Self::parse(what, &SecretString::from(address))
    }

    fn parse(what: &'static str, address: &SecretString) -> Result<Self, Error> {
        let refused = |why: String| Err(Error::Address { what, why });
        let address = address.expose_secret().trim();
        if address.is_empty() {
            return refused("the address is empty".to_owned());
        }
        let url = match Url::parse(address) {
            Ok(url) => url,
            Err(why) => return refused(format!("it is not an address ({why})")),
        };
        let Some(host) = authority(&url) else {
            return refused("the address has no host".to_owned());
        };
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return refused(format!("http would show the notice to others; use https://{host}/…")),
            // A scheme is not told: in `xoxb-…:…` it would be a part of a token.
            _ => return refused("the scheme must be https".to_owned()),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refused(format!("a user name or password before {host} has no use here"));
        }
        Ok(Self { url, host })
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The host, with its port where that is not the scheme's own.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Connects, says nothing, and leaves again: whether anyone is there.
    pub(crate) async fn knock(&self, limit: Duration) -> std::io::Result<()> {
        let name = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.url.port_or_known_default().unwrap_or(443);
        let connected = tokio::time::timeout(limit, tokio::net::TcpStream::connect((name, port))).await;
        connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map(drop)
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

fn authority(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
