//! Requests that cutover itself puts on a site while it changes an app, and who hears how they were answered.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::time::Duration;

use serde_json::{Value, json};
use xtask::rig::needs;
use xtask::rig::session::Session;
use xtask::rig::slack::Slack;
use xtask::rig::stage::{Nginx, Ran, Stage};

const LONG: Duration = Duration::from_secs(180);

const SLACK: &str = "[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK_URL\" }";

/// Ships an image with a probe, and has the notice tell the same of it; what was sent and failed.
async fn ship(stage: &Stage, slack: &Slack, image: &str, status: i32) -> (Ran, [u64; 2]) {
    let mut command = stage.command(&["ship", "--json", "--probe", "40", "--image", image]);
    command.env("SLACK_WEBHOOK_URL", slack.url());
    let ran = Session::start(command).unwrap().end(LONG).await.unwrap().exits(status);
    let [sent, failed] = counts(&ran.json()["probe"]);
    let (words, notice) =
        (format!("{failed} lost of {sent}, p99 "), slack.received().pop().unwrap().to_string());
    assert!(notice.contains(&words), "`{words}` is not in {notice}");
    (ran, [sent, failed])
}

async fn stage(settings: &str) -> Stage {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    stage.with(settings).unwrap()
}

/// Sent and failed of a probe's figures, and of their parts together.
fn counts(figures: &Value) -> [u64; 2] {
    let parts = ["before", "during", "after"];
    let sum = |name: &str| parts.iter().filter_map(|part| figures[part][name].as_u64()).sum::<u64>();
    let whole = ["sent", "failed"].map(|name| figures[name].as_u64().unwrap());
    assert_eq!(whole, ["sent", "failed"].map(sum), "{figures}");
    whole
}

/// What the history says of the last runs' probes, the newest last.
async fn history(stage: &Stage) -> Vec<Value> {
    let told = stage.cutover(&["history", "--json"]).await.exits(0).json();
    told["entries"].as_array().unwrap().iter().map(|entry| entry["probe"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_tells_everyone_how_its_own_requests_were_answered() {
    let mut stage = stage("").await;
    let (one, two) = (stage.release("1", &[]).await.unwrap(), stage.release("2", &[]).await.unwrap());

    // Nothing listens before the first deploy: what cannot be answered yet does not count.
    let first = stage.cutover(&["deploy", "--json", "--probe", "50", "--image", &one]).await.exits(0).json();
    assert_eq!(counts(&first["probe"])[1], 0, "{first}");

    let summary = stage.config().with_file_name("summary.md");
    let mut command = stage.command(&["deploy", "--json", "--probe", "50", "--image", &two]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let ran = Session::start(command).unwrap().end(LONG).await.unwrap().exits(0);
    let figures = &ran.json()["probe"];
    println!("a deploy with --probe 50: {figures}");
    let [sent, failed] = counts(figures);
    assert!(sent > 50 && failed == 0, "{figures}");
    for part in ["before", "during", "after"] {
        let part = &figures[part];
        assert!(part["sent"].as_u64() > Some(0) && part["p99_ms"].is_number(), "{figures}");
        assert!(part["p50_ms"].as_f64() <= part["p99_ms"].as_f64(), "{figures}");
    }
    assert_eq!(history(&stage).await.last(), Some(figures));
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.contains(&format!("| probe | {sent} sent, 0 failed, p99 ")), "{summary}");

    // The site can tell these requests from others, and the record holds what was seen, slot by slot.
    let record = stage.cutover(&["report", "--json"]).await.exits(0).json();
    let Nginx::Host(nginx) = &stage.nginx else { panic!("the nginx is of the host") };
    let path = nginx
        .state_dir()
        .join(&stage.app)
        .join("runs")
        .join(format!("{}.json", record["id"].as_str().unwrap()));
    assert_eq!(record, serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap());
    assert_eq!(&record["run"]["probe"], figures);
    let buckets = record["probe"]["buckets"].as_array().unwrap();
    assert_eq!(buckets.iter().filter_map(|bucket| bucket["sent"].as_u64()).sum::<u64>(), sent);
    let mut slots: Vec<&str> = buckets.iter().map(|bucket| bucket["slot"].as_str().unwrap()).collect();
    slots.dedup();
    assert_eq!(slots, ["blue", "green"]);
    let gate = record["gate"].to_string();
    assert!(
        gate.contains("/healthz through nginx") && gate.contains(&format!("{}-green-1", stage.app)),
        "{gate}"
    );
    assert!(record["logs"].to_string().contains("listening"), "{record}");
    let told = stage.cutover(&["report"]).await.exits(0).stdout;
    assert!(told.contains("switch to green") && told.contains("p99 ms"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_breaks_after_the_switch_is_seen_and_told_by_the_notice() {
    let (mut stage, slack) =
        (stage("soak = \"7s\"").await.with_tables(SLACK).unwrap(), Slack::start().await.unwrap());
    let well = stage.release("1", &[]).await.unwrap();
    stage.cutover(&["deploy", "--image", &well]).await.exits(0);
    let broken = stage.release("2", &[("MODE", "fails-after:4000")]).await.unwrap();
    let (ran, [sent, failed]) = ship(&stage, &slack, &broken, 6).await;
    println!("a release that breaks: {}", ran.json()["probe"]);
    assert!(0 < failed && failed < sent, "{}", ran.json());
    assert!(ran.json()["probe"]["why"].as_str().unwrap().contains("500"), "{}", ran.json());
    assert_eq!(history(&stage).await.last().unwrap()["failed"], json!(failed));
    let record = stage.cutover(&["report", "--json"]).await.exits(0).json();
    let serving: Vec<&str> =
        record["serving"].as_array().unwrap().iter().map(|part| part["slot"].as_str().unwrap()).collect();
    assert_eq!(serving, ["blue", "green", "blue"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_changes_no_verdict_and_needs_an_address() {
    let (mut stage, slack) = (stage("").await.with_tables(SLACK).unwrap(), Slack::start().await.unwrap());
    let one = stage.release("1", &[]).await.unwrap();
    // A shipment is a deploy and a backup; what is told at its end is both.
    let (_, [sent, failed]) = ship(&stage, &slack, &one, 0).await;
    assert_eq!(failed, 0);
    let runs = history(&stage).await;
    assert_eq!((runs.len(), runs.iter().map(|probe| counts(probe)[0]).sum::<u64>()), (2, sent));
    let two = stage.release("2", &[]).await.unwrap();
    // Nothing listens there: all is lost, and the deploy is what it is without.
    let nowhere = stage.with("probe = { path = \"/healthz\", address = \"127.0.0.1:1\" }").unwrap();
    let ran = nowhere.cutover(&["deploy", "--json", "--probe", "20", "--image", &two]).await.exits(0);
    let [sent, failed] = counts(&ran.json()["probe"]);
    assert!(sent > 0 && failed == sent, "{}", ran.json());
    assert_eq!(ran.json()["outcome"], "deployed");
    assert!(ran.json()["probe"]["why"].as_str().unwrap().contains("no connection"), "{}", ran.json());

    for command in [&["rollback", "--probe", "20"][..], &["backup", "--probe", "20"]] {
        let ran = nowhere.cutover(&[command, &["--json"]].concat()).await.exits(0);
        assert!(counts(&ran.json()["probe"])[1] > 0, "{command:?}: {}", ran.json());
    }
    let refused = nowhere.cutover(&["promote", "--probe", "0"]).await.exits(2);
    assert!(refused.stderr.contains("1..=1000"), "{}", refused.stderr);
}
