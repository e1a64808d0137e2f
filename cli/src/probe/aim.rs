//! Where the site is asked, and for what.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use cutover_proxyconf::{AppName, Listen, ServerName};

use crate::config::app::{App, Site};
use crate::failure::{Exit, Failure};

/// Where the site is asked, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The address.
    pub address: Address,
    /// Whether it is asked by TLS. Whose certificate it shows is not judged: nothing secret is sent.
    pub tls: bool,
    /// The `Host` header.
    pub host: String,
    /// The path.
    pub path: String,
}

/// Where something listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// On a TCP port.
    Tcp(SocketAddr),
    /// On a Unix socket.
    Unix(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl std::fmt::Display for Aim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "GET {scheme}://{}{}, Host: {}", self.address, self.path, self.host)
    }
}

impl Aim {
    /// What the file says of an app whose nginx is on this host, or in a container of this address.
    ///
    /// # Errors
    /// [`Exit::Usage`] when there is no address to ask at.
    pub fn of(name: &AppName, app: &App, container: Option<IpAddr>) -> Result<Self, Failure> {
        let written = app.probe.address.map(|address| (Address::Tcp(address), false));
        let (address, tls) =
            written.or_else(|| at_site(app.site.as_ref()?, container)).ok_or_else(|| nowhere(name))?;
        let path = app.probe.path.as_ref().map(|path| &path.value).or(app.health.path.as_ref());
        let host = app.probe.host.as_ref().map(|host| host.value.clone());
        Ok(Self {
            host: host.or_else(|| first_name(app)).unwrap_or_else(|| match &address {
                Address::Tcp(address) => address.to_string(),
                Address::Unix(_) => "localhost".to_owned(),
            }),
            path: path.map_or_else(|| "/".to_owned(), String::clone),
            address,
            tls,
        })
    }
}

fn nowhere(name: &AppName) -> Failure {
    Failure::new(Exit::Usage, format!("`--probe` knows no address at which the site of {name} answers"))
        .serves("nothing was changed")
        .next(format!("write `probe = {{ address = \"127.0.0.1:80\" }}` in [apps.{name}]"))
}

fn first_name(app: &App) -> Option<String> {
    let names = app.site.iter().flat_map(|site| site.server_names.iter());
    let plain = |name: &&String| name.parse::<ServerName>().is_ok_and(|name| name.is_plain());
    names.into_iter().find(plain).cloned()
}

/// The first address of the site that speaks plain HTTP, or else the first.
fn at_site(site: &Site, container: Option<IpAddr>) -> Option<(Address, bool)> {
    let listens: Vec<Listen> = site.listen.as_slice().iter().filter_map(|text| text.parse().ok()).collect();
    let all_tls = site.tls.is_some() && !listens.iter().any(Listen::ssl);
    let reached = |listen: &Listen| Some((address(listen, container)?, all_tls || listen.ssl()));
    let mut reached: Vec<(Address, bool)> = listens.iter().filter_map(reached).collect();
    reached.sort_by_key(|(_, tls)| *tls);
    reached.into_iter().next()
}

/// Where an address that nginx listens on is reached from here. A container's own loopback and sockets are not.
fn address(listen: &Listen, container: Option<IpAddr>) -> Option<Address> {
    let text = listen.address();
    if let Some(path) = text.strip_prefix("unix:") {
        return container.is_none().then(|| Address::Unix(path.into()));
    }
    let written =
        text.parse::<SocketAddr>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
    let ip = match (container, written) {
        (Some(_), ip) if ip.is_loopback() => return None,
        (Some(container), ip) if ip.is_unspecified() => container,
        (None, IpAddr::V4(ip)) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        (None, IpAddr::V6(ip)) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        (_, ip) => ip,
    };
    Some(Address::Tcp(SocketAddr::new(ip, listen.port()?)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn aim(settings: &str, container: Option<&str>) -> Option<String> {
        let text = format!("[apps.web]\nimage = \"nginx\"\nport = 80\n{settings}\n");
        let config = Config::parse(Path::new("cutover.toml"), &text).unwrap();
        let (name, app) = config.app(None).unwrap();
        let container = container.map(|address| address.parse().unwrap());
        Aim::of(name, app, container).ok().map(|aim| aim.to_string())
    }

    #[test]
    fn a_site_is_asked_where_it_listens_by_its_first_name() {
        for (settings, asked) in [
            ("site = { listen = \"80\" }", "GET http://127.0.0.1:80/, Host: 127.0.0.1:80"),
            (
                "health = { path = \"/up\" }\nsite = { listen = \"*:81\", server_names = [\"_\", \"*.a.com\", \"a.com\"] }",
                "GET http://127.0.0.1:81/up, Host: a.com",
            ),
            (
                "site = { listen = [\"443 ssl\", \"[::]:80\"], tls = { certificate = \"/c\", key = \"/k\" } }",
                "GET http://[::1]:80/, Host: [::1]:80",
            ),
            (
                "probe = { path = \"/p\" }\nsite = { listen = \"10.0.0.1:443\", tls = { certificate = \"/c\", key = \"/k\" } }",
                "GET https://10.0.0.1:443/p, Host: 10.0.0.1:443",
            ),
            ("site = { listen = \"unix:/run/s\" }", "GET http://unix:/run/s/, Host: localhost"),
            (
                "probe = { address = \"127.0.0.1:8080\", host = \"b.com\", path = \"/p\" }",
                "GET http://127.0.0.1:8080/p, Host: b.com",
            ),
        ] {
            assert_eq!(aim(settings, None).as_deref(), Some(asked), "{settings}");
        }
        assert_eq!(aim("", None), None);
    }

    #[test]
    fn the_site_of_a_container_is_asked_at_the_containers_address() {
        let asked = |listen: &str| aim(&format!("site = {{ listen = \"{listen}\" }}"), Some("172.17.0.2"));
        assert_eq!(asked("80").as_deref(), Some("GET http://172.17.0.2:80/, Host: 172.17.0.2:80"));
        assert_eq!(asked("127.0.0.1:80"), None);
        assert_eq!(asked("unix:/run/s"), None);
    }
}
