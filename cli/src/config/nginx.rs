//! From an app of the file to the nginx model that is rendered.

use std::net::{IpAddr, SocketAddr};

use cutover_proxyconf::{
    self as proxyconf, Address, AppName, BySlot, Control, Exposure, Listen, ProxySettings, ServerName,
    Timeouts,
};

use super::app::{App, Balance, Site, Upstream};
use super::file::Proxy;
use super::value::{Parsed, Period};

/// The model of an app whose slots are at these addresses.
///
/// # Errors
/// A value that nginx would not take as it is meant.
pub(crate) fn model(
    name: &AppName,
    app: &App,
    proxy: &Proxy,
    control: (SocketAddr, &[IpAddr]),
    slots: BySlot<Vec<Address>>,
) -> Result<proxyconf::App, proxyconf::Error> {
    let mut listen = Control::new(control.0);
    listen.allow.extend(control.1);
    Ok(proxyconf::App {
        name: name.clone(),
        slots,
        upstream: upstream(&app.upstream),
        exposure: match &app.site {
            Some(written) => Exposure::Site(site(written)?),
            None => Exposure::Snippets,
        },
        proxy: settings(&app.upstream),
        control: listen,
        state_dir: proxy.state_dir.value.clone(),
        preview_host: app.health.host.clone(),
        tells: app.rule().is_some(),
        canary: app.canary.as_ref().map(|canary| canary.by.into()),
        inherited: proxyconf::Inherited::default(),
    })
}

fn upstream(written: &Upstream) -> proxyconf::Upstream {
    let usual = proxyconf::Upstream::default();
    proxyconf::Upstream {
        balance: match written.balance.unwrap_or_default() {
            Balance::RoundRobin => proxyconf::Balance::RoundRobin,
            Balance::LeastConn => proxyconf::Balance::LeastConn,
            Balance::IpHash => proxyconf::Balance::IpHash,
        },
        max_fails: written.max_fails.unwrap_or(usual.max_fails),
        fail_timeout: or(&written.fail_timeout, usual.fail_timeout),
        keepalive: written.keepalive.unwrap_or(usual.keepalive),
        keepalive_timeout: or(&written.keepalive_timeout, usual.keepalive_timeout),
        resolver: written.resolver.clone(),
    }
}

fn settings(written: &Upstream) -> ProxySettings {
    let usual = Timeouts::default();
    ProxySettings {
        timeouts: Timeouts {
            connect: or(&written.connect_timeout, usual.connect),
            read: or(&written.read_timeout, usual.read),
            send: or(&written.send_timeout, usual.send),
            stream: or(&written.stream_timeout, usual.stream),
        },
        buffering: written.buffering.unwrap_or(true),
    }
}

fn or(written: &Option<Parsed<Period>>, usual: std::time::Duration) -> std::time::Duration {
    written.as_ref().map_or(usual, |period| period.0)
}

fn site(written: &Site) -> Result<proxyconf::Site, proxyconf::Error> {
    Ok(proxyconf::Site {
        listen: written
            .listen
            .as_slice()
            .iter()
            .map(|text| text.parse::<Listen>())
            .collect::<Result<_, _>>()?,
        server_names: written
            .server_names
            .iter()
            .map(|t| t.parse::<ServerName>())
            .collect::<Result<_, _>>()?,
        tls: written
            .tls
            .as_ref()
            .map(|tls| proxyconf::Tls { certificate: tls.certificate.clone(), key: tls.key.clone() }),
        client_max_body_size: written.max_body.as_ref().map(|size| size.0),
        extra: written.extra.value.clone(),
        ..proxyconf::Site::default()
    })
}
