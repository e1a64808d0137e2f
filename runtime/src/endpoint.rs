//! Where an engine listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::Error;

/// The port an engine has when a `tcp://` address names none. It is the one without TLS.
const DEFAULT_PORT: u16 = 2375;

/// Where an engine listens, in the forms that `DOCKER_HOST` takes.
///
/// ```
/// use cutover_runtime::Endpoint;
/// let endpoint: Endpoint = "unix:///run/user/1000/docker.sock".parse()?;
/// assert_eq!(endpoint.to_string(), "unix:///run/user/1000/docker.sock");
/// # Ok::<(), cutover_runtime::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// Plain HTTP over TCP. Who can reach that port is root on the engine's host.
    Tcp {
        /// A name or an address; an IPv6 address has no brackets here.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Default for Endpoint {
    /// `/var/run/docker.sock`.
    fn default() -> Self {
        Self::Unix(PathBuf::from("/var/run/docker.sock"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    /// Takes `unix:///path`, `tcp://host[:port]` and `http://host[:port]`.
    fn from_str(given: &str) -> Result<Self, Error> {
        let invalid = |why| Error::InvalidEndpoint { given: given.to_owned(), why };
        let Some((scheme, rest)) = given.split_once("://") else {
            return Err(invalid("write it as unix:///path/to/docker.sock or tcp://host:port"));
        };
        let unsupported =
            |hint| Error::UnsupportedScheme { given: given.to_owned(), scheme: scheme.to_owned(), hint };
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Unix(PathBuf::from(rest))),
            "unix" => {
                Err(invalid("the path of the socket must be absolute, as in unix:///var/run/docker.sock"))
            }
            "tcp" | "http" => tcp(rest.strip_suffix('/').unwrap_or(rest)).map_err(invalid),
            "https" => Err(unsupported("TLS is not supported yet; forward the engine's socket over ssh")),
            "ssh" => Err(unsupported(
                "forward the socket with `ssh -L /tmp/engine.sock:/var/run/docker.sock host` and use unix:///tmp/engine.sock",
            )),
            "npipe" => {
                Err(unsupported("named pipes of Windows are not supported; use the engine's tcp port"))
            }
            _ => Err(unsupported("only unix, tcp and http are known")),
        }
    }
}

fn tcp(authority: &str) -> Result<Endpoint, &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) =
                bracketed.split_once(']').ok_or("the bracket of the IPv6 address is not closed")?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err("only a port may follow the IPv6 address"),
            }
        }
        None => match authority.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err("an IPv6 address must stand in brackets"),
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("the host is missing, as in tcp://host:2375");
    }
    if host.contains(['/', '@', '?', '#']) {
        return Err("only a host and a port may follow the scheme");
    }
    let port =
        port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| "the port must be from 1 to 65535"))?;
    if port == 0 {
        return Err("the port must be from 1 to 65535");
    }
    Ok(Endpoint::Tcp { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_docker_host_are_read() {
        let tcp = |host: &str, port| Endpoint::Tcp { host: host.into(), port };
        for (given, wanted) in [
            ("unix:///var/run/docker.sock", Endpoint::default()),
            ("tcp://10.0.0.1:2376", tcp("10.0.0.1", 2376)),
            ("http://engine/", tcp("engine", 2375)),
            ("tcp://[::1]:4000", tcp("::1", 4000)),
        ] {
            assert_eq!(given.parse::<Endpoint>().unwrap(), wanted, "{given}");
        }
    }

    #[test]
    fn an_address_reads_back_as_it_was_shown() {
        for given in ["unix:///a/b.sock", "tcp://h:1", "tcp://[fe80::1]:2375"] {
            assert_eq!(given.parse::<Endpoint>().unwrap().to_string(), given);
        }
    }

    #[test]
    fn what_cannot_be_spoken_is_refused_with_a_way_out() {
        for (given, hint) in
            [("ssh://host", "ssh -L"), ("npipe:////./pipe/docker_engine", "tcp port"), ("https://h", "TLS")]
        {
            let error = given.parse::<Endpoint>().unwrap_err();
            assert!(matches!(error, Error::UnsupportedScheme { .. }), "{error:?}");
            assert!(error.to_string().contains(hint) && error.to_string().contains(given), "{error}");
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for given in [
            "",
            "/var/run/docker.sock",
            "unix://docker.sock",
            "tcp://",
            "tcp://h:0",
            "tcp://h:x",
            "tcp://::1",
            "tcp://u@h",
        ] {
            let error = given.parse::<Endpoint>().unwrap_err();
            assert!(matches!(error, Error::InvalidEndpoint { .. }), "{given}: {error:?}");
        }
    }
}
