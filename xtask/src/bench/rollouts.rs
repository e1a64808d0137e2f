//! Whole rollouts of a new image, as people make them: what clients see of it, side by side.

mod compose;
mod discovery;
mod swarm;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use self::compose::{Project, Script};
use self::swarm::Swarm;
use super::account::{Account, Switch, millis};
use super::figures::{Part, Row};
use super::program::ran;
use super::sample::Sample;
use crate::ready::say;
use crate::rig::error::{Error, Result, unexpected};
use crate::rig::load::{Config, Load};
use crate::rig::needs;
use crate::rig::stage::Stage;

/// How many clients are at the site at once, of which a quarter opens a connection for each request.
const CONNECTIONS: usize = 64;

/// How many requests there are each second, by all clients together.
const RATE: usize = 500;

/// How many rollouts make a run.
const ROLLOUTS: usize = 2;

/// Between the end of one rollout and the next.
const BETWEEN: Duration = Duration::from_secs(1);

/// How long a rollout may take.
const LIMIT: Duration = Duration::from_secs(120);

/// No round begins that would, at the pace of the one before, end later than this.
const BUDGET: Duration = Duration::from_secs(240);

/// How long a container has to end that is told to stop, as a stage's `stop_grace` has it.
const GRACE: &str = "5s";

/// The file by whose presence a container says that it is to be sent nothing more.
const DRAIN: &str = "/drain";

/// What a script of another's runs in the container: it brings no shell along.
const PROGRAMS: [&str; 2] = ["/bin/sh", "/bin/sleep"];

const HOW: &str = "The same new images of the example service, in turn, each pulled from one registry with a login: by \
    `cutover deploy` with a soak of 0 s, behind nginx; by `docker-compose pull` and `docker rollout --wait-after-healthy \
    1`, and, where the script knows it, with the old container drained as its documentation says (`--pre-stop-hook`: a \
    file makes its health fail, then there is 1 s for the proxy to see it); by `docker service update` of a Docker Swarm \
    service with `start-first` and a monitor of 1 s. docker-rollout is whatever the user has put on the path; its row \
    names the version. It and Swarm stand behind a HAProxy in a container (Debian's, two threads), which finds their \
    containers by Docker's DNS. Their documentation has Traefik or nginx-proxy, which Debian has not, and the routing \
    mesh, which takes IPVS of the kernel: the service is reached by `dnsrr`, which does not. HAProxy looks up names and \
    health every 200 ms, gives a connection 250 ms, leaves a container out that refuses one, and sends again what may be \
    sent twice; a container whose name it has found counts as up until its first check. Containers have a health check \
    every second. Clients send GET and POST in turn, three quarters of them on connections they keep, by 64 connections \
    and 500 requests a second together; each run has 2 rollouts, 1 s apart; who is first changes from round to round. \
    *Left* are answers of the version that was left to requests sent after the rollout was said to be done; *both answer \
    for* is the time from the first request that the new version answered to the last that the old one did. *During* is \
    from the begin of a rollout to 100 ms after its end.";

/// A new image.
struct Release {
    version: String,
    image: String,
}

/// A way of rolling out.
enum Way<'a> {
    Cutover(&'a Stage),
    Compose(Project),
    Swarm(Swarm),
}

impl Way<'_> {
    fn site(&self) -> SocketAddr {
        match self {
            Self::Cutover(stage) => stage.site(),
            Self::Compose(project) => project.site(),
            Self::Swarm(swarm) => swarm.site(),
        }
    }

    async fn roll_out(&self, image: &str) -> Result<()> {
        match self {
            Self::Cutover(stage) => ran(stage, &["deploy", "--image", image]).await.map(drop),
            Self::Compose(project) => project.roll_out(image).await,
            Self::Swarm(swarm) => swarm.roll_out(image).await,
        }
    }
}

/// What clients saw of one way.
#[derive(Default)]
struct Seen {
    account: Account,
    both: Sample,
}

pub(super) async fn measure(program: &Path, rounds: u32) -> Result<Part> {
    let mut part =
        Part { title: "Whole rollouts, against what people use", how: HOW.to_owned(), ..Part::default() };
    let mut stage = Stage::on_host(program, needs::nginx()).await?;
    let mut releases = Vec::new();
    for number in 0..=rounds as usize * ROLLOUTS {
        let version = number.to_string();
        let image = stage.release_with(&version, &[("DRAIN", DRAIN)], &PROGRAMS.map(Path::new)).await?;
        releases.push(Release { version, image });
    }
    let ways = ways(&stage, &releases[0].image, &mut part.notes).await?;
    let mut seen: Vec<Seen> = ways.iter().map(|_| Seen::default()).collect();
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    for round in 0..rounds as usize {
        let before = began.elapsed();
        if before + longest > BUDGET {
            part.notes.push(format!("stopped after {round} rounds, for want of time"));
            break;
        }
        let releases = &releases[round * ROLLOUTS..=(round + 1) * ROLLOUTS];
        for turn in 0..ways.len() {
            let at = (round + turn) % ways.len();
            say(&format!("rollouts: round {}, {}", round + 1, ways[at].0));
            run(&ways[at].1, releases, &mut seen[at]).await?;
        }
        longest = longest.max(began.elapsed() - before);
    }
    let names: Vec<&str> = ways.iter().map(|(name, _)| name.as_str()).collect();
    tell(&names, &seen, &mut part);
    Ok(part)
}

/// Every way that there is here, with the first release live. Of those that are not here it is noted why.
async fn ways<'a>(stage: &'a Stage, first: &str, notes: &mut Vec<String>) -> Result<Vec<(String, Way<'a>)>> {
    let mut ways = vec![("cutover".to_owned(), Way::Cutover(stage))];
    ways[0].1.roll_out(first).await?;
    match needs::docker_rollout() {
        Some(program) => {
            let script = Script::ask(program).await?;
            let name = format!("docker-rollout {}", script.version);
            let drained = if script.drains { "drained" } else { "which cannot drain" };
            notes.push(format!("{name}, {drained}, was run with {}", compose::version().await?));
            let project = Project::start(script, &stage.registry, first).await?;
            ways.push((name, Way::Compose(project)));
        }
        None => notes.push(
            "docker-rollout is not here: nothing brings it along. Put its script on the path as `docker-rollout`, or \
             into `~/.docker/cli-plugins`, and it is measured"
                .to_owned(),
        ),
    }
    match Swarm::start(&stage.registry, first).await {
        Ok(swarm) => ways.push(("Docker Swarm, start-first".to_owned(), Way::Swarm(swarm))),
        Err(error) => notes.push(format!("Docker Swarm is not here: {error}")),
    }
    Ok(ways)
}

/// One run: load, two rollouts, and what came of them. It begins with the first of the releases live.
async fn run(way: &Way<'_>, releases: &[Release], seen: &mut Seen) -> Result<()> {
    let pace = Duration::from_secs_f64(CONNECTIONS as f64 / RATE as f64);
    let config = Config::at(way.site()).workers(CONNECTIONS * 3 / 4, CONNECTIONS / 4, 0).pace(pace).timed();
    let load = Load::start(config);
    load.answered_by(&releases[0].version, Duration::from_secs(10)).await?;
    tokio::time::sleep(BETWEEN).await;
    let mut switches = Vec::new();
    for pair in releases.windows(2) {
        let began = Instant::now();
        let rolled = tokio::time::timeout(LIMIT, way.roll_out(&pair[1].image)).await;
        rolled.unwrap_or_else(|_| Err(Error::Late { what: "a rollout".to_owned(), within: LIMIT }))?;
        switches.push(Switch { left: &pair[0].version, began, done: Instant::now() });
        tokio::time::sleep(BETWEEN).await;
    }
    let end = Instant::now();
    let report = load.stop().await;
    seen.account.add(&report, &switches, end);
    for pair in releases.windows(2) {
        let [old, new] = [&pair[0].version, &pair[1].version].map(|version| report.answers_from(version));
        let first =
            new.first().ok_or_else(|| unexpected(&pair[1].image, "was rolled out, and never answered"))?;
        let last = old.last().unwrap_or(first);
        seen.both.push_time(last.saturating_duration_since(first));
    }
    Ok(())
}

fn tell(names: &[&str], seen: &[Seen], part: &mut Part) {
    part.columns = vec![
        "way",
        "rollouts",
        "sent",
        "failed",
        "failed per 1,000 rollouts",
        "left per 1,000 rollouts",
        "a rollout takes",
        "both answer for",
        "p50 before / during / after",
        "p99 before / during / after",
        "longest before / during / after",
    ];
    for (name, seen) in names.iter().zip(seen) {
        let account = &seen.account;
        part.rows.push(row(name, seen));
        let kinds = account.kinds();
        part.notes.push(format!("{name}, failed by kind in {} rollouts: {kinds}", account.switches));
        if *name == "cutover" {
            account.hold(part);
        }
    }
}

fn row(name: &str, seen: &Seen) -> Row {
    let account = &seen.account;
    [name.to_owned()]
        .into_iter()
        .chain(account.counts())
        .chain([millis(&seen.both)])
        .chain(account.times())
        .collect()
}
