//! Shares of clients: each share is as large as was asked for, no client goes back and forth, and no request is lost.

mod crowd;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use self::crowd::Crowd;
use super::{Options, Row, Section};
use crate::ready::say;
use crate::rig::error::unexpected;
use crate::rig::load::{Config, Load};
use crate::rig::session::Session;
use crate::rig::stage::Stage;
use crate::rig::{Result, needs};

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What the chore plays: the whole must fit into a stage.
    Whole,
    /// What CI plays.
    Bounded,
}

impl Size {
    /// How many clients there are, and how long each share is watched.
    fn crowd(self) -> (usize, &'static str) {
        match self {
            Self::Whole => (20_000, "25s"),
            Self::Bounded => (1_000, "4s"),
        }
    }

    /// By how many points a share may differ: two for 20,000 clients, three times the chance for fewer.
    fn tolerance(self) -> f64 {
        match self {
            Self::Whole => 2.0,
            Self::Bounded => 5.0,
        }
    }
}

const LONG: Duration = Duration::from_secs(300);

/// The shares of the deploy.
const STAGES: &str = "5,25,50";

/// Deploys a release by shares, with this program.
pub async fn play(program: &Path, options: &Options, size: Size) -> Vec<Section> {
    let name = "canary";
    if !options.wants(name) {
        return Vec::new();
    }
    let rows = rows(program, size).await.unwrap_or_else(|error| {
        vec![Row { cells: vec![String::new(); 5], faults: vec![format!("{name}: {error}")] }]
    });
    rows.iter().for_each(|row| say(&row.cells.join(" | ")));
    let (clients, stage) = size.crowd();
    let about = format!(
        "`deploy --canary {STAGES}` of an app with `canary = {{ by = \"cookie\", stage = \"{stage}\" }}`. All of {clients} clients, each \
         with a cookie of its own, ask again and again; a row is a time at which the share stood while all of them asked once. \
         `moved back` are clients that were answered by the old release after the new one; `sent` and `lost` are the requests of \
         the crowd and of ten clients besides, GET and POST, kept alive and not."
    );
    let columns = vec!["share asked for", "share seen", "moved back", "sent", "lost"];
    vec![Section { name: name.to_owned(), about, columns, rows }]
}

async fn rows(program: &Path, size: Size) -> Result<Vec<Row>> {
    let (clients, stage_time) = size.crowd();
    let settings = format!("soak = \"1s\"\ncanary = {{ by = \"cookie\", stage = \"{stage_time}\" }}");
    let mut stage = Stage::on_host(program, needs::nginx()).await?.with(&settings)?;
    let (one, two) = (stage.release("1", &[]).await?, stage.release("2", &[]).await?);
    stage.cutover(&["deploy", "--image", &one]).await.exits(0);
    let reloads = stage.nginx.reloads();
    let load = Load::start(Config::at(stage.site()).workers(6, 2, 2));
    let mut crowd = Crowd::new(stage.site(), &stage.app, clients);
    let before = crowd.ask("1", "2").await?;
    let command = stage.command(&["deploy", "--json", "--canary", STAGES, "--image", &two]);
    let session = Session::start(command)?;
    let mut seen: Vec<(u64, f64)> = vec![(0, before)];
    let began = Instant::now();
    while session.is_running() && began.elapsed() < LONG {
        let asked = share(&stage).await;
        let share_seen = crowd.ask("1", "2").await?;
        // The share may have been changed meanwhile.
        if asked == share(&stage).await && seen.last().is_none_or(|last| last.0 != asked) {
            seen.push((asked, share_seen));
        }
    }
    let account = session.end(LONG).await?.exits(0).json();
    seen.retain(|(asked, _)| *asked != 100);
    seen.push((100, crowd.ask("1", "2").await?));
    let report = load.stop().await;
    let mut faults = Vec::new();
    for (asked, share_seen) in &seen {
        #[expect(clippy::cast_precision_loss, reason = "a share is at most 100")]
        let wanted = *asked as f64;
        if (share_seen - wanted).abs() > size.tolerance() {
            faults.push(format!(
                "{share_seen:.2} % of the clients were answered by the new release, not {asked} %"
            ));
        }
    }
    let asked: Vec<u64> = seen.iter().map(|(asked, _)| *asked).collect();
    if asked != [0, 5, 25, 50, 100] {
        faults.push(format!("the shares that were seen are {asked:?}"));
    }
    if crowd.back > 0 {
        faults.push(format!("{} clients went back to the old release", crowd.back));
    }
    if report.failed + crowd.lost > 0 {
        faults.push(format!(
            "lost {} and {}: {:?} {:?}",
            report.failed, crowd.lost, report.failures, crowd.why
        ));
    }
    if account["outcome"] != "deployed" || stage.nginx.reloads() != reloads {
        faults.push(format!("{account}, with {} reloads", stage.nginx.reloads() - reloads));
    }
    if report.sent == 0 {
        return Err(unexpected("put load on the app", "no request was sent"));
    }
    let mut rows: Vec<Row> = seen
        .iter()
        .map(|(asked, share_seen)| {
            let last = *asked == 100;
            let only_last = |cell: String| if last { cell } else { String::new() };
            let cells = vec![
                format!("{asked} %"),
                format!("{share_seen:.2} %"),
                only_last(crowd.back.to_string()),
                only_last((report.sent + crowd.sent).to_string()),
                only_last((report.failed + crowd.lost).to_string()),
            ];
            Row { cells, faults: Vec::new() }
        })
        .collect();
    if let Some(last) = rows.last_mut() {
        last.faults = faults;
    }
    Ok(rows)
}

/// The share of the new release now, in percent.
async fn share(stage: &Stage) -> u64 {
    let status: Value = stage.status().await;
    if status["live"] == "green" { 100 } else { status["canary"]["percent"].as_u64().unwrap_or(0) }
}
