//! The tables that all apps of a file share: the proxy, the network, the registries.

use std::net::Ipv4Addr;

use super::{Check, Checked};
use crate::config::file::{File, Network, Proxy, Registry};

impl Check<'_> {
    pub(super) fn file(&self, file: &File) -> Checked {
        if let Some(folder) = &file.data_dir {
            self.absolute(&["data_dir"], folder)?;
        }
        self.proxy(&file.proxy)?;
        self.network(&file.network)?;
        for (host, registry) in &file.registry {
            self.registry(host, registry)?;
        }
        self.notify(&file.notify)
    }

    fn proxy(&self, proxy: &Proxy) -> Checked {
        self.absolute(&["proxy", "conf_dir"], &proxy.conf_dir)?;
        self.absolute(&["proxy", "state_dir"], &proxy.state_dir)?;
        let nginx = &proxy.nginx;
        for (key, path) in [("binary", &nginx.binary), ("conf", &nginx.conf)] {
            if let Some(path) = path {
                self.absolute(&["proxy", "nginx", key], path)?;
            }
        }
        let control = ["proxy", "control"];
        if proxy.control.port() == 0 {
            return Err(self.at(&control, "the control server needs a port", "write one from 1 to 65535"));
        }
        if let Some(container) = &nginx.container {
            if nginx.binary.is_some() || nginx.conf.is_some() {
                return Err(self.at(
                    &["proxy", "nginx", "container"],
                    "nginx is either a program of this host or a container",
                    "leave out `binary` and `conf`, or `container`",
                ));
            }
            return self.docker_name(&["proxy", "nginx", "container"], container, "a container");
        }
        if proxy.control.ip().is_loopback() {
            return Ok(());
        }
        let problem = format!("the control server would be open to others at {}", proxy.control);
        Err(self.at(&control, problem, "write a loopback address, such as \"127.0.0.1:9180\""))
    }

    fn network(&self, network: &Network) -> Checked {
        self.docker_name(&["network", "name"], &network.name, "a network")?;
        let Some(subnet) = &network.subnet else { return Ok(()) };
        let well = subnet.split_once('/').is_some_and(|(address, length)| {
            address.parse::<Ipv4Addr>().is_ok()
                && length.parse::<u8>().is_ok_and(|length| (8..=24).contains(&length))
        });
        if well {
            return Ok(());
        }
        let problem = format!("`{}` is no subnet for the slots", subnet.value);
        let mend = "write an IPv4 subnet of /8 to /24, such as \"10.213.0.0/16\"";
        Err(self.at(&["network", "subnet"], problem, mend))
    }

    fn registry(&self, host: &str, registry: &Registry) -> Checked {
        let no_host =
            |host: &str| host.is_empty() || host.contains(['/', '@']) || host.contains(char::is_whitespace);
        if no_host(host) {
            let problem = format!("`{host}` is not the host of a registry");
            let mend = "write the host alone, with its port if it has one, such as [registry.\"ghcr.io\"]";
            return Err(self.key(&["registry", host], problem, mend));
        }
        if let Some(mirror) = registry.mirrors.iter().find(|mirror| no_host(&mirror.value)) {
            let problem = format!("`{}` is not the host of a mirror", mirror.value);
            let mend = "write the host alone, with its port if it has one, such as \"mirror.lan:5000\"; who to be there \
                        stands in a table of its own, [registry.\"mirror.lan:5000\"]";
            return Err(self.source.invalid(mirror.span.clone(), problem, Some(mend)));
        }
        match (&registry.username, &registry.password) {
            (Some(_), None) => Err(self.at(
                &["registry", host, "username"],
                format!("registry {host} has a username and no password"),
                "add password = { env = \"NAME\" }",
            )),
            (None, Some(_)) => Err(self.at(
                &["registry", host, "password"],
                format!("registry {host} has a password and no username"),
                "add username; GHCR takes any name beside a token",
            )),
            _ => Ok(()),
        }
    }
}
