//! Releases that wait to be promoted, and releases that are gone back to.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::time::Duration;

use serde_json::{Value, json};
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::stage::{Ran, Stage};

const SOON: Duration = Duration::from_secs(20);

/// A stage with releases 1, 2 and so on, the first of them live in both slots, and load on it.
struct Site {
    stage: Stage,
    images: Vec<String>,
    load: Load,
}

impl Site {
    async fn open(releases: usize) -> Self {
        let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let mut images = Vec::new();
        for version in 1..=releases {
            images.push(stage.release(&version.to_string(), &[]).await.unwrap());
        }
        stage.deploy(&images[0]).await;
        let load = Load::start(Config::at(stage.site()).workers(4, 2, 1));
        load.answered_by("1", SOON).await.unwrap();
        let site = Self { stage, images, load };
        site.run(&["backup"]).await;
        site
    }

    fn image(&self, version: usize) -> &str {
        &self.images[version - 1]
    }

    /// Runs a command that ends well.
    async fn run(&self, arguments: &[&str]) -> Ran {
        self.stage.cutover(arguments).await.exits(0)
    }

    async fn account(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).await.json()
    }

    /// Has a release wait; the account of it.
    async fn wait_with(&self, version: usize) -> Value {
        self.account(&["deploy", "--no-promote", "--image", self.image(version)]).await
    }

    async fn site_answers(&self, version: usize) {
        let site = self.stage.site();
        let page = self.stage.page(site, &site.to_string(), "/").await.unwrap();
        assert_eq!(page, (200, format!("version {version}\n")));
    }

    async fn preview_answers(&self, version: usize) {
        let page = self.stage.page(self.stage.control(), &self.stage.preview_host(), "/").await.unwrap();
        assert_eq!(page, (200, format!("version {version}\n")));
    }

    /// No request was lost, and these versions alone answered.
    async fn close(self, what: &str, versions: &[&str]) {
        let report = self.load.stop().await;
        println!("{what}: {} requests sent, {} failed", report.sent, report.failed);
        assert_eq!((report.failed, report.ok), (0, report.sent), "{:#?}", report.failures);
        assert_eq!(report.versions(), versions);
        assert_eq!(self.stage.nginx.reloads(), 1);
    }
}

/// What a slot holds: its state, whether it is healthy, and the digest.
fn holds(status: &Value, slot: &str) -> Value {
    let slot = &status["slots"][slot];
    json!([slot["state"], slot["healthy"], slot["digest"]])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_on_the_preview_route_until_it_is_promoted() {
    let site = Site::open(2).await;
    let waiting = site.wait_with(2).await;
    assert_eq!(waiting["outcome"], "waiting", "{waiting}");
    assert_eq!((&waiting["live"], &waiting["reloads"]), (&json!("blue"), &json!(0)), "{waiting}");
    let preview = format!("http://{}:{}/", site.stage.preview_host(), site.stage.control().port());
    assert_eq!(waiting["preview"], preview);
    site.preview_answers(2).await;
    site.site_answers(1).await;
    let status = site.stage.status().await;
    assert_eq!((&status["live"], &status["waiting"]), (&json!("blue"), &json!("green")), "{status}");

    let refused = site.stage.cutover(&["backup"]).await.exits(2);
    assert!(refused.stderr.contains("a release waits in green"), "{}", refused.stderr);
    assert!(refused.stderr.contains("cutover promote"), "{}", refused.stderr);
    assert_eq!(site.stage.status().await, status, "a refused backup changes nothing");

    let promoted = site.account(&["promote"]).await;
    assert_eq!(promoted["outcome"], "deployed", "{promoted}");
    assert_eq!((&promoted["live"], &promoted["digest"]), (&json!("green"), &waiting["digest"]), "{promoted}");
    site.load.answered_by("2", SOON).await.unwrap();
    site.site_answers(2).await;
    let status = site.stage.status().await;
    assert_eq!((&status["live"], &status["waiting"]), (&json!("green"), &Value::Null), "{status}");
    site.run(&["backup"]).await;
    site.close("promote", &["1", "2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_release_leaves_the_standby_as_it_was() {
    let site = Site::open(3).await;
    site.run(&["deploy", "--image", site.image(2)]).await;
    let before = site.stage.status().await;
    let containers = site.stage.containers().await.unwrap();
    site.wait_with(3).await;
    site.preview_answers(3).await;
    assert_ne!(holds(&site.stage.status().await, "blue"), holds(&before, "blue"));

    let aborted = site.account(&["abort"]).await;
    assert_eq!((&aborted["outcome"], &aborted["live"]), (&json!("aborted"), &json!("green")), "{aborted}");
    let after = site.stage.status().await;
    assert_eq!(after, before);
    assert_eq!(holds(&after, "blue")[0], "running");
    assert_eq!(site.stage.containers().await.unwrap(), containers);
    site.preview_answers(1).await;
    site.site_answers(2).await;
    site.close("abort", &["1", "2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_waiting_there_is_nothing_to_promote_or_abort() {
    let site = Site::open(1).await;
    let before = (site.stage.status().await, site.stage.containers().await.unwrap());
    for command in ["promote", "abort"] {
        let refused = site.stage.cutover(&[command]).await.exits(2);
        assert!(refused.stderr.contains("no release waits"), "{}", refused.stderr);
        assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    }
    assert_eq!((site.stage.status().await, site.stage.containers().await.unwrap()), before);
    site.close("nothing waits", &["1"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_release_can_be_deployed_again_and_replaced_by_another() {
    let site = Site::open(3).await;
    let first = site.wait_with(2).await;
    let containers = site.stage.containers().await.unwrap();
    let again = site.wait_with(2).await;
    assert_eq!((&again["outcome"], &again["digest"]), (&json!("waiting"), &first["digest"]), "{again}");
    assert_eq!(site.stage.containers().await.unwrap(), containers);
    site.preview_answers(2).await;

    let other = site.wait_with(3).await;
    assert_eq!(other["outcome"], "waiting", "{other}");
    assert_ne!(other["digest"], first["digest"]);
    site.preview_answers(3).await;
    site.site_answers(1).await;
    assert_eq!(site.stage.containers().await.unwrap(), containers, "nothing of the replaced release is left");

    let deployed = site.account(&["deploy", "--image", site.image(3)]).await;
    assert_eq!(deployed["outcome"], "deployed", "a deploy promotes what waits: {deployed}");
    site.load.answered_by("3", SOON).await.unwrap();
    site.close("replaced while it waited", &["1", "3"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_release_of_all_is_live_at_once_and_that_is_said() {
    let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let image = stage.release("1", &[]).await.unwrap();
    let ran = stage.cutover(&["deploy", "--json", "--no-promote", "--image", &image]).await.exits(0);
    let account = ran.json();
    assert_eq!((&account["outcome"], &account["live"]), (&json!("deployed"), &json!("blue")), "{account}");
    assert!(ran.stderr.contains("nothing was live"), "{}", ran.stderr);
    let (site, host) = (stage.site(), stage.site().to_string());
    assert_eq!(stage.page(site, &host, "/").await.unwrap(), (200, "version 1\n".to_owned()));
    drop(stage.cutover(&["promote"]).await.exits(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_the_standby_is_one_flip() {
    let site = Site::open(2).await;
    let first = site.stage.status().await["slots"]["blue"]["digest"].clone();
    site.run(&["deploy", "--image", site.image(2)]).await;
    site.load.answered_by("2", SOON).await.unwrap();
    let containers = site.stage.containers().await.unwrap();

    let ran = site.run(&["rollback", "--json"]).await;
    let account = ran.json();
    println!("warm rollback: {} ms for the whole process; {}", ran.took.as_millis(), account["phases"]);
    assert_eq!((&account["outcome"], &account["live"]), (&json!("rolled-back"), &json!("blue")), "{account}");
    assert_eq!((&account["digest"], &account["reloads"]), (&first, &json!(0)), "{account}");
    let phases: Vec<&String> = account["phases"].as_object().unwrap().keys().collect();
    assert_eq!(phases, ["gate-through", "observe", "switch"], "one flip, and nothing else is done");
    site.load.answered_by("1", SOON).await.unwrap();
    site.site_answers(1).await;
    assert_eq!(site.stage.containers().await.unwrap(), containers);
    site.close("warm rollback", &["1", "2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_after_the_backup_starts_the_release_of_before() {
    let site = Site::open(3).await;
    let mut digests = vec![site.stage.status().await["slots"]["blue"]["digest"].clone()];
    for version in [2, 3] {
        digests.push(site.account(&["deploy", "--image", site.image(version)]).await["digest"].clone());
        site.load.answered_by(&version.to_string(), SOON).await.unwrap();
        site.run(&["backup"]).await;
    }

    let ran = site.run(&["rollback", "--json"]).await;
    let account = ran.json();
    println!("cold rollback: {} ms for the whole process; {}", ran.took.as_millis(), account["phases"]);
    assert_eq!((&account["outcome"], &account["digest"]), (&json!("rolled-back"), &digests[1]), "{account}");
    site.site_answers(2).await;

    let prefix = &digests[0].as_str().unwrap()["sha256:".len()..][..12];
    let ran = site.run(&["rollback", "--json", "--to", prefix]).await;
    let account = ran.json();
    println!("cold rollback --to {prefix}: {} ms for the whole process", ran.took.as_millis());
    assert_eq!((&account["outcome"], &account["digest"]), (&json!("rolled-back"), &digests[0]), "{account}");
    site.site_answers(1).await;

    let unknown = site.stage.cutover(&["rollback", "--to", "000000000000"]).await.exits(2);
    assert!(unknown.stderr.contains("000000000000"), "{}", unknown.stderr);
    site.close("cold rollback", &["1", "2", "3"]).await;
}
