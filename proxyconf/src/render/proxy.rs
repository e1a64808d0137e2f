//! Passing requests on: the variables that are decided per request, and the locations that use them.

use super::block::Block;
use super::share;
use super::text::{Text, quoted, time};
use crate::{App, Balance, Slot, marker};

/// The status that sends a stream to its own location. Nobody answers with it, so nobody's error page is in its way.
const STREAM_STATUS: u16 = 597;

/// The requests that may be sent twice (RFC 9110, section 9.2.2), as far as nginx knows them.
const IDEMPOTENT: &str = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE";

/// What the app is told of how it was reached.
pub(super) struct Forwarded<'a> {
    pub(super) proto: &'a str,
    pub(super) port: &'a str,
}

impl Forwarded<'_> {
    /// As nginx was reached.
    pub(super) const AS_IS: Forwarded<'static> = Forwarded { proto: "$scheme", port: "$server_port" };
}

/// The group of the live slot (and with `ip_hash` the other one), by the marker.
pub(super) fn choose_group(text: &mut Text, app: &App, block: Block) {
    let (group, other) = (block.variable(&app.name, "group"), block.variable(&app.name, "other"));
    let assign = |text: &mut Text, live: Slot| {
        text.line(format_args!("set {group} {};", app.name.group(live)));
        if app.upstream.balance == Balance::IpHash {
            text.line(format_args!("set {other} {};", app.name.group(live.other())));
        }
        share::name_standby(text, app, block, live);
    };
    assign(text, Slot::Blue);
    when_marked(text, app, |text| assign(text, Slot::Green));
}

/// What holds while the marker is there.
pub(super) fn when_marked(text: &mut Text, app: &App, body: impl FnOnce(&mut Text)) {
    let marker = quoted(&marker(&app.state_dir, &app.name));
    text.block(format_args!("if (-f {marker})"), body);
}

/// `$http_host`, or `$host` for a request of HTTP/1.0 that has none.
pub(super) fn choose_host(text: &mut Text, app: &App, block: Block) {
    let host = block.variable(&app.name, "host");
    text.line(format_args!("set {host} $http_host;"));
    text.block(format_args!("if ({host} = \"\")"), |text| text.line(format_args!("set {host} $host;")));
}

/// What of a connection is passed on: upgrades (but to HTTP/2, which nginx does not relay), else keep-alive.
pub(super) fn choose_connection(text: &mut Text, app: &App, block: Block) {
    let [upgrade, connection, stream] =
        ["upgrade", "conn", "stream"].map(|what| block.variable(&app.name, what));
    text.line(format_args!("set {upgrade} $http_upgrade;"));
    text.block(format_args!("if ($http_upgrade ~* h2c)"), |text| {
        text.line(format_args!("set {upgrade} \"\";"));
    });
    text.line(format_args!("set {connection} \"\";"));
    text.line(format_args!("set {stream} \"\";"));
    text.block(format_args!("if ({upgrade})"), |text| {
        text.line(format_args!("set {connection} upgrade;"));
        text.line(format_args!("set {stream} 1;"));
    });
    text.block(format_args!("if ($http_accept ~* \"text/event-stream\")"), |text| {
        text.line(format_args!("set {stream} 1;"));
    });
}

/// How every request of a server (or of a location) is passed on.
pub(super) fn settings(text: &mut Text, app: &App, block: Block, forwarded: &Forwarded<'_>) {
    let [host, upgrade, connection] = ["host", "upgrade", "conn"].map(|what| block.variable(&app.name, what));
    text.set("proxy_http_version", "1.1");
    for (header, value) in [
        ("Host", host.as_str()),
        ("Connection", &connection),
        ("Upgrade", &upgrade),
        ("X-Real-IP", "$remote_addr"),
        ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
        ("X-Forwarded-Proto", forwarded.proto),
        ("X-Forwarded-Host", &host),
        ("X-Forwarded-Port", forwarded.port),
    ] {
        text.line(format_args!("proxy_set_header {header} {value};"));
    }
    text.set("proxy_connect_timeout", time(app.proxy.timeouts.connect));
}

/// What sets requests apart from streams.
fn pace(text: &mut Text, app: &App, stream: bool) {
    let timeouts = &app.proxy.timeouts;
    let (read, send) =
        if stream { (timeouts.stream, timeouts.stream) } else { (timeouts.read, timeouts.send) };
    text.set("proxy_read_timeout", time(read));
    text.set("proxy_send_timeout", time(send));
    if stream || !app.proxy.buffering {
        text.set("proxy_buffering", "off");
    }
}

/// The inside of the location that takes all requests.
pub(super) fn location(text: &mut Text, app: &App, block: Block, fail_over: bool) {
    let (ident, stream) = (app.name.ident(), block.variable(&app.name, "stream"));
    text.line(format_args!("error_page {STREAM_STATUS} = @cutover_stream_{ident};"));
    if fail_over {
        error_page(text, app);
    }
    text.block(format_args!("if ({stream})"), |text| text.line(format_args!("return {STREAM_STATUS};")));
    pace(text, app, false);
    pass(text, &block.variable(&app.name, "group"));
}

/// The location that streams are sent to: websockets, and what accepts `text/event-stream`. `headers` repeats the
/// settings where the server block around it does not hold them.
pub(super) fn stream_location(
    text: &mut Text,
    app: &App,
    block: Block,
    fail_over: bool,
    headers: impl FnOnce(&mut Text),
) {
    text.block(format_args!("location @cutover_stream_{}", app.name.ident()), |text| {
        if fail_over {
            error_page(text, app);
        }
        headers(text);
        pace(text, app, true);
        pass(text, &block.variable(&app.name, "group"));
    });
}

/// The location that does for `ip_hash` what `backup` does for the others: a request that the live slot could not take
/// goes to the other slot, unless it may have been carried out already.
pub(super) fn failover_location(text: &mut Text, app: &App, block: Block, headers: impl FnOnce(&mut Text)) {
    let (ident, sent) = (app.name.ident(), block.variable(&app.name, "sent"));
    text.block(format_args!("location @cutover_failover_{ident}"), |text| {
        text.line(format_args!("set {sent} \"$request_method:$upstream_bytes_sent:$upstream_status\";"));
        let unsafe_once_sent = format!("^(?!(?:{IDEMPOTENT}):)[^:]*:[^:]*[1-9]");
        for (condition, status) in [("[^:]*:[^:]*504$", 504), ("", 502)] {
            text.block(format_args!("if ({sent} ~ \"{unsafe_once_sent}{condition}\")"), |text| {
                text.line(format_args!("return {status};"));
            });
        }
        headers(text);
        pace(text, app, false);
        pass(text, &block.variable(&app.name, "other"));
    });
}

fn error_page(text: &mut Text, app: &App) {
    // A stream has already been through one error page when its slot fails.
    text.set("recursive_error_pages", "on");
    text.line(format_args!("error_page 502 504 = @cutover_failover_{};", app.name.ident()));
}

fn pass(text: &mut Text, group: &str) {
    text.line(format_args!("proxy_pass http://{group};"));
}
