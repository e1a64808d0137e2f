//! What passes through, on a real nginx: streams, upgrades, bodies, failures.

mod rig;

use cutover_proxyconf::{Balance, Error, Exposure, Installed, Listen, Slot, Tls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use rig::backend::CROWD;
use rig::client::{Client, get, once};
use rig::{Rig, eventually};

const STREAM: &str = "Accept: application/json, text/event-stream\r\n";

#[tokio::test]
async fn an_event_stream_arrives_as_it_is_sent_and_outlives_a_switch() {
    let rig = Rig::serving(|_| {}).await;
    let mut client = Client::connect(rig.site).await;
    assert_eq!(client.send("GET", "/events", STREAM, "").await.status(), 200);
    let mut seen = Vec::new();
    while !seen.ends_with(b"data: one\n\n") {
        seen.push(client.0.read_u8().await.unwrap());
    }
    rig.switch(Slot::Green).await;
    assert_eq!(rig.backends.blue.taken(), 1);
    let silent = tokio::time::timeout(std::time::Duration::from_millis(50), client.0.read_u8());
    // The rest of the chunk may come; the end of the stream may not.
    assert!(!matches!(silent.await, Ok(Err(_))), "the stream was cut");
}

#[tokio::test]
async fn a_post_that_accepts_a_stream_keeps_its_body_and_statuses_pass_unchanged() {
    let rig = Rig::serving(|_| {}).await;
    assert_eq!(once(rig.site, "POST", "/body", STREAM, "hello").await, (200, "hello".into()));
    assert_eq!(once(rig.site, "POST", "/body", "", "hello").await, (200, "hello".into()));
    assert_eq!(get(rig.site, "/teapot").await, (418, "blue".into()));
    assert_eq!(once(rig.site, "GET", "/teapot", STREAM, "").await, (418, "blue".into()));
    let (_, headers) =
        once(rig.site, "GET", "/headers?q=%20a", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "").await;
    assert!(headers.starts_with("GET /headers?q=%20a HTTP/1.1\r\n"), "{headers}");
    for line in ["Host: example.com", "X-Real-IP: 127.0.0.1", "X-Forwarded-Proto: http"] {
        assert!(headers.contains(line), "{headers}");
    }
    assert!(!headers.contains("Upgrade"), "{headers}");
}

#[tokio::test]
async fn a_websocket_passes_and_outlives_a_switch() {
    let rig = Rig::serving(|_| {}).await;
    let mut client = Client::connect(rig.site).await;
    let head = client.send("GET", "/socket", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "").await;
    assert_eq!(head.status(), 101);
    for word in [b"before", b"after!"] {
        client.0.write_all(word).await.unwrap();
        let mut echoed = [0; 6];
        client.0.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, word);
        rig.switch(Slot::Green).await;
    }
}

#[tokio::test]
async fn every_method_of_balancing_fails_over_to_the_other_slot() {
    for balance in [Balance::RoundRobin, Balance::LeastConn, Balance::IpHash] {
        let mut rig = Rig::serving(|app| app.upstream.balance = balance).await;
        rig.backends.blue.kill().await;
        assert_eq!(get(rig.site, "/").await, (200, "green".into()), "{balance:?}");
        assert_eq!(once(rig.site, "POST", "/body", "", "new").await, (200, "new".into()), "{balance:?}");
        assert_eq!(once(rig.site, "POST", "/body", STREAM, "new").await, (200, "new".into()), "{balance:?}");
    }
}

#[tokio::test]
async fn only_a_request_that_may_be_sent_twice_is_sent_twice() {
    for balance in [Balance::RoundRobin, Balance::IpHash] {
        let rig = Rig::serving(|app| app.upstream.balance = balance).await;
        for headers in ["", STREAM] {
            let (blue, green) = (rig.backends.blue.taken(), rig.backends.green.taken());
            assert_eq!(once(rig.site, "POST", "/broken", headers, "pay").await.0, 502, "{balance:?}");
            assert_eq!(
                (rig.backends.blue.taken(), rig.backends.green.taken()),
                (blue + 1, green),
                "{balance:?}"
            );
        }
        assert_eq!(get(rig.site, "/broken").await.0, 502);
        assert_eq!(rig.backends.green.taken(), 1, "{balance:?}");
    }
}

#[tokio::test]
async fn snippets_serve_within_a_server_block_of_the_users_own() {
    for balance in [Balance::RoundRobin, Balance::IpHash] {
        let mut rig = Rig::bare("").await;
        rig.app.exposure = Exposure::Snippets;
        rig.app.upstream.balance = balance;
        let (dir, site) = (rig.nginx.conf_dir.display(), rig.site);
        let server = format!(
            "server {{ listen {site}; include {dir}/cutover/web.server.inc;\n\
             location /shop/ {{ include {dir}/cutover/web.location.inc; }}\n\
             location / {{ return 404; }} }}\n"
        );
        std::fs::write(rig.nginx.conf_dir.join("own.conf"), server).unwrap();
        let done = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
        assert!(matches!(done, Installed::Reloaded { .. }));
        eventually("the user's server answers", async || get(site, "/").await.0 == 404).await;
        for slot in [Slot::Green, Slot::Blue] {
            rig.switch(slot).await;
            assert_eq!(get(site, "/shop/x").await, (200, slot.to_string()));
            assert_eq!(once(site, "GET", "/shop/x", STREAM, "").await, (200, slot.to_string()));
        }
    }
}

#[tokio::test]
async fn a_site_with_a_certificate_is_served_over_tls() {
    // nginx itself is the client that speaks TLS.
    let (front, tls) = (rig::free(), rig::free());
    let relay = format!("server {{ listen {front}; location / {{ proxy_pass https://{tls}; }} }}");
    let mut rig = Rig::bare(&relay).await;
    let (certificate, key) = (rig.path().join("a cert.pem"), rig.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["example.com".into()]).unwrap();
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let site = rig.site_mut();
    site.listen = vec![Listen::from(tls)];
    site.tls = Some(Tls { certificate, key });
    rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
    assert_eq!(get(front, "/").await, (200, "blue".into()));
    let mut plain = Client::connect(tls).await;
    assert_eq!(plain.send("GET", "/", "", "").await.status(), 400, "plain HTTP where TLS is spoken");
}

#[tokio::test]
async fn a_control_server_that_does_not_let_us_in_is_told_and_taken_back() {
    let mut rig = Rig::bare("").await;
    rig.app.control.allow = vec!["192.0.2.1".parse().unwrap()];
    let error = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap_err();
    let Error::Restored { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("403"), "{source}");
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), []);
}

#[tokio::test]
async fn a_crowd_of_clients_is_waited_for_and_its_connections_are_kept_and_used_again() {
    let long = std::time::Duration::from_secs(60);
    let rig = Rig::serving(|app| app.upstream.keepalive_timeout = long).await;
    let mut opened = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..CROWD {
        clients.push(Client::connect(rig.site).await);
    }
    for _ in 0..3 {
        let mut asking = tokio::task::JoinSet::new();
        for mut client in clients.drain(..) {
            asking.spawn(async move {
                assert_eq!(client.exchange("GET", "/crowd", "", "").await, Some((200, "blue".into())));
                client
            });
        }
        clients = asking.join_all().await;
        opened.push(rig.backends.blue.connections());
    }
    assert_eq!(opened, [CROWD; 3], "{}", rig.error_log());
    assert_eq!(rig.backends.green.connections(), 0);
}
