//! What nginx would not take: the app's model is checked, and what is refused is told where it was written.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use cutover_proxyconf::{Address, AppName, BySlot, Error, NginxVersion, check};

use super::{Check, Checked};
use crate::config::app::App;
use crate::config::file::Proxy;
use crate::config::nginx;

/// Newer than what any directive needs: which nginx there is shows only later.
const ANY: NginxVersion = NginxVersion::new(u16::MAX, 0, 0);

impl Check<'_> {
    pub(super) fn nginx(&self, name: &AppName, app: &App, proxy: &Proxy) -> Checked {
        let listen = match &proxy.nginx.container {
            Some(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, proxy.control.port())),
            None => proxy.control,
        };
        let nothing: &[IpAddr] = &[];
        let checked = nginx::model(name, app, proxy, (listen, nothing), addresses(app))
            .and_then(|model| check(&model, ANY));
        let Err(error) = checked else { return Ok(()) };
        let (field, value) = match &error {
            Error::Forbidden { field, value, .. } | Error::Invalid { field, value, .. } => {
                (*field, value.as_str())
            }
            _ => ("", ""),
        };
        let (keys, mend) = place(field);
        let mut path = vec!["apps", name.as_str()];
        path.extend(keys);
        if field == "state_dir" {
            path = vec!["proxy", "state_dir"];
        }
        let problem = error.to_string();
        let problem = keys.last().map_or_else(|| problem.clone(), |key| problem.replacen(field, key, 1));
        Err(self.element(&path, value, problem, mend))
    }
}

/// The file's addresses, or any two where cutover chooses them.
fn addresses(app: &App) -> BySlot<Vec<Address>> {
    let any = |port| vec![Address::Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))];
    match &app.slots {
        None => BySlot { blue: any(1), green: any(2) },
        Some(slots) => {
            let of = |addresses: &[crate::config::value::Parsed<Address>]| {
                addresses.iter().map(|address| address.get().clone()).collect()
            };
            BySlot { blue: of(slots.blue.as_slice()), green: of(slots.green.as_slice()) }
        }
    }
}

/// Where in an app's table a field of the model is written, and what mends it.
fn place(field: &str) -> (&'static [&'static str], &'static str) {
    const LISTEN: &str =
        "write a free port or address and port, such as \"80\"; `443 ssl` needs tls beside it";
    const PERIOD: &str = "write a time from \"1ms\" to \"8760h\"";
    const PLAIN: &str = "write letters, digits and any of `.-_`";
    const PATH: &str = "write an absolute path without quotes, `$`, `;` or braces";
    match field {
        "listen" => (&["site", "listen"], LISTEN),
        "server_names" => {
            (&["site", "server_names"], "write names such as \"example.com\" or \"*.example.com\"")
        }
        "extra" => (&["site", "extra"], "write whole directives, each ended with `;`, and each block closed"),
        "tls.certificate" => (&["site", "tls", "certificate"], PATH),
        "tls.key" => (&["site", "tls", "key"], PATH),
        "state_dir" => (&[], PATH),
        "client_max_body_size" => (&["site", "max_body"], "write a smaller size, or leave it out"),
        "preview_host" => (&["health", "host"], PLAIN),
        "resolver" => {
            (&["upstream", "resolver"], "write the address of a name server, such as \"127.0.0.11\"")
        }
        "fail_timeout" => (&["upstream", "fail_timeout"], "write whole seconds, such as \"10s\""),
        "keepalive" => (&["upstream", "keepalive"], "write a number up to 65535"),
        "keepalive_timeout" => (&["upstream", "keepalive_timeout"], PERIOD),
        "timeouts.connect" => (&["upstream", "connect_timeout"], PERIOD),
        "timeouts.read" => (&["upstream", "read_timeout"], PERIOD),
        "timeouts.send" => (&["upstream", "send_timeout"], PERIOD),
        "timeouts.stream" => (&["upstream", "stream_timeout"], PERIOD),
        "slots" | "address" => (&["slots"], "write addresses such as \"127.0.0.1:8112\""),
        _ => (&[], "mend what is named above"),
    }
}
