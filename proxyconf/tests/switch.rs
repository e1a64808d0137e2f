//! The switch, on a real nginx.

mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cutover_proxyconf::{Ask, Error, Serving, Slot};

use rig::Rig;
use rig::client::{Client, get};

#[tokio::test]
async fn a_switch_is_seen_by_kept_and_by_fresh_connections_and_needs_no_reload() {
    let rig = Rig::serving(|_| {}).await;
    let mut kept = Client::connect(rig.site).await;
    let reloads = rig.reloads();
    for to in [Slot::Green, Slot::Blue, Slot::Green] {
        let switched = rig.nginx.switch(&rig.app.name, to).await.unwrap();
        assert!(switched.changed);
        let answer = kept.exchange("GET", "/", "", "").await;
        assert_eq!(answer, Some((200, to.to_string())), "on a kept connection");
        for _ in 0..8 {
            assert_eq!(get(rig.site, "/").await, (200, to.to_string()));
        }
        assert!(!rig.nginx.switch(&rig.app.name, to).await.unwrap().changed);
    }
    assert_eq!(rig.reloads(), reloads);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_switches_under_kept_get_and_post_load_lose_no_request() {
    let rig = Rig::serving(|_| {}).await;
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (stop, sent, site) = (Arc::clone(&stop), Arc::clone(&sent), rig.site);
        let method = if worker % 2 == 0 { "GET" } else { "POST" };
        load.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let mut client = Client::connect(site).await;
                // nginx closes a kept connection after 1000 requests (keepalive_requests).
                for _ in 0..500 {
                    let answer = client.exchange(method, "/", "", "body").await;
                    assert!(matches!(answer, Some((200, _))), "a {method} was lost: {answer:?}");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
    }
    for round in 0..200 {
        rig.switch(if round % 2 == 0 { Slot::Green } else { Slot::Blue }).await;
    }
    stop.store(true, Ordering::Relaxed);
    load.join_all().await;
    assert!(sent.load(Ordering::Relaxed) > 500, "there was no load");
}

#[tokio::test]
async fn the_preview_route_answers_from_the_standby_slot_while_the_site_answers_from_the_live_one() {
    let rig = Rig::serving(|_| {}).await;
    let ask = Ask { path: "/".into(), host: None, timeout: Duration::from_secs(2) };
    for live in [Slot::Green, Slot::Blue] {
        rig.switch(live).await;
        assert_eq!(get(rig.site, "/").await.1, live.as_str());
        for (slot, expected) in
            [(None, live.other()), (Some(Slot::Blue), Slot::Blue), (Some(Slot::Green), Slot::Green)]
        {
            let answer = rig.nginx.ask(&rig.app.name, slot, &ask).await.unwrap();
            assert_eq!((answer.status, answer.body.as_str()), (200, expected.as_str()));
            assert_eq!(answer.upstream, [rig.backends[expected].address.to_string()]);
        }
    }
}

#[tokio::test]
async fn the_preview_route_tells_every_server_that_was_tried_and_sends_the_host_that_was_asked() {
    let mut rig = Rig::serving(|app| app.preview_host = Some("shop.example".into())).await;
    let asked = |host: Option<&str>| Ask {
        path: "/headers".into(),
        host: host.map(str::to_owned),
        timeout: Duration::from_secs(2),
    };
    let answer = rig.nginx.ask(&rig.app.name, None, &asked(None)).await.unwrap();
    assert!(answer.body.contains("Host: shop.example\r\n"), "{}", answer.body);
    let answer = rig.nginx.ask(&rig.app.name, None, &asked(Some("other.example"))).await.unwrap();
    assert!(answer.body.contains("Host: other.example\r\n"), "{}", answer.body);
    assert!(!answer.body.to_lowercase().contains("x-cutover"), "{}", answer.body);
    rig.backends.green.kill().await;
    let answer = rig.nginx.ask(&rig.app.name, Some(Slot::Green), &asked(None)).await.unwrap();
    let tried = [Slot::Green, Slot::Blue].map(|slot| rig.backends[slot].address.to_string());
    assert_eq!(answer.upstream, tried);
}

#[tokio::test]
async fn a_marker_that_nginx_does_not_follow_is_put_back() {
    let mut rig = Rig::serving(|_| {}).await;
    rig.nginx.state_dir = rig.path().join("elsewhere");
    let error = rig.nginx.switch(&rig.app.name, Slot::Green).await.unwrap_err();
    assert!(matches!(error, Error::NotFollowed { to: Slot::Green, .. }), "{error}");
    assert!(!cutover_proxyconf::marker(&rig.nginx.state_dir, &rig.app.name).exists());
    let serving = rig.nginx.observe(&rig.app.name).await.unwrap();
    assert!(matches!(serving, Serving::App { live: Slot::Blue, .. }), "{serving}");
}
