//! Releases that are bad, with load on the one that is live.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::time::Duration;

use serde_json::Value;
use xtask::rig::load::{Config, Load, Report};
use xtask::rig::needs;
use xtask::rig::nginx::HostNginx;
use xtask::rig::stage::{Nginx, Ran, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");
const IMPATIENT: &str = "health = { path = \"/healthz\", timeout = \"3s\", attempt = \"1s\" }";

/// A stage where `1` stands by, `2` is live, and load is on it.
async fn under_load(settings: &str) -> (Stage, Load) {
    let mut stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap().with(settings).unwrap();
    for version in ["1", "2"] {
        let image = stage.release(version, &[]).await.unwrap();
        stage.deploy(&image).await;
    }
    let load = Load::start(Config::at(stage.site()).workers(5, 2, 0).pace(Duration::from_millis(4)));
    load.answered_by("2", SOON).await.unwrap();
    (stage, load)
}

fn host(stage: &Stage) -> &HostNginx {
    match &stage.nginx {
        Nginx::Host(nginx) => nginx,
        Nginx::Container(_) => panic!("the stage has its nginx in a container"),
    }
}

/// Every word must be in what a person reads and in what a script reads.
fn tells(ran: &Ran, words: &[&str]) {
    let account = ran.json();
    let (reason, logs) = (account["reason"].as_str().unwrap_or_default(), account["logs"].to_string());
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is not told:\n{}", ran.stderr);
        assert!(reason.contains(word) || logs.contains(word), "`{word}` is not in the account: {account:#}");
    }
}

fn lost_nothing(report: &Report) {
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
    assert!(report.sent > 100, "there was hardly any load: {}", report.sent);
}

/// What a release does that is to be rejected, and the words that tell it from the others.
const BAD: [(&str, &[&str]); 6] = [
    ("unhealthy", &["it answered 500", "expected 200-299", "/healthz"]),
    ("fails-after:0", &["it answered 500", "expected 200-299", "/healthz"]),
    ("exit", &["status 3", "exiting: MODE=exit"]),
    ("wrong-port", &["listens on 8081, not on 8080"]),
    ("redirect", &["it answered 301 to /elsewhere", "health.path"]),
    ("never", &["takes connections, but does not answer in time", "/healthz"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_release_is_rejected_with_what_is_wrong_with_it_and_nothing_comes_of_it() {
    let (mut stage, load) = under_load(IMPATIENT).await;
    let before = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
    for (number, (mode, words)) in BAD.iter().enumerate() {
        let bad = stage.release(&format!("bad-{number}"), &[("MODE", mode)]).await.unwrap();
        let ran = stage.cutover(&["deploy", "--json", "--image", &bad]).await.exits(4);
        tells(&ran, words);
        let account = ran.json();
        assert_eq!(
            (&account["outcome"], &account["live"], &account["reloads"]),
            (&Value::from("rejected"), &Value::from("green"), &Value::from(0)),
            "{account:#}"
        );
        assert!(ran.stderr.contains("green serves"), "what serves is not told:\n{}", ran.stderr);
        let after = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
        assert_eq!(after, before, "after {mode} the slots are not as they were");
    }
    let report = load.stop().await;
    lost_nothing(&report);
    assert_eq!(report.versions(), ["2"]);
    assert_eq!(host(&stage).reloads(), 1);

    // What was rejected is no obstacle to a release that is well.
    let good = stage.release("3", &[]).await.unwrap();
    assert_eq!(stage.deploy(&good).await["live"], "blue");
}

/// Of a first release that failed nothing may be left, nor stand in the way of the next.
async fn leaves_nothing(mut stage: Stage) {
    assert_eq!(stage.containers().await.unwrap(), [""; 0]);
    let (nginx, app) = (host(&stage), stage.app.clone());
    let left: Vec<_> = nginx.conf_dir().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "nginx is left with {left:?}");
    assert!(!nginx.state_dir().join(&app).join("green").exists());
    assert!(stage.page(stage.site(), &app, "/").await.is_err(), "the site still answers");
    assert_eq!(stage.status().await["live"], Value::Null);

    let good = stage.release("good", &[]).await.unwrap();
    stage.deploy(&good).await;
    assert_eq!(stage.page(stage.site(), &app, "/").await.unwrap(), (200, "version good\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_that_is_unhealthy_leaves_nothing() {
    let mut stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap().with(IMPATIENT).unwrap();
    let bad = stage.release("bad", &[("MODE", "unhealthy")]).await.unwrap();
    let ran = stage.cutover(&["deploy", "--json", "--image", &bad]).await.exits(4);
    tells(&ran, &["it answered 500"]);
    assert_eq!((&ran.json()["outcome"], &ran.json()["live"]), (&Value::from("rejected"), &Value::Null));
    assert!(ran.stderr.contains("nothing is live"), "{}", ran.stderr);
    assert_eq!(host(&stage).reloads(), 0);
    leaves_nothing(stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_that_dies_in_the_soak_is_taken_out_of_nginx_again() {
    let stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap();
    let mut stage = stage.with("soak = \"9s\"").unwrap();
    let bad = stage.release("bad", &[("MODE", "dies-after:4000")]).await.unwrap();
    // There is no old release that traffic could be back on: this is a rejection.
    let ran = stage.cutover(&["deploy", "--json", "--image", &bad]).await.exits(4);
    tells(&ran, &["ended with status 3"]);
    assert_eq!((&ran.json()["outcome"], &ran.json()["live"]), (&Value::from("rejected"), &Value::Null));
    assert_eq!(host(&stage).reloads(), 2);
    let stage = stage.with("health = { path = \"/healthz\", timeout = \"11s\" }").unwrap();
    leaves_nothing(stage).await;
}

/// Deploys a release that goes bad while it is watched; what the load saw.
async fn is_rolled_back(mode: &str, words: &[&str]) -> Report {
    let (mut stage, load) = under_load("soak = \"12s\"").await;
    let before = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
    let bad = stage.release("3", &[("MODE", mode)]).await.unwrap();
    let ran = stage.cutover(&["deploy", "--json", "--image", &bad]).await.exits(6);
    tells(&ran, words);
    let account = ran.json();
    assert_eq!((&account["outcome"], &account["live"]), (&Value::from("rolled-back"), &Value::from("green")));
    assert_eq!(account["reloads"], 0, "{account:#}");
    assert!(ran.stderr.contains("green serves"), "what serves is not told:\n{}", ran.stderr);
    let watched = account["phases"]["soak"].as_f64().unwrap();
    assert!(watched < 11.5, "it watched to the end: {watched} s");
    load.answered_by("2", SOON).await.unwrap();
    let after = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
    assert_eq!(after, before, "the slots are not as they were");
    let report = load.stop().await;
    let bad = report.answers_from("3");
    assert!(bad.count() > 100, "the release was hardly live: {} answers", bad.count());
    println!(
        "{mode}: {} of {} requests failed, {} answers from the bad release; {:#?}",
        report.failed,
        report.sent,
        bad.count(),
        report.failures
    );
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_dies_in_the_soak_costs_at_most_what_it_had_in_hand() {
    let report =
        is_rolled_back("dies-after:6000", &["ended with status 3", "exiting: MODE=dies-after"]).await;
    // The backup answers whatever may be asked twice. A POST that the release had taken may not: one a worker.
    assert!(report.failed <= 7, "{} requests failed: {:#?}", report.failed, report.failures);
    let got = report.failures.iter().find(|failure| failure.contains("GET "));
    assert_eq!(got, None, "the backup did not answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_turns_to_500_in_the_soak_is_left_within_the_failure_detection() {
    let report = is_rolled_back("fails-after:5000", &["went bad", "500"]).await;
    let first = report.failures.first().expect("the release answered 500 to nobody");
    let at: f64 =
        first.strip_prefix("at +").and_then(|text| text.split_once(' ')).unwrap().0.parse().unwrap();
    let (back, _) = *report.transitions().last().unwrap();
    let lost = back.saturating_duration_since(report.started).as_secs_f64() - at;
    println!("traffic was back {lost:.3} s after the first 500");
    // Three bad looks, 200 ms apart, and the switch.
    assert!(lost < 3.0, "traffic was back only after {lost} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_whose_secret_is_missing_is_refused_before_anything_is_touched() {
    let (mut stage, load) = under_load(IMPATIENT).await;
    let image = stage.release("3", &[]).await.unwrap();
    let before = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
    let stage = stage.with("env = { TOKEN = { env = \"APP_TOKEN\" } }").unwrap();
    let ran = stage.cutover(&["deploy", "--json", "--image", &image]).await.exits(2);
    for words in ["APP_TOKEN", "cutover.toml:", "env = { TOKEN"] {
        assert!(ran.stderr.contains(words), "`{words}` is not told:\n{}", ran.stderr);
    }
    assert_eq!(ran.stdout, "");
    let after = (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await);
    assert_eq!(after, before);
    lost_nothing(&load.stop().await);
}
