//! Several runs at once.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::time::Duration;

use rustix::process::Signal;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::session::Session;
use xtask::rig::stage::Stage;

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

async fn stage(settings: &str) -> Stage {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    stage.with(settings).unwrap()
}

fn start(stage: &Stage, arguments: &[&str]) -> Session {
    Session::start(stage.command(arguments)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_deploys_is_told_who_holds_the_lock_and_with_wait_does_its_work_after() {
    let mut stage = stage("soak = \"6s\"").await;
    let one = stage.release("1", &[]).await.unwrap();
    let two = stage.release("2", &[]).await.unwrap();
    let mut first = start(&stage, &["deploy", "--json", "--image", &one]);
    first.tells("start release", SOON).await.unwrap();

    let refused = stage.cutover(&["deploy", "--json", "--image", &two]).await.exits(5);
    let pid = first.pid().to_string();
    for words in ["cutover deploy", &stage.app, &pid, "ann@", "--wait", "nothing was changed"] {
        assert!(refused.stderr.contains(words), "`{words}` is not told:\n{}", refused.stderr);
    }
    assert_eq!(refused.stdout, "");
    stage.cutover(&["rollback"]).await.exits(5);

    let mut second = start(&stage, &["deploy", "--json", "--wait", "--image", &two]);
    second.tells(&format!("process {pid}"), SOON).await.unwrap();

    // What only looks needs no lock.
    stage.status().await;
    stage.cutover(&["history", "--json"]).await.exits(0);
    stage.cutover(&["plan", "--image", &two]).await.exits(0);
    let first = first.end(LONG).await.unwrap().exits(0).json();
    let second = second.end(LONG).await.unwrap().exits(0).json();
    assert_eq!((&first["outcome"], &first["live"]), (&"deployed".into(), &"blue".into()));
    assert_eq!((&second["outcome"], &second["live"]), (&"deployed".into(), &"green".into()));
    assert_eq!(second["previous"], first["digest"]);
    assert_eq!(stage.page(stage.site(), &stage.app, "/").await.unwrap().1, "version 2\n");
    let history = stage.cutover(&["history", "--json"]).await.exits(0).json();
    assert_eq!(history["entries"].as_array().unwrap().len(), 2, "{history:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_holder_leaves_no_lock() {
    let mut stage = stage("soak = \"20s\"").await;
    let image = stage.release("1", &[]).await.unwrap();
    let mut holder = start(&stage, &["deploy", "--image", &image]);
    holder.tells("watch blue ...", SOON).await.unwrap();
    for refused in [
        &["deploy", "--image", &image][..],
        &["backup"],
        &["rollback"],
        &["promote"],
        &["abort"],
        &["ship", "--image", &image],
    ] {
        stage.cutover(refused).await.exits(5);
    }
    holder.signal(Signal::KILL).unwrap();
    assert_eq!(holder.end(SOON).await.unwrap().status, None);

    let stage = stage.with("drain = \"1s\"").unwrap();
    let mut next = start(&stage, &["deploy", "--image", &image]);
    next.tells("watch blue ...", SOON).await.unwrap();
    next.signal(Signal::TERM).unwrap();
    next.end(SOON).await.unwrap().exits(7);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_can_be_interrupted() {
    let mut stage = stage("soak = \"20s\"").await;
    let image = stage.release("1", &[]).await.unwrap();
    let mut holder = start(&stage, &["deploy", "--image", &image]);
    holder.tells("watch blue ...", SOON).await.unwrap();
    let mut waiting = start(&stage, &["backup", "--wait"]);
    waiting.tells("waiting for", SOON).await.unwrap();
    waiting.signal(Signal::INT).unwrap();
    let waiting = waiting.end(SOON).await.unwrap().exits(7);
    assert!(waiting.stderr.contains("interrupted before anything was done"), "{}", waiting.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn six_deploys_at_once_that_wait_all_end_well() {
    let mut stage = stage("").await;
    let mut images = Vec::new();
    for version in ["1", "2", "3"] {
        images.push(stage.release(version, &[]).await.unwrap());
    }
    stage.deploy(&images[0]).await;
    let load = Load::start(Config::at(stage.site()).workers(2, 1, 0));
    load.answered_by("1", SOON).await.unwrap();
    let sessions: Vec<Session> = (0..6)
        .map(|number| start(&stage, &["deploy", "--json", "--wait", "--image", &images[number % 3]]))
        .collect();
    let mut outcomes = Vec::new();
    for session in sessions {
        outcomes.push(session.end(LONG).await.unwrap().exits(0).json()["outcome"].clone());
    }
    let known = |outcome: &serde_json::Value| outcome == "deployed" || outcome == "unchanged";
    assert!(outcomes.iter().all(known), "{outcomes:?}");
    assert_eq!(
        stage.containers().await.unwrap(),
        ["blue", "green"].map(|slot| format!("{}-{slot}-1 running", stage.app))
    );
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
    let history = stage.cutover(&["history", "--json"]).await.exits(0).json();
    assert_eq!(history["entries"].as_array().unwrap().len(), 7, "{history:#}");
}
