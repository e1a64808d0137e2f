//! From the first healthy answer to the first request through nginx, and rolling back.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::figures::{Aim, Part, Unit};
use super::program::ran;
use super::sample::Sample;
use crate::ready::say;
use crate::rig::background;
use crate::rig::error::{Result, unexpected};
use crate::rig::load::{Config, Load};
use crate::rig::needs;
use crate::rig::stage::Stage;

const ROUNDS: usize = 10;
const ROLLBACKS: usize = 20;

/// How long the releases take to listen.
const START: [(&str, &str); 2] = [("slow-start:700", "listens after 700 ms"), ("ok", "listens at once")];

/// How long an attempt of the observer may take: an address that nobody has yet answers nothing at all.
const ATTEMPT: Duration = Duration::from_millis(50);

const PHASES: [&str; 3] = ["gate", "gate-through", "switch"];

const HOW: &str = "Two observers ask every millisecond, each on a connection of its own: one the new release at its \
    slot's address, one the site through nginx. The figure is the time between the first answer of the new release to \
    the one and to the other, while load goes on. A rollback is warm (the release before stands by) and counted from \
    the start of the process to its end, confirmation by nginx included.";

pub(super) async fn measure(program: &Path) -> Result<Part> {
    let mut part = Part { title: "Switching", how: HOW.to_owned(), ..Part::default() };
    let mut stage = Stage::on_host(program, needs::nginx()).await?;
    let first = stage.release("first", &[]).await?;
    ran(&stage, &["deploy", "--image", &first]).await?;
    let second = stage.release("second", &[]).await?;
    ran(&stage, &["deploy", "--image", &second]).await?;
    let load = Load::start(Config::at(stage.site()).workers(4, 2, 0).pace(Duration::from_millis(5)));
    for (mode, told) in START {
        say(&format!("switching: {ROUNDS} deploys of releases where the app {told}"));
        let mut round = Round::default();
        for number in 0..ROUNDS {
            let version = format!("{}-{number}", mode.replace(':', "-"));
            let image = stage.release(&version, &[("MODE", mode)]).await?;
            round.deploy(&stage, &version, &image).await?;
        }
        let aim = Some(Aim::AtMost(25.0));
        part.figure(format!("healthy to live, app {told}"), Unit::Millis, round.live, aim);
        for (phase, sample) in PHASES.into_iter().zip(round.phases) {
            part.figure(format!("of that deploy, phase `{phase}`"), Unit::Millis, sample, None);
        }
    }
    say(&format!("switching: {ROLLBACKS} rollbacks"));
    let mut rollbacks = Sample::default();
    for _ in 0..ROLLBACKS {
        rollbacks.push_time(ran(&stage, &["rollback"]).await?.took);
    }
    part.figure("warm rollback, whole process", Unit::Millis, rollbacks, Some(Aim::AtMost(30.0)));
    let report = load.stop().await;
    part.notes
        .push(format!("under load all the while: {} requests sent, {} failed", report.sent, report.failed));
    part.notes.extend(report.failures);
    Ok(part)
}

/// What the deploys of one kind of release took.
#[derive(Default)]
struct Round {
    live: Sample,
    phases: [Sample; 3],
}

impl Round {
    async fn deploy(&mut self, stage: &Stage, version: &str, image: &str) -> Result<()> {
        let status = ran(stage, &["status", "--json"]).await?.json();
        let direct = observer(standby(&status)?, version);
        let through = observer(stage.site(), version);
        let outcome = ran(stage, &["deploy", "--json", "--image", image]).await?.json();
        let (healthy, live) = (seen(direct).await?, seen(through).await?);
        self.live.push_time(live.saturating_duration_since(healthy));
        for (name, sample) in PHASES.into_iter().zip(&mut self.phases) {
            sample.push(outcome["phases"][name].as_f64().unwrap_or_default() * 1e3);
        }
        Ok(())
    }
}

/// Where the slot is reached that is not live.
fn standby(status: &Value) -> Result<SocketAddr> {
    let slot = if status["live"] == "blue" { "green" } else { "blue" };
    let address = status["slots"][slot]["address"].as_str().and_then(|address| address.parse().ok());
    address.ok_or_else(|| unexpected("status --json", status))
}

/// Asks until the version answers; when it did.
fn observer(address: SocketAddr, version: &str) -> JoinHandle<Instant> {
    let expected = format!("version {version}\n");
    background::handle().spawn(async move {
        loop {
            if let Ok(Ok(answer)) = timeout(ATTEMPT, ask(address)).await
                && answer.ends_with(&expected)
            {
                return Instant::now();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn seen(observer: JoinHandle<Instant>) -> Result<Instant> {
    let abort = observer.abort_handle();
    match timeout(Duration::from_secs(10), observer).await {
        Ok(Ok(at)) => Ok(at),
        _ => {
            abort.abort();
            Err(unexpected("an observer", "the release was live and did not answer"))
        }
    }
}
