//! `cargo xtask chaos`: makes everything go wrong that can, with load on the app, and counts what was lost.
//!
//! A part is a module: it gives [`Row`]s, and what it proves is in its own words. The whole is written to `docs/chaos.md`;
//! the tests in `xtask/tests/chaos` play a bounded part of it in CI.

pub mod canary;
pub mod crashes;
mod document;
pub mod faults;
pub mod guard;
pub mod races;
pub mod soak;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::ready::{ready, say};
use crate::rig::needs::Need;

/// Make everything go wrong that can, under load, and write `docs/chaos.md`.
#[derive(Debug, Args)]
pub(crate) struct Chaos {
    /// Install first what is missing (Debian and Ubuntu, as root).
    #[arg(long)]
    install: bool,
    /// Only these parts; the others' sections in the document stay as they are.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Only where nginx runs so; everywhere unless said.
    #[arg(long, value_enum)]
    place: Option<Place>,
    /// How long the soak goes on, such as `1h`.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = soak::length)]
    time: Duration,
    /// Only rows whose names contain one of these; nothing is written then.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

/// A part of the whole, which is a section of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The process is killed before and after every effect of every command.
    Crashes,
    /// What is around us fails: engine, nginx, registry, Slack, disk, clock, people.
    Faults,
    /// Many runs at once.
    Races,
    /// Releases that only their clients can tell from good ones.
    Guard,
    /// Releases that get shares of the clients first.
    Canary,
    /// Releases back to back, for as long as is said.
    Soak,
}

/// Where nginx runs, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// The distribution's, on this host.
    Host,
    /// The distribution's, in a container.
    Container,
    /// The newest, on this host.
    Newest,
}

/// What a part is asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only where nginx runs so.
    pub place: Option<Place>,
    /// How long the soak goes on.
    pub time: Duration,
    /// Only rows whose names contain one of these.
    pub filters: Vec<String>,
}

impl Options {
    /// Whether a row of this name is asked for.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| name.contains(filter.as_str()))
    }
}

/// One thing that went wrong, and what came of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// What stands in the table, a cell for each of the section's columns.
    pub cells: Vec<String>,
    /// What was not as it must be. Empty is well.
    pub faults: Vec<String>,
}

/// A part's outcome.
#[derive(Clone, Debug)]
pub struct Section {
    /// Which part, and whatever tells it from other sections of the same part, such as a place.
    pub name: String,
    /// What was done, and how to read the table.
    pub about: String,
    /// The table's columns.
    pub columns: Vec<&'static str>,
    /// The table's rows.
    pub rows: Vec<Row>,
}

/// Plays the parts, writes their sections, and fails on any fault.
pub(crate) fn run(chaos: &Chaos) -> ExitCode {
    let needs = [Need::Engine, Need::Nginx, Need::Registry, Need::NginxNew, Need::Faketime];
    if let Err(exit) = ready("chaos", &needs, chaos.install) {
        return exit;
    }
    let options = Options { place: chaos.place, time: chaos.time, filters: chaos.filters.clone() };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let parts = if chaos.only.is_empty() { Part::value_variants() } else { &chaos.only };
    let sections: Vec<Section> =
        parts.iter().flat_map(|part| runtime.block_on(play(*part, &options))).collect();
    if options.filters.is_empty()
        && let Err(error) = document::write(&sections)
    {
        say(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    let faults: Vec<&String> =
        sections.iter().flat_map(|section| &section.rows).flat_map(|row| &row.faults).collect();
    for fault in &faults {
        say(&format!("fault: {fault}"));
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn play(part: Part, options: &Options) -> Vec<Section> {
    let program = std::env::current_exe().unwrap_or_default();
    match part {
        Part::Faults => faults::play(&program, options).await,
        Part::Crashes => crashes::play(&program, options).await,
        Part::Canary => canary::play(&program, options, canary::Size::Whole).await,
        Part::Guard => guard::play(&program, options, guard::Size::Whole).await,
        Part::Soak => vec![soak::section(&program, options.time).await],
        Part::Races => races::play(&program, options, races::Size::Whole).await,
    }
}
