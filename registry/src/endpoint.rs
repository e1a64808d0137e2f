//! Where a registry is reached: its API's address, by https or by plain http.

use std::net::{Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::Error;

/// The name that a registry goes by here, whichever of Docker Hub's names it was called.
pub(crate) fn registry_name(registry: &str) -> &str {
    match registry {
        "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

/// The address below which the registry's API lies.
pub(crate) fn base(registry: &str, plain: bool) -> Result<Url, Error> {
    let host = if registry == "docker.io" { "registry-1.docker.io" } else { registry };
    let scheme = if plain { "http" } else { "https" };
    Url::parse(&format!("{scheme}://{host}/v2/"))
        .map_err(|error| Error::protocol(registry, format!("not a registry's address: {error}")))
}

/// Whether the registry is on this machine's loopback, where Docker speaks plain http too.
pub(crate) fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => registry.split_once(':').map_or(registry, |(host, _)| host),
    };
    host == "localhost"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

/// The host of an address, with its port where that is not the scheme's own: what a person is told.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether both addresses are one server: scheme, host and port.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_the_rest() {
        for name in ["localhost", "localhost:5000", "127.0.0.1", "127.9.8.7:80", "[::1]", "[::1]:5000"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in
            ["ghcr.io", "localhost.example", "128.0.0.1", "127.0.0.1.example", "[::2]:5000", "docker.io"]
        {
            assert!(!is_loopback(name), "{name}");
        }
    }

    #[test]
    fn docker_hub_is_reached_where_its_api_is() {
        assert_eq!(base("docker.io", false).unwrap().as_str(), "https://registry-1.docker.io/v2/");
        assert_eq!(base("[::1]:5000", true).unwrap().as_str(), "http://[::1]:5000/v2/");
    }

    #[test]
    fn a_port_of_its_own_is_told_with_the_host() {
        for (name, told) in
            [("ghcr.io", "ghcr.io"), ("ghcr.io:5000", "ghcr.io:5000"), ("[::1]:80", "[::1]:80")]
        {
            assert_eq!(authority(&base(name, false).unwrap()), told);
        }
    }
}
