//! Shares of the clients, on a real nginx.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rig;

use std::net::{Ipv4Addr, SocketAddr};

use cutover_proxyconf::{Balance, BySlot, Exposure, Installed, Slot, Stickiness};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use rig::client::{Client, get, once};
use rig::{Rig, eventually};

const STAGES: [u8; 3] = [5, 25, 50];
const COOKIES: usize = 20_000;
const ADDRESSES: usize = 2_000;
/// So many requests are sent before their answers are read.
const AT_ONCE: usize = 250;
/// So many connections send them.
const CONNECTIONS: usize = 8;

/// An app whose slots another nginx plays, since it answers faster than backends of a test do.
struct Played {
    rig: Rig,
    _players: Rig,
}

async fn played(canary: Stickiness) -> Played {
    let slots = BySlot::from_fn(|_| rig::free());
    let server = |slot: Slot| {
        format!("server {{ listen {}; default_type text/plain; return 200 {slot}; }}\n", slots[slot])
    };
    let often = "keepalive_requests 100000;\n";
    let players = Rig::bare(&format!("{often}{}{}", server(Slot::Blue), server(Slot::Green))).await;
    let rig = Rig::serving_beside(often, |app| {
        (app.canary, app.slots) = (Some(canary), slots.map(|address| vec![address.into()]));
    });
    Played { rig: rig.await, _players: players }
}

/// The slot that answers each client who shows such a cookie.
async fn by_cookie(site: SocketAddr, clients: std::ops::Range<usize>) -> Vec<Slot> {
    let mut stream = TcpStream::connect(site).await.unwrap();
    let (clients, mut slots) = (clients.collect::<Vec<_>>(), Vec::new());
    for clients in clients.chunks(AT_ONCE) {
        let request = |client: &usize| {
            format!("GET / HTTP/1.1\r\nHost: example.com\r\nCookie: a=b; cutover_web=client{client}\r\n\r\n")
        };
        stream.write_all(clients.iter().map(request).collect::<String>().as_bytes()).await.unwrap();
        let (mut text, mut bytes) = (String::new(), [0; 65536]);
        let bodies = |text: &str| -> Vec<Slot> {
            let after_heads = text.split("\r\n\r\n").skip(1);
            // The last body may not be there yet.
            after_heads
                .filter_map(|rest| Slot::ALL.into_iter().find(|slot| rest.starts_with(slot.as_str())))
                .collect()
        };
        while text.matches("\r\n\r\n").count() < clients.len() || bodies(&text).len() < clients.len() {
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(read > 0, "the connection was closed");
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        assert!(!text.contains("Set-Cookie"), "a client that has a cookie was given one");
        slots.extend(bodies(&text));
    }
    slots
}

async fn all_by_cookie(site: SocketAddr, count: usize) -> Vec<Slot> {
    let mut asking = JoinSet::new();
    let each = count / CONNECTIONS;
    for part in 0..CONNECTIONS {
        asking.spawn(async move { (part, by_cookie(site, part * each..(part + 1) * each).await) });
    }
    let mut parts = asking.join_all().await;
    parts.sort_by_key(|(part, _)| *part);
    parts.into_iter().flat_map(|(_, slots)| slots).collect()
}

/// The slot that answers each client of an address of its own.
async fn by_address(site: SocketAddr, count: usize) -> Vec<Slot> {
    let mut slots = Vec::new();
    for client in 0..count {
        let [_, _, high, low] = u32::try_from(client).unwrap().to_be_bytes();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 9, high, low), 0).into()).unwrap();
        let mut client = Client(socket.connect(site).await.unwrap());
        let (_, body) = client.exchange("GET", "/", "", "").await.unwrap();
        slots.push(body.parse().unwrap());
    }
    slots
}

fn assert_share(slots: &[Slot], of: Slot, percent: u8) {
    let count = slots.iter().filter(|slot| **slot == of).count();
    let off = (100.0 * count as f64 / slots.len() as f64 - f64::from(percent)).abs();
    assert!(off < 2.0, "{count} of {} are {percent} %", slots.len());
}

fn assert_nobody_went_back(before: &[Slot], after: &[Slot], new: Slot) {
    let went_back = |(before, after): (&Slot, &Slot)| *before == new && *after != new;
    assert_eq!((before.len(), before.iter().zip(after).position(went_back)), (after.len(), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_is_as_large_as_was_said_and_no_client_goes_back_before_or_after_the_switch() {
    let Played { rig, _players } = played(Stickiness::Cookie).await;
    let (app, reloads) = (&rig.app.name, rig.reloads());
    let mut before = all_by_cookie(rig.site, COOKIES).await;
    assert_share(&before, Slot::Green, 0);
    for percent in STAGES {
        rig.nginx.share(app, Slot::Green, percent).await.unwrap();
        assert_eq!(rig.nginx.shares(app).await.unwrap(), BySlot { blue: 0, green: percent });
        let after = all_by_cookie(rig.site, COOKIES).await;
        assert_share(&after, Slot::Green, percent);
        assert_nobody_went_back(&before, &after, Slot::Green);
        let again = all_by_cookie(rig.site, AT_ONCE * CONNECTIONS).await;
        let first = |slots: &[Slot]| slots[..AT_ONCE].to_vec();
        assert_eq!(first(&again), first(&after), "{percent} %");
        before = after;
    }
    rig.switch(Slot::Green).await;
    let all_new = vec![Slot::Green; AT_ONCE * CONNECTIONS];
    assert_eq!(all_by_cookie(rig.site, all_new.len()).await, all_new);
    rig.nginx.unshare(app).await.unwrap();
    assert_eq!(all_by_cookie(rig.site, all_new.len()).await, all_new);
    assert_eq!((rig.nginx.shares(app).await.unwrap(), rig.reloads()), (BySlot::default(), reloads));
}

#[tokio::test]
async fn clients_known_by_their_addresses_stay_where_they_are_while_the_share_grows() {
    let Played { rig, _players } = played(Stickiness::Address).await;
    let app = &rig.app.name;
    rig.switch(Slot::Green).await;
    let mut before = vec![Slot::Green; ADDRESSES];
    for percent in STAGES {
        rig.nginx.share(app, Slot::Blue, percent).await.unwrap();
        let after = by_address(rig.site, ADDRESSES).await;
        assert_share(&after, Slot::Blue, percent);
        assert_nobody_went_back(&before, &after, Slot::Blue);
        before = after;
    }
    rig.nginx.unshare(app).await.unwrap();
    assert_eq!(by_address(rig.site, 100).await, [Slot::Green; 100]);
}

#[tokio::test]
async fn a_new_client_is_given_a_cookie_that_keeps_it_and_inherited_headers_arrive() {
    let headers = "add_header X-From-Http \"a b\" always; add_header X-Host $host;";
    let rig = Rig::serving_beside(headers, |app| app.canary = Some(Stickiness::Cookie)).await;
    rig.nginx.share(&rig.app.name, Slot::Green, 50).await.unwrap();
    for _ in 0..20 {
        let mut client = Client::connect(rig.site).await;
        let head = client.send("GET", "/teapot", "", "").await;
        let cookie = head.header("set-cookie").unwrap();
        assert!(cookie.ends_with("; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!(head.header("x-from-http"), Some("a b"));
        let mut body = vec![0; head.length()];
        client.0.read_exact(&mut body).await.unwrap();
        let cookie = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
        let (_, slot) = once(rig.site, "GET", "/", &cookie, "").await;
        assert_eq!(slot.as_bytes(), body);
        let head = Client::connect(rig.site).await.send("GET", "/", &cookie, "").await;
        assert_eq!((head.header("set-cookie"), head.header("x-host")), (None, Some("example.com")));
    }
}

#[tokio::test]
async fn a_share_fails_over_to_the_live_slot_with_every_method_of_balancing() {
    for balance in [Balance::RoundRobin, Balance::IpHash] {
        let change = |app: &mut cutover_proxyconf::App| {
            (app.canary, app.upstream.balance) = (Some(Stickiness::Address), balance);
        };
        let mut rig = Rig::serving(change).await;
        rig.nginx.share(&rig.app.name, Slot::Green, 100).await.unwrap();
        assert_eq!(get(rig.site, "/").await, (200, "green".into()));
        rig.backends.green.kill().await;
        assert_eq!(get(rig.site, "/").await, (200, "blue".into()), "{balance:?}");
    }
}

#[tokio::test]
async fn a_block_of_the_users_own_shares_its_clients() {
    let mut rig = Rig::bare("").await;
    (rig.app.exposure, rig.app.canary) = (Exposure::Snippets, Some(Stickiness::Cookie));
    let (dir, site) = (rig.nginx.conf_dir.display(), rig.site);
    let server = format!(
        "server {{ listen {site}; include {dir}/cutover/web.server.inc;\n\
         location / {{ include {dir}/cutover/web.location.inc; }} }}\n"
    );
    // Before ours: variables may be used before they are said.
    std::fs::write(rig.nginx.conf_dir.join("a.conf"), server).unwrap();
    let done = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
    assert!(matches!(done, Installed::Reloaded { .. }));
    eventually("the user's server answers", async || get(site, "/").await.0 == 200).await;
    for (percent, slot) in [(0, "blue"), (100, "green")] {
        rig.nginx.share(&rig.app.name, Slot::Green, percent).await.unwrap();
        assert_eq!(get(site, "/").await.1, slot);
    }
}

#[tokio::test]
async fn a_share_is_made_larger_and_smaller_and_what_is_no_marker_of_one_is_left_alone() {
    let rig = Rig::bare("").await;
    let (nginx, app) = (&rig.nginx, &rig.app.name);
    assert_eq!(nginx.shares(app).await.unwrap(), BySlot::default());
    nginx.unshare(app).await.unwrap();
    for (percent, marked) in [(7, 7), (3, 3), (3, 3), (255, 100), (40, 40)] {
        nginx.share(app, Slot::Blue, percent).await.unwrap();
        assert_eq!(nginx.shares(app).await.unwrap(), BySlot { blue: marked, green: 0 });
    }
    let others = ["green", "blue-100", "blue-007", "green-", "blue-1.x", "hear-17"];
    for name in others {
        std::fs::write(nginx.state_dir.join("web").join(name), "").unwrap();
    }
    nginx.share(app, Slot::Green, 1).await.unwrap();
    assert_eq!(nginx.shares(app).await.unwrap(), BySlot { blue: 40, green: 1 });
    nginx.unshare(app).await.unwrap();
    assert_eq!(std::fs::read_dir(nginx.state_dir.join("web")).unwrap().count(), others.len());
}
