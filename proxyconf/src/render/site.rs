//! The app's own `server` block, or the snippets for a `server` block of the user's.

use super::block::Block;
use super::directive::trimmed;
use super::proxy::{self, Forwarded};
use super::text::{Text, quoted};
use super::{share, tell};
use crate::{App, Balance, NginxVersion, Site};

/// How long a connection kept by a client is left open for its next request while nginx reloads: 1 s was too short.
const KEEPALIVE_MIN_TIMEOUT: &str = "10s";

pub(super) fn server(text: &mut Text, app: &App, site: &Site, version: NginxVersion) {
    let fail_over = app.upstream.balance == Balance::IpHash;
    text.block(format_args!("server"), |text| {
        listen(text, site, version);
        if let Some(bytes) = site.client_max_body_size {
            text.set("client_max_body_size", bytes);
        }
        if version >= NginxVersion::KEEPALIVE_MIN_TIMEOUT {
            text.set("keepalive_min_timeout", KEEPALIVE_MIN_TIMEOUT);
        }
        text.gap();
        decide(text, app, Block::Own);
        text.gap();
        proxy::settings(text, app, Block::Own, &Forwarded::AS_IS);
        for extra in &site.extra {
            text.gap();
            text.line(format_args!("{}", trimmed(extra)));
        }
        text.gap();
        text.block(format_args!("location /"), |text| proxy::location(text, app, Block::Own, fail_over));
        proxy::stream_location(text, app, Block::Own, fail_over, |_| {});
        if fail_over {
            proxy::failover_location(text, app, Block::Own, |_| {});
        }
    });
}

fn listen(text: &mut Text, site: &Site, version: NginxVersion) {
    let all_ssl = site.tls.is_some() && !site.listen.iter().any(crate::Listen::ssl);
    let by_directive = version >= NginxVersion::HTTP2_DIRECTIVE;
    for listen in &site.listen {
        let ssl = all_ssl || listen.ssl();
        text.line(format_args!(
            "listen {}{}{}{};",
            listen.address(),
            if ssl { " ssl" } else { "" },
            if ssl && site.http2 && !by_directive { " http2" } else { "" },
            if listen.default_server() { " default_server" } else { "" },
        ));
    }
    if !site.server_names.is_empty() {
        let names: Vec<_> = site.server_names.iter().map(crate::ServerName::as_str).collect();
        text.set("server_name", names.join(" "));
    }
    if let Some(tls) = &site.tls {
        if site.http2 && by_directive {
            text.set("http2", "on");
        }
        text.set("ssl_certificate", quoted(&tls.certificate));
        text.set("ssl_certificate_key", quoted(&tls.key));
    }
}

/// What is decided per request, in the server block.
fn decide(text: &mut Text, app: &App, block: Block) {
    // A cached answer to the test for the marker would be an old one.
    text.set("open_file_cache", "off");
    proxy::choose_group(text, app, block);
    share::choose(text, app, block);
    proxy::choose_host(text, app, block);
    proxy::choose_connection(text, app, block);
    if app.tells {
        tell::decide(text, app, block);
        text.gap();
        tell::logs(text, app, block);
    }
    share::headers(text, app, block);
}

/// For the user's `server` block.
pub(super) fn server_snippet(text: &mut Text, app: &App) {
    let fail_over = app.upstream.balance == Balance::IpHash;
    decide(text, app, Block::Users);
    text.gap();
    let settings = |text: &mut Text| proxy::settings(text, app, Block::Users, &Forwarded::AS_IS);
    proxy::stream_location(text, app, Block::Users, fail_over, settings);
    if fail_over {
        proxy::failover_location(text, app, Block::Users, settings);
    }
}

/// For a location in the user's `server` block.
pub(super) fn location_snippet(text: &mut Text, app: &App) {
    proxy::settings(text, app, Block::Users, &Forwarded::AS_IS);
    proxy::location(text, app, Block::Users, app.upstream.balance == Balance::IpHash);
}
