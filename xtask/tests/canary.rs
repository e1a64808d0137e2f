//! A release that gets shares of the clients first, each watched, before it gets all of them.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::Path;
use std::time::Duration;

use xtask::chaos::Options;
use xtask::chaos::canary::{Size, play};
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::session::Session;
use xtask::rig::stage::{Nginx, Stage};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

const LONG: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn shares_of_the_clients_hold_nobody_goes_back_and_nothing_is_lost() {
    let sections = play(Path::new(PROGRAM), &Options::default(), Size::Bounded).await;
    let faults: Vec<&String> =
        sections.iter().flat_map(|section| &section.rows).flat_map(|row| &row.faults).collect();
    assert_eq!(faults, Vec::<&String>::new());
}

/// A stage whose first release serves, and its load.
async fn stage(settings: &str) -> (Stage, Load) {
    let mut stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap().with(settings).unwrap();
    let one = stage.release("1", &[]).await.unwrap();
    stage.deploy(&one).await;
    let load = Load::start(Config::at(stage.site()).workers(8, 2, 0).pace(Duration::from_millis(4)));
    (stage, load)
}

/// The files in the folder of the app's markers.
fn marks(stage: &Stage) -> Vec<String> {
    let Nginx::Host(nginx) = &stage.nginx else { panic!("the nginx is of the host") };
    let entries = std::fs::read_dir(nginx.state_dir().join(&stage.app)).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !["history.jsonl", "lock", "runs"].contains(&name.as_str()));
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_its_share_is_taken_back_from_it() {
    // All of the load comes from one address, so it is in the share or it is not: by the cookie that nginx gives it, each
    // request without one is a new client.
    let (mut stage, load) = stage("soak = \"1s\"\ncanary = { by = \"cookie\", stage = \"20s\" }").await;
    let bad = stage.release("2", &[("MODE", "fails-each:10")]).await.unwrap();
    let ran = stage.cutover(&["deploy", "--json", "--canary", "50", "--image", &bad]).await.exits(6);
    let account = ran.json();
    assert_eq!((&account["outcome"], &account["live"]), (&"rolled-back".into(), &"blue".into()), "{account}");
    assert!(account["reason"].as_str().unwrap().contains("green failed"), "{account}");
    assert_eq!(marks(&stage), Vec::<String>::new());
    let report = load.stop().await;
    assert!(report.answers_from("2").count() > 20 && report.failed > 0, "{report:?}");
    assert_eq!(stage.status().await["slots"]["green"]["state"], "absent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_a_killed_run_left_is_told_and_goes_on_or_is_taken_back() {
    let (mut stage, load) = stage("soak = \"0s\"\ncanary = { by = \"cookie\", stage = \"1s\" }").await;
    let two = stage.release("2", &[]).await.unwrap();
    let deploy = ["deploy", "--json", "--canary", "20,40", "--image", &two];
    let mut session = Session::start(stage.command(&deploy)).unwrap();
    session.tells("watch green with its share", LONG).await.unwrap();
    drop(session);
    let status = stage.status().await;
    assert_eq!((&status["live"], &status["canary"]["percent"]), (&"blue".into(), &20.into()), "{status}");
    let doctor = stage.cutover(&["doctor"]).await;
    assert!(doctor.stdout.contains("20 % of the clients are sent to green"), "{}", doctor.stdout);

    let ran = stage.cutover(&deploy).await.exits(0);
    assert_eq!(ran.json()["outcome"], "deployed");
    assert!(!ran.stderr.contains("send 20 %") && ran.stderr.contains("send 40 %"), "{}", ran.stderr);
    assert_eq!(marks(&stage), ["green"]);
    assert_eq!(stage.status().await["canary"], serde_json::Value::Null);

    let three = stage.release("3", &[]).await.unwrap();
    let mut session =
        Session::start(stage.command(&["deploy", "--canary", "30", "--image", &three])).unwrap();
    session.tells("watch blue with its share", LONG).await.unwrap();
    drop(session);
    let ran = stage.cutover(&["abort", "--json"]).await.exits(0);
    assert_eq!(ran.json()["outcome"], "aborted");
    assert_eq!(marks(&stage), ["green"]);
    let report = load.stop().await;
    assert_eq!(report.failed, 0, "{:?}", report.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_are_refused_where_they_cannot_be_had() {
    let mut stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap();
    let one = stage.release("1", &[]).await.unwrap();
    let refused = stage.cutover(&["deploy", "--canary", "5", "--image", &one]).await.exits(2);
    assert!(refused.stderr.contains(&format!("[apps.{}.canary]", stage.app)), "{}", refused.stderr);
    for (shares, why) in [("25,5", "takes clients back"), ("0", "1..=99"), ("100", "1..=99")] {
        let refused = stage.cutover(&["deploy", "--canary", shares, "--image", &one]).await.exits(2);
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    stage.cutover(&["deploy", "--canary", "5", "--no-promote", "--image", &one]).await.exits(2);
}
