//! `cargo xtask ci`: the tests and every other check, each timed.

use std::time::{Duration, Instant};

use clap::Args;

use crate::architecture::Architecture;
use crate::audit::Audit;
use crate::cargo::{self, cargo};
use crate::chore::Failed;
use crate::codegen::Codegen;
use crate::output;
use crate::test::Test;

/// Run the tests and every other check.
#[derive(Debug, Args)]
pub(crate) struct Ci {
    /// Install first what the tests miss (Debian and Ubuntu, as root).
    #[arg(long, conflicts_with = "skip_tests")]
    install: bool,
    /// Only the other checks.
    #[arg(long)]
    skip_tests: bool,
}

impl Ci {
    /// Runs every check, also after one has failed, and prints how each ended.
    ///
    /// # Errors
    ///
    /// The checks that failed.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let mut ended = Vec::new();
        if !self.skip_tests {
            ended.push(timed("test", || Test::all(self.install).run()));
        }
        ended.push(timed("fmt", || cargo::run(&mut cargo("fmt --all --check"))));
        ended.push(timed("clippy", || {
            cargo::run(&mut cargo("clippy --workspace --all-targets -- -D warnings"))
        }));
        ended.push(timed("doc", || {
            cargo::run(cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))
        }));
        ended.push(timed("codegen", || Codegen::checking().run()));
        ended.push(timed("architecture", || Architecture::telling().run()));
        ended.push(timed("dependencies", dependencies));
        output::result(&summary(&ended));
        let failed: Vec<&str> = ended.iter().filter(|step| !step.well).map(|step| step.name).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(Failed::Faults(vec![format!("these checks failed: {}", failed.join(", "))]))
    }
}

fn dependencies() -> Result<(), Failed> {
    if cargo::has("deny") {
        return cargo::run(&mut cargo("deny check licenses bans sources"));
    }
    output::say("cargo-deny is not installed; `cargo xtask audit` stands in for it");
    Audit {}.run()
}

/// A check that has ended.
#[derive(Debug)]
struct Ended {
    name: &'static str,
    well: bool,
    took: Duration,
}

fn timed(name: &'static str, check: impl FnOnce() -> Result<(), Failed>) -> Ended {
    output::say(&format!("── {name}"));
    let began = Instant::now();
    let result = check();
    if let Err(failed) = &result {
        output::say(&format!("error: {}", failed.words()));
    }
    Ended { name, well: result.is_ok(), took: began.elapsed() }
}

fn summary(ended: &[Ended]) -> String {
    let line = |Ended { name, well, took }: &Ended| {
        let verdict = if *well { "ok" } else { "FAILED" };
        format!("{name:<13} {verdict:<6} {:>7.1} s", took.as_secs_f64())
    };
    let mut lines: Vec<String> = ended.iter().map(line).collect();
    let whole: Duration = ended.iter().map(|step| step.took).sum();
    lines.push(format!("{:<20} {:>7.1} s", "together", whole.as_secs_f64()));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_tells_how_each_check_ended_and_how_long_it_took() {
        let ended = [
            Ended { name: "fmt", well: true, took: Duration::from_millis(1240) },
            Ended { name: "architecture", well: false, took: Duration::from_secs(100) },
        ];
        let lines = [
            "fmt           ok         1.2 s",
            "architecture  FAILED   100.0 s",
            "together               101.2 s",
        ];
        assert_eq!(summary(&ended), lines.join("\n"));
    }

    #[test]
    fn a_check_that_fails_is_told_as_failed() {
        assert!(!timed("x", || Err(Failed::Faults(vec!["bad".into()]))).well);
        assert!(timed("x", || Ok(())).well);
    }
}
