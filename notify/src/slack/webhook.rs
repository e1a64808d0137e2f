use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use crate::Error;

/// A webhook's address that was found good. It is not `Debug`: its path is the secret.
pub(super) struct Webhook {
    url: Url,
    host: String,
}

impl Webhook {
    pub(super) fn parse(address: &SecretString) -> Result<Self, Error> {
        let refused = |why: String| Err(Error::Webhook { why });
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
        if url.path() == "/" {
            return refused(format!("the part after {host}/ is missing"));
        }
        Ok(Self { url, host })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The host, with its port where that is not the scheme's own.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The host without brackets or port.
    pub(super) fn name(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    pub(super) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    pub(super) fn is_https(&self) -> bool {
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
