//! Sending a share of the clients to the slot that is not live.

use super::block::{Block, empty_unless_set};
use super::text::{Text, quoted};
use crate::app::folder;
use crate::share::{BUCKETS, marker};
use crate::{App, Balance, Exposure, Listen, Slot, Stickiness};

/// The buckets that clients fall into, for the http block. In blocks of ours all apps use the same variables, so that each says
/// the same again, which nginx takes.
pub(super) fn buckets(text: &mut Text, app: &App) {
    let [client, bucket, cookie] =
        ["client", "bucket", "cookie"].map(|what| Block::of(app).variable(&app.name, what));
    if app.canary == Some(Stickiness::Cookie) {
        empty_unless_set(text, &cookie);
    }
    text.block(format_args!("split_clients \"{client}\" {bucket}"), |text| {
        let last = BUCKETS - 1;
        (0..last).for_each(|bucket| text.line(format_args!("1% {bucket};")));
        text.line(format_args!("* {last};"));
    });
}

/// The slot that is not live, beside the group of the one that is.
pub(super) fn name_standby(text: &mut Text, app: &App, block: Block, live: Slot) {
    if app.canary.is_some() {
        let standby = block.variable(&app.name, "standby");
        text.line(format_args!("set {standby} {};", live.other()));
    }
}

/// The other group, where the client's bucket is marked. Of a request nothing but the number of its bucket gets into the path.
pub(super) fn choose(text: &mut Text, app: &App, block: Block) {
    let Some(known_by) = app.canary else { return };
    let name = &app.name;
    let [group, other, standby, bucket] =
        ["group", "other", "standby", "bucket"].map(|what| block.variable(name, what));
    know(text, app, block, known_by);
    let marker = quoted(&folder(&app.state_dir, name).join(marker(&standby, &bucket)));
    text.block(format_args!("if (-f {marker})"), |text| {
        if app.upstream.balance == Balance::IpHash {
            text.line(format_args!("set {other} {group};"));
        }
        text.line(format_args!("set {group} {}_{standby};", name.ident()));
    });
}

/// By what the client is known. An address is told apart by the app too, so that not the same clients come first everywhere.
fn know(text: &mut Text, app: &App, block: Block, by: Stickiness) {
    let [client, cookie, secure] = ["client", "cookie", "secure"].map(|what| block.variable(&app.name, what));
    if by == Stickiness::Address {
        return text.line(format_args!("set {client} \"{}-$remote_addr\";", app.name));
    }
    let name = format!("cutover_{}", app.name.ident());
    let attributes = "Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax";
    let secure = match secured(app) {
        Secured::Always => "; Secure",
        Secured::Never => "",
        Secured::AsAsked => {
            text.line(format_args!("set {secure} \"\";"));
            text.block(format_args!("if ($https)"), |text| {
                text.line(format_args!("set {secure} \"; Secure\";"));
            });
            &secure
        }
    };
    text.line(format_args!("set {client} $cookie_{name};"));
    text.line(format_args!("set {cookie} \"\";"));
    text.block(format_args!("if ({client} = \"\")"), |text| {
        text.line(format_args!("set {client} $request_id;"));
        text.line(format_args!("set {cookie} \"{name}=$request_id; {attributes}{secure}\";"));
    });
}

/// The cookie of a client that has none, and beside it the headers that the block inherits no more.
pub(super) fn headers(text: &mut Text, app: &App, block: Block) {
    if app.canary != Some(Stickiness::Cookie) {
        return;
    }
    let cookie = block.variable(&app.name, "cookie");
    text.line(format_args!("add_header Set-Cookie {cookie} always;"));
    if !app.has_own("add_header") {
        text.repeat("add_header", &app.inherited.headers);
    }
}

/// When the cookie is for TLS alone: a browser takes no such cookie over plain HTTP.
enum Secured {
    Always,
    Never,
    AsAsked,
}

fn secured(app: &App) -> Secured {
    match &app.exposure {
        Exposure::Site(site) if site.tls.is_none() => Secured::Never,
        Exposure::Site(site) => {
            let mut ssl = site.listen.iter().map(Listen::ssl);
            // Where none says `ssl`, all are.
            if ssl.clone().all(|ssl| !ssl) || ssl.all(|ssl| ssl) { Secured::Always } else { Secured::AsAsked }
        }
        Exposure::Snippets => Secured::AsAsked,
    }
}
