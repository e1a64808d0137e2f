//! Many runs at once, in processes, with load on the app.
//!
//! A `Race` is a value: so many runs, and what is to be so of them. What threads of one process could meet at (the lock, the
//! marker, the history) loom has in every order, in cutover's own tests; here whole processes meet at whole parts.

mod apps;
mod holders;
mod readers;
mod runs;
mod track;

use std::path::Path;

use futures_util::future::LocalBoxFuture;

use crate::ready::say;
use crate::rig::Result;

use super::{Options, Row, Section};
use track::Track;

/// How much is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// What the chore plays.
    Whole,
    /// What CI plays.
    Bounded,
}

/// Runs that meet.
struct Race {
    name: &'static str,
    /// How many, whole and bounded.
    runs: (usize, usize),
    /// What is to be so of them.
    held: &'static str,
    /// Has so many meet on a new track.
    meet: for<'t> fn(&'t mut Track, usize) -> LocalBoxFuture<'t, Result<()>>,
}

fn races() -> Vec<Race> {
    vec![
        Race {
            name: "deploys at once, each of another release",
            runs: (20, 6),
            held: "one at a time: each ends with 0, or with 5 and says who holds the lock; the live release is the last that went \
                   well",
            meet: |track, runs| Box::pin(runs::at_once(track, runs)),
        },
        Race {
            name: "deploys at once that wait, each of another release",
            runs: (20, 4),
            held: "all end with 0, in the order in which they came; each takes over from the one before",
            meet: |track, runs| Box::pin(runs::in_order(track, runs)),
        },
        Race {
            name: "a deploy against a rollback",
            runs: (20, 4),
            held: "both end with 0, one after the other, from what the first left",
            meet: |track, runs| Box::pin(runs::against_rollback(track, runs)),
        },
        Race {
            name: "the holder of the lock is killed",
            runs: (12, 3),
            held: "`doctor` names it; the next run has the lock at once, without waiting, and ends with 0",
            meet: |track, runs| Box::pin(holders::killed(track, runs)),
        },
        Race {
            name: "`status` and `history` are read while releases go live",
            runs: (200, 20),
            held: "each ends with 0 and is whole; what is live is always told; the history only grows",
            meet: |track, runs| Box::pin(readers::read(track, runs)),
        },
        Race {
            name: "first deploys of apps of one nginx at once, one of which nginx cannot load",
            runs: (8, 4),
            held: "that one ends with 3, and the others with 0: no app is refused for another's configuration",
            meet: |track, runs| Box::pin(apps::first_at_once(track, runs)),
        },
    ]
}

/// Plays the races that are asked for, with this program.
pub async fn play(program: &Path, options: &Options, size: Size) -> Vec<Section> {
    let mut rows = Vec::new();
    for race in races().into_iter().filter(|race| options.wants(race.name)) {
        let row = row(program, &race, size).await;
        say(&format!("{}: {}", race.name, row.cells.join(" | ")));
        rows.push(row);
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let about = "Each row is so many runs that meet, in processes, with load on the app; for the fifth, so many reads. `sent` and \
                 `lost` are requests. The lock, the marker and the history are besides modelled by loom, in every order in which \
                 two runs and a reader or a `doctor` can meet there (`cli/src/lock/model.rs`).";
    let columns = vec!["race", "runs", "what is held", "sent", "lost"];
    vec![Section { name: "races".to_owned(), about: about.to_owned(), columns, rows }]
}

async fn row(program: &Path, race: &Race, size: Size) -> Row {
    let runs = if size == Size::Whole { race.runs.0 } else { race.runs.1 };
    let (report, mut wrong) = match Track::new(program).await {
        Ok(mut track) => {
            let met = (race.meet)(&mut track, runs).await;
            let report = track.end().await;
            let mut wrong = track.wrong();
            wrong.extend(met.err().map(|error| error.to_string()));
            (report, wrong)
        }
        Err(error) => (None, vec![error.to_string()]),
    };
    let (sent, lost) = report.map_or((0, 0), |report| {
        if report.failed > 0 {
            wrong.push(format!("lost {} of {}: {:?}", report.failed, report.sent, report.failures));
        }
        (report.sent, report.failed)
    });
    let cells =
        [race.name.to_owned(), runs.to_string(), race.held.to_owned(), sent.to_string(), lost.to_string()];
    let faults = wrong.into_iter().map(|wrong| format!("{}: {wrong}", race.name));
    Row { cells: cells.to_vec(), faults: faults.collect() }
}
