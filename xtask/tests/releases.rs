//! Release after release while requests come: none is lost, none is answered by what was left, nginx is not reloaded.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::time::{Duration, Instant};

use serde_json::Value;
use xtask::rig::load::{Config, Load};
use xtask::rig::stage::Stage;
use xtask::rig::{docker, needs, port};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

const SOON: Duration = Duration::from_secs(20);

/// How many releases' images are kept, where the file does not say.
const RETAINED: usize = 3;

/// A site that gets one release after the other, with load on it from the first on.
struct Site {
    stage: Stage,
    replicas: usize,
    load: Load,
    /// Of each release so far.
    digests: Vec<String>,
    /// When each release but the last was left: its successor's deploy had returned.
    left: Vec<Instant>,
    deploys: Vec<Duration>,
    backups: Vec<Duration>,
}

impl Site {
    /// The first release, which is the one that nginx is reloaded for; then load.
    async fn open(mut stage: Stage, replicas: usize) -> Self {
        let image = stage.release("1", &[]).await.unwrap();
        let ran = stage.cutover(&["deploy", "--json", "--image", &image]).await.exits(0);
        let account = ran.json();
        assert_eq!((&account["outcome"], &account["reloads"]), (&"deployed".into(), &1.into()), "{account}");
        assert_eq!(account["previous"], Value::Null);
        let load = Load::start(Config::at(stage.site()).workers(6, 2, 2).pace(Duration::from_millis(4)));
        load.answered_by("1", SOON).await.unwrap();
        let mut site = Self {
            stage,
            replicas,
            load,
            digests: vec![text(&account["digest"])],
            left: Vec::new(),
            deploys: vec![ran.took],
            backups: Vec::new(),
        };
        site.back_up().await;
        site
    }

    async fn release(&mut self) {
        let version = (self.digests.len() + 1).to_string();
        let image = self.stage.release(&version, &[]).await.unwrap();
        let ran = self.stage.cutover(&["deploy", "--json", "--image", &image]).await.exits(0);
        self.left.push(Instant::now());
        let (account, previous) = (ran.json(), self.digests.last().unwrap().clone());
        assert_eq!(
            (&account["outcome"], &account["reloads"], &account["previous"]),
            (&"deployed".into(), &0.into(), &previous.as_str().into()),
            "{account}\n{}",
            ran.stderr
        );
        assert_ne!(account["live"], account["from"], "the other slot is live: {account}");
        self.load.answered_by(&version, SOON).await.unwrap();
        self.digests.push(text(&account["digest"]));
        self.deploys.push(ran.took);

        let status = self.stage.status().await;
        self.stands(&status, &text(&account["live"]), self.digests.last().unwrap());
        self.stands(&status, &text(&account["from"]), &previous);
        self.holds_its_own_containers_only().await;
    }

    /// The standby is brought up to the release that is live.
    async fn back_up(&mut self) {
        let ran = self.stage.cutover(&["backup", "--json"]).await.exits(0);
        let account = ran.json();
        assert_eq!((&account["outcome"], &account["reloads"]), (&"backed-up".into(), &0.into()), "{account}");
        self.backups.push(ran.took);
        let status = self.stage.status().await;
        for slot in ["blue", "green"] {
            self.stands(&status, slot, self.digests.last().unwrap());
        }
        self.holds_its_own_containers_only().await;
    }

    fn stands(&self, status: &Value, slot: &str, digest: &str) {
        let state = &status["slots"][slot];
        assert_eq!(
            (&state["state"], &state["healthy"], &state["digest"]),
            (&"running".into(), &true.into(), &digest.into()),
            "{slot}: {status}"
        );
    }

    async fn holds_its_own_containers_only(&self) {
        let names = ["blue", "green"].into_iter().flat_map(|slot| {
            (1..=self.replicas).map(move |replica| format!("{}-{slot}-{replica} running", self.stage.app))
        });
        assert_eq!(self.stage.containers().await.unwrap(), names.collect::<Vec<_>>());
    }

    /// Ends the load, tells the figures, and holds them to what was promised.
    async fn close(self, what: &str) {
        let (stage, report) = (self.stage, self.load.stop().await);
        println!(
            "{what}: {} releases, {} requests sent, {} failed; p50 {:.1?}, p99 {:.1?}, slowest {:.1?}; \
             deploy {}; backup {}",
            self.digests.len(),
            report.sent,
            report.failed,
            report.latency.p50(),
            report.latency.p99(),
            report.latency.max(),
            spread(&self.deploys),
            spread(&self.backups)
        );
        assert_eq!((report.failed, report.ok), (0, report.sent), "{:#?}", report.failures);
        for number in 1..=self.digests.len() {
            let answers = report.answers_from(&number.to_string());
            assert!(answers.count() > 0, "version {number} never answered");
            let Some(left) = self.left.get(number - 1) else { continue };
            assert_eq!(answers.after(*left), 0, "version {number} answered after it had been left");
        }
        assert_eq!(report.versions().len(), self.digests.len());
        assert_eq!(stage.nginx.reloads(), 1, "nginx was reloaded for the first release alone");

        let listed = ["images", "--digests", "--format", "{{.Digest}}", &stage.repository()];
        let mut kept: Vec<String> = docker::run(&listed).await.unwrap().lines().map(str::to_owned).collect();
        kept.sort();
        let mut retained = self.digests[self.digests.len().saturating_sub(RETAINED)..].to_vec();
        retained.sort();
        assert_eq!(kept, retained, "the images of the last releases are kept, and no other");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The mean and the longest.
fn spread(times: &[Duration]) -> String {
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap();
    format!("{mean:.2?} (longest {:.2?})", times.iter().max().unwrap())
}

async fn releases(what: &str, count: usize, replicas: usize, stage: Stage) {
    let mut site = Site::open(stage, replicas).await;
    for _ in 1..count {
        site.release().await;
        site.back_up().await;
    }
    site.close(what).await;
}

async fn on_host() -> Stage {
    Stage::on_host(PROGRAM, needs::nginx()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_releases_over_nginx_on_the_host_lose_no_request() {
    releases("nginx on the host", 50, 1, on_host().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_releases_over_nginx_in_a_container_lose_no_request() {
    let stage = Stage::in_container(PROGRAM, needs::nginx()).await.unwrap();
    releases("nginx in a container", 10, 1, stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_releases_over_the_newest_nginx_lose_no_request() {
    let newest = needs::nginx_new();
    let newest = newest.expect("the newest nginx is not installed: `cargo xtask test --install` does");
    let stage = Stage::on_host(PROGRAM, newest).await.unwrap();
    releases("the newest nginx", 10, 1, stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_with_published_ports_lose_no_request() {
    let (blue, green) = (port::free().unwrap(), port::free().unwrap());
    let slots = format!("slots = {{ blue = \"{blue}\", green = \"{green}\" }}");
    releases("published ports", 5, 1, on_host().await.with(&slots).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_of_two_replicas_with_the_fewest_connections_lose_no_request() {
    let settings = "replicas = 2\nupstream = { balance = \"least_conn\" }";
    releases("two replicas, least_conn", 3, 2, on_host().await.with(settings).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_of_two_replicas_by_the_clients_address_lose_no_request() {
    let settings = "replicas = 2\nupstream = { balance = \"ip_hash\" }";
    releases("two replicas, ip_hash", 3, 2, on_host().await.with(settings).unwrap()).await;
}
