//! What nginx tells of requests while someone listens, on a real nginx.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rig;

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::time::Duration;

use cutover_proxyconf::{Balance, Ear, Exposure, Installed, Slot, Stickiness, Surface as _, Told, Worker};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use rig::client::{Client, get, once};
use rig::{Rig, eventually};

const OWN_LOG: &str = "log_format own '$status $request_uri'; access_log {root}/own.log own;";

/// Told within 10 s.
async fn hear(ear: &mut Ear) -> Told {
    tokio::time::timeout(Duration::from_secs(10), ear.next()).await.expect("nothing was told").unwrap()
}

/// What stands in the folder of the app's markers.
fn left(rig: &Rig) -> Vec<String> {
    let entries = std::fs::read_dir(markers(rig)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn markers(rig: &Rig) -> PathBuf {
    rig.nginx.state_dir.join(rig.app.name.as_str())
}

#[tokio::test]
async fn a_request_is_told_with_its_slot_its_failure_and_its_time() {
    for balance in [Balance::RoundRobin, Balance::IpHash] {
        let mut rig = Rig::serving(|app| (app.tells, app.upstream.balance) = (true, balance)).await;
        let mut ear = rig.nginx.listen(&rig.app.name).await.unwrap();
        assert_eq!(get(rig.site, "/").await.0, 200);
        let told = hear(&mut ear).await;
        assert_eq!((told.slot, told.failed), (Slot::Blue, false));
        assert!(told.time < Duration::from_secs(5), "{told:?}");
        rig.switch(Slot::Green).await;
        assert_eq!(get(rig.site, "/teapot").await.0, 418);
        let told = hear(&mut ear).await;
        assert_eq!((told.slot, told.failed), (Slot::Green, false));
        assert_eq!(once(rig.site, "POST", "/broken", "", "pay").await.0, 502);
        let told = hear(&mut ear).await;
        assert_eq!((told.slot, told.failed), (Slot::Green, true));
        // The other slot answers, and the one that was asked has failed.
        rig.backends.green.kill().await;
        assert_eq!(get(rig.site, "/").await, (200, "blue".into()));
        let told = hear(&mut ear).await;
        assert_eq!((told.slot, told.failed), (Slot::Green, true), "{balance:?}");
    }
}

#[tokio::test]
async fn nothing_is_told_while_nobody_listens_and_the_own_log_is_kept_all_the_while() {
    let rig = Rig::serving_beside(OWN_LOG, |app| app.tells = true).await;
    assert_eq!(rig.app.inherited.access_logs.len(), 1);
    // On one connection one worker tells one request after the other.
    let mut client = Client::connect(rig.site).await;
    client.exchange("GET", "/before", "", "").await.unwrap();
    let mut ear = rig.nginx.listen(&rig.app.name).await.unwrap();
    let names: Vec<String> = left(&rig).into_iter().filter(|name| name.starts_with("hear-")).collect();
    assert_eq!(names.len(), 2);
    let move_to =
        |from: String, to: String| std::fs::rename(markers(&rig).join(from), markers(&rig).join(to));
    // As if their time were over.
    for name in &names {
        move_to(name.clone(), name.replace("hear-", "hear-0")).unwrap();
    }
    client.exchange("GET", "/silent", "", "").await.unwrap();
    for name in &names {
        move_to(name.replace("hear-", "hear-0"), name.clone()).unwrap();
    }
    client.exchange("POST", "/broken", "", "").await.unwrap();
    assert!(hear(&mut ear).await.failed, "a request was told whose time was over");
    client.exchange("GET", "/heard", "", "").await.unwrap();
    hear(&mut ear).await;
    rig.nginx.deafen(&rig.app.name).await.unwrap();
    assert_eq!(left(&rig), [""; 0]);
    client.exchange("GET", "/after", "", "").await.unwrap();
    let log = || std::fs::read_to_string(rig.path().join("own.log")).unwrap();
    eventually("all is in the user's log", async || log().lines().count() == 5).await;
    assert_eq!(log(), "200 /before\n200 /silent\n502 /broken\n200 /heard\n200 /after\n");
    assert!(!rig.error_log().contains("syslog"), "{}", rig.error_log());
}

#[tokio::test]
async fn a_request_that_is_none_is_not_told_nor_complained_of() {
    let cookie = Some(Stickiness::Cookie);
    let rig = Rig::serving(|app| (app.tells, app.canary) = (true, cookie)).await;
    let mut ear = rig.nginx.listen(&rig.app.name).await.unwrap();
    let mut bad = Client::connect(rig.site).await;
    bad.0.write_all(b"GET / HTTP/9.9\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    bad.0.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(" 505 ") && !answer.contains("Set-Cookie"), "{answer}");
    once(rig.site, "POST", "/broken", "", "").await;
    assert!(hear(&mut ear).await.failed);
    assert!(!rig.error_log().contains("uninitialized"), "{}", rig.error_log());
}

#[tokio::test]
async fn streams_and_the_control_server_tell_nothing() {
    let rig = Rig::serving(|app| app.tells = true).await;
    let mut ear = rig.nginx.listen(&rig.app.name).await.unwrap();
    let mut client = Client::connect(rig.site).await;
    client.exchange("GET", "/", "Accept: text/event-stream\r\n", "").await.unwrap();
    let ask = cutover_proxyconf::Ask { path: "/".into(), host: None, timeout: Duration::from_secs(2) };
    rig.nginx.ask(&rig.app.name, None, &ask).await.unwrap();
    client.exchange("POST", "/broken", "", "").await.unwrap();
    assert!(hear(&mut ear).await.failed, "a stream was told, or a request of ours");
}

#[tokio::test]
async fn a_listener_after_another_hears_again_but_for_one_request_a_worker() {
    let rig = Rig::serving(|app| app.tells = true).await;
    let mut client = Client::connect(rig.site).await;
    let mut first = rig.nginx.listen(&rig.app.name).await.unwrap();
    client.exchange("GET", "/", "", "").await.unwrap();
    hear(&mut first).await;
    // As one that is killed leaves it.
    drop(first);
    let mut second = rig.nginx.listen(&rig.app.name).await.unwrap();
    client.exchange("GET", "/", "", "").await.unwrap();
    client.exchange("POST", "/broken", "", "").await.unwrap();
    assert!(hear(&mut second).await.failed, "the worker's first message to the old socket is lost");
}

#[tokio::test]
async fn only_the_workers_may_send_to_the_socket_where_it_can_be_given_to_them() {
    let rig = Rig::serving(|app| app.tells = true).await;
    let _ear = rig.nginx.listen(&rig.app.name).await.unwrap();
    let socket = std::fs::symlink_metadata(markers(&rig).join("told")).unwrap();
    let worker = Worker::observe(rig.nginx.surface.master().await.unwrap().unwrap()).unwrap().unwrap();
    assert!(socket.file_type().is_socket());
    let given = socket.uid() == worker.uid;
    assert_eq!(socket.mode() & 0o777, if given { 0o600 } else { 0o666 });
    assert!(given || !rustix::process::geteuid().is_root());
}

#[tokio::test]
async fn an_app_that_is_uninstalled_leaves_no_marker_and_no_socket() {
    let rig = Rig::serving(|app| app.tells = true).await;
    rig.switch(Slot::Green).await;
    drop(rig.nginx.listen(&rig.app.name).await.unwrap());
    rig.nginx.share(&rig.app.name, Slot::Blue, 3).await.unwrap();
    assert_eq!(left(&rig).len(), 1 + 3 + 3);
    rig.nginx.uninstall(&rig.app.name).await.unwrap();
    assert_eq!(left(&rig), [""; 0]);
}

#[tokio::test]
async fn markers_are_renewed_and_those_of_the_past_removed() {
    let rig = Rig::bare("").await;
    let app = &rig.app.name;
    let mut ear = rig.nginx.listen(app).await.unwrap();
    for name in ["hear-1", "hear-x"] {
        std::fs::write(markers(&rig).join(name), "").unwrap();
    }
    rig.nginx.keep_listening(app).await.unwrap();
    let mut names = left(&rig);
    names.sort();
    assert_eq!(names.len(), 3, "{names:?}");
    let number = |at: usize| names[at].strip_prefix("hear-").unwrap().parse::<u64>().unwrap();
    assert_eq!((number(1), names[2].as_str()), (number(0) + 1, "told"));
    let silent = tokio::time::timeout(Duration::ZERO, ear.next()).await;
    assert!(silent.is_err());
    std::fs::remove_dir_all(markers(&rig)).unwrap();
    rig.nginx.deafen(app).await.unwrap();
}

#[tokio::test]
async fn a_log_whose_form_is_gone_keeps_nobody_from_installing() {
    let mut rig = Rig::serving_beside(OWN_LOG, |app| app.tells = true).await;
    let conf = rig.nginx.surface.conf.clone().unwrap();
    let text = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, text.replace(" own;", " theirs;").replace("log_format own", "log_format theirs"))
        .unwrap();
    rig.nginx.surface.test().await.unwrap_err();
    for found in [0, 1] {
        rig.app.inherited = rig.nginx.inherited(&rig.app.name).await.unwrap();
        assert_eq!(rig.app.inherited.access_logs.len(), found);
        let done = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
        assert!(matches!(done, Installed::Reloaded { .. }));
    }
}

#[tokio::test]
async fn a_block_of_the_users_own_tells_and_keeps_its_own_log() {
    let log = "log_format own '$status'; access_log {root}/http.log own;";
    let mut rig = Rig::bare(log).await;
    (rig.app.exposure, rig.app.tells) = (Exposure::Snippets, true);
    let (dir, site, root) = (rig.nginx.conf_dir.display(), rig.site, rig.path().display());
    let server = format!(
        "server {{ listen {site}; access_log {root}/server.log own; include {dir}/cutover/web.server.in[c];\n\
         location / {{ include {dir}/cutover/web.location.inc; }} }}\n"
    );
    for name in ["server", "location"] {
        std::fs::create_dir_all(rig.nginx.conf_dir.join("cutover")).unwrap();
        std::fs::write(rig.nginx.conf_dir.join(format!("cutover/web.{name}.inc")), "").unwrap();
    }
    // nginx reads files in the order of their names, and a log's format before the log.
    std::fs::write(rig.nginx.conf_dir.join("own.conf"), server).unwrap();
    rig.app.inherited = rig.nginx.inherited(&rig.app.name).await.unwrap();
    assert_eq!(rig.app.inherited.access_logs, [[""; 0]; 0]);
    let done = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
    assert!(matches!(done, Installed::Reloaded { .. }));
    let mut ear = rig.nginx.listen(&rig.app.name).await.unwrap();
    eventually("the user's server answers", async || get(site, "/").await.0 == 200).await;
    assert_eq!(hear(&mut ear).await.slot, Slot::Blue);
    let read = |name: &str| std::fs::read_to_string(rig.path().join(name)).unwrap_or_default();
    eventually("the user's log has it", async || read("server.log").contains("200")).await;
    assert_eq!(read("http.log"), "");
}
