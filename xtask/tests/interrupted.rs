//! Runs that are ended from outside by a signal that they heed, with load on the app. `chaos_crashes.rs` has those that are
//! killed.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use xtask::rig::deadline::until;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::nginx::HostNginx;
use xtask::rig::probe::WebSocketProbe;
use xtask::rig::session::Session;
use xtask::rig::stage::{Nginx, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

/// An app that goes from release to release. Of three in turn none is ever there already, so every deploy has all steps.
struct App {
    stage: Stage,
    images: Vec<String>,
    deployed: usize,
}

impl App {
    async fn new(settings: &str) -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let mut app = Self { stage: stage.with(settings).unwrap(), images: Vec::new(), deployed: 0 };
        for version in ["0", "1", "2"] {
            let image = app.stage.release(version, &[]).await.unwrap();
            app.images.push(image);
        }
        app
    }

    /// The app with a release live, another standing by, and load on it.
    async fn under_load(settings: &str) -> (Self, Load) {
        let mut app = Self::new(settings).await;
        for _ in 0..2 {
            let deploy = app.deploy();
            app.ends_well(&deploy).await;
        }
        let load = Load::start(Config::at(app.stage.site()).workers(4, 2, 0));
        load.answered_by(app.version(), SOON).await.unwrap();
        (app, load)
    }

    fn nginx(&self) -> &HostNginx {
        match &self.stage.nginx {
            Nginx::Host(nginx) => nginx,
            Nginx::Container(_) => panic!("the stage has its nginx in a container"),
        }
    }

    /// The command that deploys the next release; it is [`App::version`] from here on.
    fn deploy(&mut self) -> Vec<String> {
        let image = self.images[self.deployed % 3].clone();
        self.deployed += 1;
        ["deploy", "--json", "--image", &image].map(str::to_owned).to_vec()
    }

    fn version(&self) -> &'static str {
        ["0", "1", "2"][(self.deployed - 1) % 3]
    }

    fn start(&self, arguments: &[String]) -> Session {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Session::start(self.stage.command(&arguments)).unwrap()
    }

    async fn live(&self) -> Value {
        self.stage.status().await["live"].clone()
    }

    /// Runs the command, which is to reach the wanted world from whatever there is.
    async fn ends_well(&self, arguments: &[String]) {
        self.start(arguments).end(LONG).await.unwrap().exits(0);

        let (app, status) = (&self.stage.app, self.stage.status().await);
        let live = status["live"].as_str().unwrap();
        assert_eq!(status["slots"][live]["healthy"], true, "{status:#}");
        assert_eq!(status["slots"][live]["image"], self.images[(self.deployed - 1) % 3], "{status:#}");
        assert_eq!(status["nginx_current"], true, "{status:#}");
        let slots = if self.deployed == 1 { &["blue"][..] } else { &["blue", "green"] };
        let wanted: Vec<String> = slots.iter().map(|slot| format!("{app}-{slot}-1 running")).collect();
        assert_eq!(self.stage.containers().await.unwrap(), wanted);
        if arguments[0] == "backup" {
            assert_eq!(status["slots"]["blue"]["digest"], status["slots"]["green"]["digest"], "{status:#}");
        }
        let page = self.stage.page(self.stage.site(), app, "/").await.unwrap();
        assert_eq!(page, (200, format!("version {}\n", self.version())));
    }
}

fn lost_nothing(load: &Load, when: &str) {
    let report = load.so_far();
    assert_eq!(report.failed, 0, "{when}: {:#?}", report.failures);
}

fn backup() -> Vec<String> {
    vec!["backup".to_owned(), "--json".to_owned()]
}

/// Sends the signal when the words are told, and holds that the run ends as one that was interrupted ends; then ends it.
async fn interrupt(app: &App, load: &Load, command: &[String], words: &str, signal: Signal) {
    let when = format!("{} on {signal:?} at `{words}`", command[0]);
    let (ids, containers, live) =
        (app.stage.ids().await.unwrap(), app.stage.containers().await.unwrap(), app.live().await);
    let mut session = app.start(command);
    session.tells(words, SOON).await.unwrap();
    session.signal(signal).unwrap();
    let signalled = Instant::now();
    let ran = session.end(SOON).await.unwrap().exits(7);
    println!("{when}: ended {:?} later", signalled.elapsed());
    assert_eq!(ran.json()["outcome"], "interrupted", "{when}");
    assert!(ran.stderr.contains("error: interrupted while"), "{when}:\n{}", ran.stderr);
    let status = app.stage.status().await;
    if status["live"] == live {
        assert!(
            ran.stderr.contains(&format!("{} serves", live.as_str().unwrap())),
            "{when}:\n{}",
            ran.stderr
        );
        assert_eq!(app.stage.ids().await.unwrap(), ids, "{when}");
        assert_eq!(app.stage.containers().await.unwrap(), containers, "{when}");
    } else {
        assert!(ran.stderr.contains("the new release is live"), "{when}:\n{}", ran.stderr);
    }
    let live = status["live"].as_str().unwrap();
    assert_eq!(status["slots"][live]["healthy"], true, "{when}: {status:#}");
    app.ends_well(command).await;
    lost_nothing(load, &when);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_interrupted_ends_soon_with_7_and_again_with_0() {
    let (mut app, load) = App::under_load("soak = \"1s\"").await;
    for (number, words) in [
        "make sure of the network: done",
        "pull the image ...",
        "pull the image: done",
        "stop the old release in ",
        "start release ",
        " directly ...",
        " through nginx ...",
        " through nginx: done",
        "switch to ",
        "watch ",
    ]
    .into_iter()
    .enumerate()
    {
        let command = app.deploy();
        interrupt(&app, &load, &command, words, [Signal::TERM, Signal::INT][number % 2]).await;
    }
    assert_eq!(app.nginx().reloads(), 1);
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_interrupted_while_it_waits_for_others_gives_up_waiting() {
    let (mut app, load) =
        App::under_load("drain = \"90s\"\nhealth = { path = \"/healthz\", timeout = \"90s\" }").await;
    let socket = WebSocketProbe::open(app.stage.site(), &app.stage.app).await.unwrap();
    socket.more(2, SOON).await.unwrap();
    let deploy = app.deploy();
    app.ends_well(&deploy).await;

    // The websocket holds what stands by now: draining it would take all its time.
    let (waiting, before) = (app.deploy(), app.stage.ids().await.unwrap());
    let mut session = app.start(&waiting);
    session.tells("drain ", SOON).await.unwrap();
    // The release that comes is made meanwhile.
    let made = async || {
        let containers = app.stage.containers().await.ok()?;
        containers.iter().any(|container| container.ends_with("-next created")).then_some(())
    };
    until("the containers are made while the standby is drained", SOON, made).await.unwrap();
    session.signal(Signal::TERM).unwrap();
    let signalled = Instant::now();
    session.end(SOON).await.unwrap().exits(7);
    assert_eq!(app.stage.ids().await.unwrap(), before, "what was made is not gone");
    assert!(signalled.elapsed() < HALF, "it went on draining for {:?}", signalled.elapsed());
    assert_eq!(
        socket.seen().closed.map(|closed| closed.how),
        None,
        "the interrupted drain cut the websocket"
    );
    drop(socket.stop());
    app.ends_well(&waiting).await;

    let slow = app.stage.release("slow", &[("MODE", "slow-start:90000")]).await.unwrap();
    let (ids, live) = (app.stage.ids().await.unwrap(), app.live().await);
    let mut session = app.start(&["deploy", "--json", "--image", &slow].map(str::to_owned));
    session.tells(" directly ...", SOON).await.unwrap();
    session.signal(Signal::INT).unwrap();
    let signalled = Instant::now();
    session.end(SOON).await.unwrap().exits(7);
    assert!(signalled.elapsed() < HALF, "it went on gating for {:?}", signalled.elapsed());
    assert_eq!((app.stage.ids().await.unwrap(), app.live().await), (ids, live));
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_interrupted_ends_soon_with_7_and_again_with_0() {
    let (mut app, load) = App::under_load("").await;
    for (number, words) in
        ["drain ", "stop the old release in ", "start release ", " directly ...", " through nginx ..."]
            .into_iter()
            .enumerate()
    {
        let deploy = app.deploy();
        app.ends_well(&deploy).await;
        interrupt(&app, &load, &backup(), words, [Signal::TERM, Signal::INT][number % 2]).await;
    }
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}

/// Half of what a run would wait for others if nobody interrupted it.
const HALF: Duration = Duration::from_secs(45);
