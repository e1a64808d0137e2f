//! The control server: what is served, and the preview route.

use super::block::Block;
use super::proxy::{self, Forwarded};
use super::text::Text;
use crate::control::{APP_HEADER, HOST_HEADER, SLOT_HEADER, STATE_PATH, UPSTREAM_HEADER};
use crate::{App, Exposure, Generation, Slot};

const BLOCK: Block = Block::Own;

pub(super) fn server(text: &mut Text, app: &App, generation: &Generation) {
    let (name, ident) = (&app.name, app.name.ident());
    text.block(format_args!("server"), |text| {
        text.set("listen", app.control.listen);
        text.set("server_name", name.control_host());
        text.set("access_log", "off");
        for ip in &app.control.allow {
            text.set("allow", ip);
        }
        text.set("deny", "all");
        text.set("client_max_body_size", 0);
        text.gap();
        decide(text, app);
        text.gap();
        proxy::settings(text, app, BLOCK, &forwarded(app));
        for header in [HOST_HEADER, SLOT_HEADER] {
            text.line(format_args!("proxy_set_header {header} \"\";"));
        }
        let slot = BLOCK.variable(name, "slot");
        for (header, value) in
            [(APP_HEADER, name.as_str()), (SLOT_HEADER, &slot), (UPSTREAM_HEADER, "$upstream_addr")]
        {
            text.set("proxy_hide_header", header);
            text.line(format_args!("add_header {header} {value} always;"));
        }
        text.gap();
        text.block(format_args!("location = {STATE_PATH}"), |text| {
            // `return` would answer before `allow` and `deny` are looked at; `try_files` comes after them.
            text.line(format_args!("try_files /.cutover-none @cutover_state_{ident};"));
        });
        text.block(format_args!("location @cutover_state_{ident}"), |text| {
            text.set("default_type", "application/json");
            let live = BLOCK.variable(name, "live");
            text.line(format_args!(
                r#"return 200 '{{"app":"{name}","live":"{live}","generation":"{generation}"}}\n';"#
            ));
        });
        text.block(format_args!("location /"), |text| proxy::location(text, app, BLOCK, false));
        proxy::stream_location(text, app, BLOCK, false, |_| {});
    });
}

/// The group to ask: that of the standby slot, unless the request names one.
fn decide(text: &mut Text, app: &App) {
    let [live, slot, group, host] =
        ["live", "slot", "group", "host"].map(|what| BLOCK.variable(&app.name, what));
    let assign = |text: &mut Text, live_slot: Slot| {
        text.line(format_args!("set {live} {live_slot};"));
        text.line(format_args!("set {slot} {};", live_slot.other()));
    };
    text.set("open_file_cache", "off");
    assign(text, Slot::Blue);
    proxy::when_marked(text, app, |text| assign(text, Slot::Green));
    for named in Slot::ALL {
        text.block(format_args!("if ({} = {named})", variable(SLOT_HEADER)), |text| {
            text.line(format_args!("set {slot} {named};"));
        });
    }
    text.line(format_args!("set {group} {}_{slot};", app.name.ident()));
    match preview_host(app) {
        Some(preview) => text.line(format_args!("set {host} {preview};")),
        None => text.line(format_args!("set {host} $host;")),
    }
    let asked = variable(HOST_HEADER);
    text.block(format_args!("if ({asked})"), |text| text.line(format_args!("set {host} {asked};")));
    proxy::choose_connection(text, app, BLOCK);
}

/// The variable that holds a request's header.
fn variable(header: &str) -> String {
    format!("$http_{}", header.to_ascii_lowercase().replace('-', "_"))
}

fn preview_host(app: &App) -> Option<&str> {
    let of_site = || match &app.exposure {
        Exposure::Site(site) => {
            site.server_names.iter().find(|name| name.is_plain()).map(crate::ServerName::as_str)
        }
        Exposure::Snippets => None,
    };
    app.preview_host.as_deref().or_else(of_site)
}

/// The preview tells the app what the site tells it: an app that sends http away to https is healthy all the same.
fn forwarded(app: &App) -> Forwarded<'static> {
    match &app.exposure {
        Exposure::Site(site) if site.tls.is_some() => Forwarded { proto: "https", port: "443" },
        Exposure::Site(_) | Exposure::Snippets => Forwarded::AS_IS,
    }
}
