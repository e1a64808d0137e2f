//! Releases that only their clients can tell from good ones: each is to be rolled back by itself, and a good one never.

use std::path::Path;
use std::time::Duration;

use super::{Options, Row, Section};
use crate::ready::say;
use crate::rig::error::unexpected;
use crate::rig::load::{Config, Load};
use crate::rig::stage::Stage;
use crate::rig::{Result, needs};

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What the chore plays.
    Whole,
    /// What CI plays.
    Bounded,
}

/// A kind of release.
struct Kind {
    name: &'static str,
    mode: &'static str,
    /// How many tries, whole and bounded.
    tries: (usize, usize),
    worse: bool,
}

/// What serves before takes 20 ms for each answer.
const GOOD: &str = "takes:20";

const KINDS: [Kind; 3] = [
    Kind { name: "as good", mode: GOOD, tries: (100, 2), worse: false },
    Kind { name: "answers 500 to 5 % of requests", mode: "fails-each:20", tries: (10, 1), worse: true },
    Kind { name: "takes three times as long", mode: "takes:60", tries: (10, 1), worse: true },
];

/// Deploys releases of every kind under load, with this program.
pub async fn play(program: &Path, options: &Options, size: Size) -> Vec<Section> {
    let mut rows = Vec::new();
    for kind in KINDS.iter().filter(|kind| options.wants(kind.name)) {
        let row = row(program, kind, size).await.unwrap_or_else(|error| Row {
            cells: vec![
                kind.name.to_owned(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
            ],
            faults: vec![format!("{}: {error}", kind.name)],
        });
        say(&row.cells.join(" | "));
        rows.push(row);
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let about = "An app with `guard = {}` and a soak of 5 s, which takes 20 ms for each answer, gets releases that pass every health \
                 check. nginx tells of each request of its clients (24 of them, some 700 requests a second), and what is told of the \
                 new release is compared with what is told of the one before. `seen after` is from the switch to the verdict; \
                 `failed` are requests that clients saw fail.";
    let columns = vec!["release", "tries", "rolled back", "seen after", "sent", "failed"];
    vec![Section { name: "guard".to_owned(), about: about.to_owned(), columns, rows }]
}

async fn row(program: &Path, kind: &Kind, size: Size) -> Result<Row> {
    let tries = if size == Size::Whole { kind.tries.0 } else { kind.tries.1 };
    let mut stage = Stage::on_host(program, needs::nginx()).await?.with("soak = \"5s\"\nguard = {}")?;
    let good = stage.release("1", &[("MODE", GOOD)]).await?;
    let others = [
        stage.release("2", &[("MODE", kind.mode)]).await?,
        stage.release("3", &[("MODE", kind.mode)]).await?,
    ];
    stage.cutover(&["deploy", "--image", &good]).await.exits(0);
    let load = Load::start(Config::at(stage.site()).workers(20, 4, 0).pace(Duration::from_millis(10)));
    let (mut back, mut seen, mut faults) = (0, Vec::new(), Vec::new());
    for number in 0..tries {
        // The third good one stands by already, and goes live as soon as enough was heard of the one before.
        let image = &others[number % 2];
        let ran = stage.cutover(&["deploy", "--json", "--image", image]).await;
        let account = ran.json();
        let rolled = ran.status == Some(6);
        if rolled != kind.worse || !(rolled || ran.status == Some(0)) {
            faults.push(format!("{}, try {number}: {account}", kind.name));
        }
        // Failures may tell enough before any time counts.
        let judged = &account["guard"]["judged"];
        if judged != "all" && !(rolled && judged == "failures") {
            faults.push(format!("{}, try {number}: it was not judged whole: {account}", kind.name));
        }
        back += usize::from(rolled);
        seen.extend(account["phases"]["soak"].as_f64());
        say(&format!("  {}: {}", kind.name, account["guard"]));
    }
    let report = load.stop().await;
    if !kind.worse && report.failed > 0 {
        faults.push(format!("lost {} of {}: {:?}", report.failed, report.sent, report.failures));
    }
    if report.sent == 0 {
        return Err(unexpected("put load on the app", "no request was sent"));
    }
    seen.sort_by(f64::total_cmp);
    let median = seen.get(seen.len() / 2).filter(|_| kind.worse);
    let cells = vec![
        kind.name.to_owned(),
        tries.to_string(),
        back.to_string(),
        median.map_or_else(|| "-".to_owned(), |median| format!("{median:.1} s")),
        report.sent.to_string(),
        report.failed.to_string(),
    ];
    Ok(Row { cells, faults })
}
