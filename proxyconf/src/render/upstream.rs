//! The two `upstream` groups of an app.

use super::text::{Text, time};
use crate::{Address, App, Balance, Slot};

/// Replicas that 64 KiB of shared memory surely hold; measured, nginx 1.22 holds twice as many.
const REPLICAS_PER_ZONE_UNIT: usize = 32;

pub(super) fn group(text: &mut Text, app: &App, slot: Slot) {
    let name = app.name.group(slot);
    let settings = &app.upstream;
    let spare: &[Address] = match settings.balance {
        Balance::IpHash => &[],
        Balance::RoundRobin | Balance::LeastConn => &app.slots[slot.other()],
    };
    let replicas = app.slots[slot].len() + spare.len();
    text.block(format_args!("upstream {name}"), |text| {
        let kib = 64 * replicas.div_ceil(REPLICAS_PER_ZONE_UNIT);
        text.line(format_args!("zone {name} {kib}k;"));
        match settings.balance {
            Balance::RoundRobin => {}
            Balance::LeastConn => text.line(format_args!("least_conn;")),
            Balance::IpHash => text.line(format_args!("ip_hash;")),
        }
        if let Some(resolver) = &settings.resolver {
            text.set("resolver", resolver);
        }
        for address in &app.slots[slot] {
            server(text, app, address, "");
        }
        for address in spare {
            server(text, app, address, " backup");
        }
        if settings.keepalive > 0 {
            text.set("keepalive", settings.keepalive);
            text.set("keepalive_timeout", time(settings.keepalive_timeout));
        }
    });
}

fn server(text: &mut Text, app: &App, address: &Address, role: &str) {
    let resolve = match address {
        Address::Socket(_) => "",
        Address::Name { .. } => " resolve",
    };
    let (fails, within) = (app.upstream.max_fails, time(app.upstream.fail_timeout));
    text.line(format_args!("server {address}{resolve} max_fails={fails} fail_timeout={within}{role};"));
}
