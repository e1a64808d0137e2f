//! Switching, as people do it: what clients see of it, side by side, before the same two containers.

mod proxy;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

pub(super) use self::proxy::Proxy;
use super::account::{Account, Switch};
use super::chart::{Bar, Chart};
use super::figures::{Part, Row};
use super::program::ran;
use crate::ready::say;
use crate::rig::deadline::until;
use crate::rig::error::{Result, unexpected};
use crate::rig::load::{Config, Load};
use crate::rig::needs;
use crate::rig::stage::Stage;

/// How many clients are at the site at once, of which a quarter opens a connection for each request.
const CONNECTIONS: [usize; 3] = [16, 64, 256];

/// How many requests there are each second, by all clients together, for any number of them.
const RATE: usize = 3_000;

/// How many switches make a run.
const SWITCHES: usize = 10;

/// Between the end of one switch and the next.
const BETWEEN: Duration = Duration::from_millis(300);

const HOW: &str = "Two containers of the example service, and before them in turn: cutover's site, switched by a whole \
    `cutover rollback`; nginx (Debian's, and the newest with `keepalive_min_timeout 10s`), switched by writing its \
    `upstream` anew and a reload; Caddy, by `caddy reload`; HAProxy, by `set server … state` on its runtime API. All \
    keep connections to the containers. Clients send GET and POST in turn, three quarters of them on connections they \
    keep, 3,000 requests a second together; each run has 10 switches, 300 ms apart; who is first changes from \
    round to round. *Left* are answers of the version that was left to requests sent after the switch was said to be \
    done. *During* is from the begin of a switch to 100 ms after its end. What replaces the containers themselves, \
    docker-rollout and Docker Swarm, is measured by whole rollouts.";

/// One of the two containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Side {
    Blue,
    Green,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

/// A way of switching.
enum Way<'a> {
    Cutover(&'a Stage),
    Other(Proxy),
}

impl Way<'_> {
    fn site(&self) -> SocketAddr {
        match self {
            Self::Cutover(stage) => stage.site(),
            Self::Other(proxy) => proxy.site(),
        }
    }

    async fn switch(&self, to: Side) -> Result<()> {
        match self {
            Self::Cutover(stage) => ran(stage, &["rollback"]).await.map(drop),
            Self::Other(proxy) => proxy.switch(to).await,
        }
    }
}

/// The versions that the containers say they are, blue's first.
const VERSIONS: [&str; 2] = ["one", "two"];

pub(super) async fn measure(program: &Path, rounds: u32) -> Result<Part> {
    let mut stage = Stage::on_host(program, needs::nginx()).await?;
    for version in VERSIONS {
        let image = stage.release(version, &[]).await?;
        ran(&stage, &["deploy", "--image", &image]).await?;
    }
    ran(&stage, &["rollback"]).await?;
    let slots = addresses(&stage).await?;
    let ways = ways(&stage, slots).await?;
    let mut accounts: Vec<Vec<Account>> =
        ways.iter().map(|_| CONNECTIONS.iter().map(|_| Account::default()).collect()).collect();
    for round in 0..rounds as usize {
        for (which, connections) in CONNECTIONS.into_iter().enumerate() {
            for turn in 0..ways.len() {
                let at = (round + turn) % ways.len();
                say(&format!("rivals: round {}, {connections} connections, {}", round + 1, ways[at].0));
                run(&ways[at].1, connections, &mut accounts[at][which]).await?;
            }
        }
    }
    let names: Vec<&str> = ways.iter().map(|(name, _)| name.as_str()).collect();
    Ok(told(&names, &accounts))
}

pub(super) async fn addresses(stage: &Stage) -> Result<[SocketAddr; 2]> {
    let status = ran(stage, &["status", "--json"]).await?.json();
    let of = |side: Side| {
        let address = status["slots"][side.name()]["address"].as_str().and_then(|text| text.parse().ok());
        address.ok_or_else(|| unexpected("status --json", &status))
    };
    Ok([of(Side::Blue)?, of(Side::Green)?])
}

async fn ways(stage: &Stage, slots: [SocketAddr; 2]) -> Result<Vec<(String, Way<'_>)>> {
    let mut ways = vec![("cutover".to_owned(), Way::Cutover(stage))];
    let nginx = Proxy::nginx(needs::nginx().to_owned(), "", slots).await?;
    ways.push(("nginx 1.22, reload".to_owned(), Way::Other(nginx)));
    if let Some(binary) = needs::nginx_new() {
        let nginx = Proxy::nginx(binary, "keepalive_min_timeout 10s;", slots).await?;
        ways.push(("nginx 1.31, reload".to_owned(), Way::Other(nginx)));
    }
    ways.push(("Caddy, reload".to_owned(), Way::Other(Proxy::caddy(slots).await?)));
    ways.push(("HAProxy, runtime API".to_owned(), Way::Other(Proxy::haproxy(slots).await?)));
    Ok(ways)
}

/// One run: load, ten switches, and what came of them. It ends as it began, with blue live.
async fn run(way: &Way<'_>, connections: usize, account: &mut Account) -> Result<()> {
    let pace = Duration::from_secs_f64(connections as f64 / RATE as f64);
    let config = Config::at(way.site()).workers(connections * 3 / 4, connections / 4, 0).pace(pace).timed();
    let load = Load::start(config);
    load.answered_by(VERSIONS[0], Duration::from_secs(10)).await?;
    tokio::time::sleep(BETWEEN).await;
    let mut switches = Vec::new();
    let mut to = Side::Green;
    for _ in 0..SWITCHES {
        let began = Instant::now();
        way.switch(to).await?;
        switches.push(Switch { left: VERSIONS[to.other() as usize], began, done: Instant::now() });
        tokio::time::sleep(BETWEEN).await;
        to = to.other();
    }
    let end = Instant::now();
    let report = load.stop().await;
    account.add(&report, &switches, end);
    settled(way).await
}

/// Waits until a new client is answered by blue: what an nginx's old workers still answer must not meet the next run.
async fn settled(way: &Way<'_>) -> Result<()> {
    let load = Load::start(Config::at(way.site()).workers(0, 1, 0).pace(Duration::from_millis(20)));
    let blue =
        async || load.so_far().transitions().last().is_some_and(|last| last.1 == VERSIONS[0]).then_some(());
    until("blue answers again", Duration::from_secs(20), blue).await?;
    load.stop().await;
    Ok(())
}

fn told(names: &[&str], accounts: &[Vec<Account>]) -> Part {
    let mut part =
        Part { title: "Switching, against what people use", how: HOW.to_owned(), ..Part::default() };
    part.columns = vec![
        "way",
        "connections",
        "switches",
        "sent",
        "failed",
        "failed per 1,000 switches",
        "left per 1,000 switches",
        "a switch takes",
        "p50 before / during / after",
        "p99 before / during / after",
        "longest before / during / after",
    ];
    let mut chart = Chart::new("Failed requests per 1,000 switches", "failed");
    let mut left_chart = Chart::new("Answers of the version that was left, per 1,000 switches", "answers");
    for (name, accounts) in names.iter().zip(accounts) {
        let mut whole = Account::default();
        for (connections, account) in CONNECTIONS.into_iter().zip(accounts) {
            part.rows.push(row(name, connections, account));
            whole.count(account);
        }
        chart.bars.push(Bar::new(*name, whole.per_thousand(whole.failed as f64)));
        left_chart.bars.push(Bar::new(*name, whole.per_thousand(whole.left as f64)));
        part.notes.push(format!("{name}, failed by kind in {} switches: {}", whole.switches, whole.kinds()));
        if *name == "cutover" {
            whole.hold(&mut part);
        }
    }
    part.charts = vec![chart, left_chart];
    part
}

fn row(name: &str, connections: usize, account: &Account) -> Row {
    [name.to_owned(), connections.to_string()]
        .into_iter()
        .chain(account.counts())
        .chain(account.times())
        .collect()
}
