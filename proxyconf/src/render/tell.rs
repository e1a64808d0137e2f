//! What nginx tells of each request while somebody listens: one line more of its access log, to a socket.

use super::block::{Block, empty_unless_set};
use super::text::{Text, quoted, word};
use crate::App;
use crate::app::folder;
use crate::ear::{MARKER, SOCKET};
use crate::told::TAG;

/// The form of the line, for the http block. The group asked for tells the slot: `$proxy_host` would be the other one's after a
/// fail-over by error page.
pub(super) fn log_format(text: &mut Text, app: &App) {
    let [group, hear] = ["group", "hear"].map(|what| Block::of(app).variable(&app.name, what));
    let name = format_name(app);
    empty_unless_set(text, &hear);
    text.line(format_args!(
        r"log_format {name} escape=none '{group}\t$status\t$upstream_status\t$upstream_header_time\t$upstream_response_time';"
    ));
}

/// Whether to tell: while the marker of this time is there. Streams are not told, since their end tells nothing of the app.
pub(super) fn decide(text: &mut Text, app: &App, block: Block) {
    let [hear, time, stream] = ["hear", "time", "stream"].map(|what| block.variable(&app.name, what));
    let marker = quoted(&folder(&app.state_dir, &app.name).join(format!("{MARKER}{time}")));
    text.line(format_args!("set {hear} \"\";"));
    text.line(format_args!("set {time} \"\";"));
    text.block(format_args!(r#"if ($msec ~ "^(\d+)\d\d\.")"#), |text| {
        text.line(format_args!("set {time} $1;"));
    });
    text.block(format_args!("if (-f {marker})"), |text| text.line(format_args!("set {hear} 1;")));
    text.block(format_args!("if ({stream})"), |text| text.line(format_args!("set {hear} \"\";")));
}

/// The log that tells, and beside it those that the block inherits no more.
pub(super) fn logs(text: &mut Text, app: &App, block: Block) {
    let socket = folder(&app.state_dir, &app.name).join(SOCKET);
    let (socket, hear) = (socket.display(), block.variable(&app.name, "hear"));
    let to = word(&format!("syslog:server=unix:{socket},nohostname,tag={TAG}"));
    text.line(format_args!("access_log {to} {} if={hear};", format_name(app)));
    if !app.has_own("access_log") {
        text.repeat("access_log", &app.inherited.access_logs);
    }
}

fn format_name(app: &App) -> String {
    format!("cutover_{}", app.name.ident())
}
