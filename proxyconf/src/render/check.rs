//! What is refused before anything is rendered.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::time::Duration;

use super::directive;
use super::text::word;
use crate::app::folder;
use crate::directives::Directive;
use crate::ear::SOCKET;
use crate::{Address, App, Error, Exposure, Listen, NginxVersion, Site, Slot, Upstream};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// The greatest number of idle connections: nginx allocates all of them when it loads.
const MAX_KEEPALIVE: u32 = 65_535;

/// The longest path or value, in bytes: nginx reads no word of 4096.
const LONGEST: usize = 1024;

/// The longest path of a socket, in bytes (`unix(7)`).
const LONGEST_SOCKET: usize = 107;

pub(super) fn app(app: &App, version: NginxVersion) -> Result<(), Error> {
    if version < NginxVersion::OLDEST {
        return Err(Error::TooOld { version });
    }
    slots(app, version)?;
    upstream(&app.upstream, version)?;
    let timeouts = &app.proxy.timeouts;
    time("timeouts.connect", timeouts.connect)?;
    time("timeouts.read", timeouts.read)?;
    time("timeouts.send", timeouts.send)?;
    time("timeouts.stream", timeouts.stream)?;
    Address::Socket(app.control.listen).check()?;
    path("state_dir", &app.state_dir)?;
    if let Some(host) = &app.preview_host {
        characters("preview_host", host, |c| matches!(c, '.' | '-' | '_' | ':' | '[' | ']'))?;
    }
    match &app.exposure {
        Exposure::Site(it) => site(app, it)?,
        Exposure::Snippets => {}
    }
    if app.tells {
        tells(app)?;
    }
    inherited("access_log", &app.inherited.access_logs)?;
    inherited("add_header", &app.inherited.headers)
}

/// Whether nginx can tell of the app's requests.
fn tells(app: &App) -> Result<(), Error> {
    let socket = folder(&app.state_dir, &app.name).join(SOCKET);
    let value = socket.to_string_lossy();
    if value.len() > LONGEST_SOCKET {
        let reason = "the path of the socket that nginx tells of requests at has at most 107 bytes";
        return Err(Error::invalid("state_dir", &value, reason));
    }
    if value.contains(',') {
        let reason = "a comma would end the address of the socket that nginx tells of requests at";
        return Err(Error::invalid("state_dir", &value, reason));
    }
    let silent = |own: &Directive| own.blocks.is_empty() && own.words == ["access_log", "off"];
    if app.own_directives().any(|own| silent(&own)) {
        let reason = "nginx would tell of no request; turn the log off within a `location`, or by `if=`";
        return Err(Error::invalid("extra", "access_log off;", reason));
    }
    Ok(())
}

/// Directives that are repeated: each one whole.
fn inherited(name: &'static str, all: &[Vec<String>]) -> Result<(), Error> {
    all.iter().try_for_each(|words| {
        let words: Vec<String> = words.iter().map(|text| word(text)).collect();
        directive::check("inherited", &format!("{name} {};", words.join(" ")))
    })
}

fn slots(app: &App, version: NginxVersion) -> Result<(), Error> {
    for slot in Slot::ALL {
        if app.slots[slot].is_empty() {
            return Err(Error::NoReplicas { app: app.name.clone(), slot });
        }
    }
    let mut seen = BTreeSet::new();
    for address in app.slots.blue.iter().chain(&app.slots.green) {
        address.check()?;
        if !seen.insert(address) {
            return Err(Error::invalid(
                "slots",
                &address.to_string(),
                "two replicas cannot have one address",
            ));
        }
        if matches!(address, Address::Name { .. }) && version < NginxVersion::RESOLVE {
            return Err(Error::NamesNeedResolve { address: address.clone(), version });
        }
    }
    Ok(())
}

fn upstream(upstream: &Upstream, version: NginxVersion) -> Result<(), Error> {
    time("keepalive_timeout", upstream.keepalive_timeout)?;
    time("fail_timeout", upstream.fail_timeout)?;
    if upstream.fail_timeout.subsec_nanos() != 0 {
        let value = format!("{:?}", upstream.fail_timeout);
        return Err(Error::invalid("fail_timeout", &value, "nginx takes whole seconds here"));
    }
    if upstream.keepalive > MAX_KEEPALIVE {
        return Err(Error::invalid(
            "keepalive",
            &upstream.keepalive.to_string(),
            "more than 65535 connections",
        ));
    }
    if let Some(resolver) = &upstream.resolver {
        characters("resolver", resolver, |c| matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '=' | ' '))?;
        name_servers(resolver).map_err(|reason| Error::invalid("resolver", resolver, reason))?;
        if version < NginxVersion::RESOLVE {
            return Err(Error::invalid("resolver", resolver, "this needs nginx 1.27.3 or later"));
        }
    }
    Ok(())
}

fn site(app: &App, site: &Site) -> Result<(), Error> {
    if site.listen.is_empty() {
        return Err(Error::invalid("listen", "", "a site listens somewhere"));
    }
    let control = Listen::from(app.control.listen).bound();
    let mut seen = BTreeSet::new();
    for listen in &site.listen {
        if listen.ssl() && site.tls.is_none() {
            return Err(Error::invalid("listen", &listen.to_string(), "`ssl` needs a certificate"));
        }
        if listen.bound() == control {
            return Err(Error::invalid("listen", listen.address(), "the control server listens there"));
        }
        if !seen.insert(listen.bound()) {
            return Err(Error::invalid(
                "listen",
                listen.address(),
                "a site cannot listen twice in one place",
            ));
        }
    }
    if let Some(tls) = &site.tls {
        path("tls.certificate", &tls.certificate)?;
        path("tls.key", &tls.key)?;
    }
    if let Some(bytes) = site.client_max_body_size.filter(|&bytes| i64::try_from(bytes).is_err()) {
        return Err(Error::invalid("client_max_body_size", &bytes.to_string(), "more than 2^63 bytes"));
    }
    site.extra.iter().try_for_each(|extra| directive::check("extra", extra))
}

fn time(field: &'static str, duration: Duration) -> Result<(), Error> {
    if duration < Duration::from_millis(1) || duration > YEAR {
        return Err(Error::invalid(field, &format!("{duration:?}"), "a time is 1 ms to 365 days"));
    }
    Ok(())
}

/// What follows `resolver`: name servers, and how long and for what they are believed.
fn name_servers(text: &str) -> Result<(), &'static str> {
    let (mut servers, mut off) = (0, 0);
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            None if is_name_server(word) => servers += 1,
            None => return Err("a name server is an address or a name, with a port perhaps"),
            Some(("valid", time)) if is_time(time) => {}
            Some(("ipv4" | "ipv6", switch @ ("on" | "off"))) => off += usize::from(switch == "off"),
            Some(("status_zone", zone)) if !zone.is_empty() => {}
            Some(_) => return Err("beside name servers stand `valid=10s`, `ipv4=off` and `ipv6=off`"),
        }
    }
    match (servers, off) {
        (0, _) => Err("it names no name server"),
        (_, 0 | 1) => Ok(()),
        _ => Err("with neither IPv4 nor IPv6 no address can be had"),
    }
}

fn is_name_server(word: &str) -> bool {
    let address = word.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if word.parse::<Ipv4Addr>().is_ok() || address.is_some_and(|word| word.parse::<Ipv6Addr>().is_ok()) {
        return true;
    }
    let with_port = if word.contains(':') { word.to_owned() } else { format!("{word}:53") };
    with_port.parse::<Address>().is_ok()
}

/// A number and its unit, of those that nginx takes for seconds and more.
fn is_time(text: &str) -> bool {
    let number = text.strip_suffix(['s', 'm', 'h', 'd', 'w', 'M', 'y']).unwrap_or(text);
    (1..=6).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit())
}

/// Letters, digits and what `also` allows; at least one.
fn characters(field: &'static str, value: &str, also: impl Fn(char) -> bool) -> Result<(), Error> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, value, "it is empty"));
    }
    if value.len() > LONGEST {
        return Err(Error::invalid(field, value, "it is longer than 1024 bytes"));
    }
    match value.char_indices().find(|&(_, c)| !c.is_ascii_alphanumeric() && !also(c)) {
        Some((offset, character)) => {
            Err(Error::Forbidden { field, value: value.to_owned(), character, offset })
        }
        None => Ok(()),
    }
}

/// An absolute path that can stand between double quotes, where nginx looks for `"`, `\` and `$` only; what would end a
/// directive elsewhere is refused all the same.
fn path(field: &'static str, path: &Path) -> Result<(), Error> {
    let Some(value) = path.to_str() else {
        return Err(Error::invalid(field, &path.to_string_lossy(), "the path is not UTF-8"));
    };
    let forbidden = |c: char| c.is_control() || "\"'\\$;{}*?[]".contains(c);
    if let Some((offset, character)) = value.char_indices().find(|&(_, c)| forbidden(c)) {
        return Err(Error::Forbidden { field, value: value.to_owned(), character, offset });
    }
    if !path.is_absolute() {
        return Err(Error::invalid(field, value, "the path is not absolute"));
    }
    if value.len() > LONGEST {
        return Err(Error::invalid(field, value, "the path is longer than 1024 bytes"));
    }
    Ok(())
}
