//! The app's containers on Podman, by the socket on which it speaks the Engine API, behind an nginx of the host.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::time::Duration;

use serde_json::Value;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::podman::Podman;
use xtask::rig::stage::{Ran, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);

/// What a release does that is to be rejected, and the words that tell it from the others.
const BAD: [(&str, &[&str]); 3] = [
    ("unhealthy", &["it answered 500", "/healthz"]),
    ("exit", &["status 3", "exiting: MODE=exit"]),
    ("wrong-port", &["listens on 8081, not on 8080"]),
];

/// A stage whose app runs on Podman. The app goes with it.
struct Place {
    stage: Stage,
    podman: Podman,
}

impl Place {
    async fn new(settings: &str) -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let podman = Podman::start(&[stage.registry.host()]).await.unwrap();
        Self { stage: stage.with(settings).unwrap().on_engine(podman.engine()), podman }
    }

    async fn containers(&self) -> Vec<String> {
        let ids = self.podman.run(&["ps", "-aq"]).await.unwrap();
        let inspect = ["inspect", "--format", "{{.Name}} {{.State.Status}}"];
        let listed: Vec<&str> = inspect.into_iter().chain(ids.split_whitespace()).collect();
        let listed = self.podman.run(&listed).await.unwrap();
        let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    fn both_run(&self) -> Vec<String> {
        ["blue", "green"].map(|slot| format!("{}-{slot}-1 running", self.stage.app)).to_vec()
    }

    async fn serves(&self, version: &str, load: &Load) {
        load.answered_by(version, SOON).await.unwrap();
        let status = self.stage.status().await;
        let live = status["live"].as_str().unwrap();
        assert_eq!(status["slots"][live]["healthy"], true, "{status:#}");
        assert_eq!(status["nginx_current"], true, "{status:#}");
    }

    async fn run(&self, arguments: &[&str], status: i32) -> Ran {
        self.stage.cutover(arguments).await.exits(status)
    }
}

fn outcome(ran: &Ran) -> Value {
    ran.json()["outcome"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn releases_on_podman_lose_no_request() {
    let mut place = Place::new("soak = \"500ms\"").await;
    let mut images = Vec::new();
    for version in ["1", "2", "3"] {
        images.push(place.stage.release(version, &[]).await.unwrap());
    }
    let mut bad = Vec::new();
    for (mode, words) in BAD {
        bad.push((place.stage.release(mode, &[("MODE", mode)]).await.unwrap(), words));
    }
    assert_eq!(outcome(&place.run(&["deploy", "--json", "--image", &images[0]], 0).await), "deployed");
    let load = Load::start(Config::at(place.stage.site()).workers(4, 2, 1));
    place.serves("1", &load).await;

    for (version, image) in ["2", "3"].into_iter().zip(&images[1..]) {
        assert_eq!(outcome(&place.run(&["deploy", "--json", "--image", image], 0).await), "deployed");
        place.serves(version, &load).await;
        assert_eq!(outcome(&place.run(&["backup", "--json"], 0).await), "backed-up");
        assert_eq!(place.containers().await, place.both_run());
    }
    for (image, words) in &bad {
        let ran = place.run(&["deploy", "--json", "--image", image], 4).await;
        assert_eq!(outcome(&ran), "rejected", "{}", ran.stderr);
        for word in *words {
            assert!(ran.stderr.contains(word), "`{word}` is not told:\n{}", ran.stderr);
        }
        assert_eq!(place.containers().await, place.both_run());
        place.serves("3", &load).await;
    }
    assert_eq!(outcome(&place.run(&["rollback", "--json"], 0).await), "rolled-back");
    place.serves("2", &load).await;
    let before = place.stage.status().await;
    let ran = place.run(&["deploy", "--json", "--image", &images[1]], 0).await;
    assert_eq!(outcome(&ran), "unchanged", "{before:#}\n{}", ran.stderr);
    let logs = place.run(&["logs"], 0).await;
    assert!(logs.stdout.contains("listening on 0.0.0.0:8080 (version 2)"), "{}", logs.stdout);
    assert_eq!(place.stage.nginx.reloads(), 1, "nginx was reloaded for the first release alone");
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}
