//! `cargo xtask test`: every test of the workspace, on real parts.

use std::fmt;
use std::process::Command;

use clap::Args;

use crate::cargo::{self, Stream, cargo};
use crate::chore::Failed;
use crate::output;
use crate::rig::needs::{self, Missing, Need};

/// What runs on the newest nginx too: all that is said of nginx, and of whole deployments those whose outcome hangs on
/// how nginx treats connections. No word of it has a space.
const AGAIN: &str = "nextest run --workspace --profile ci --no-tests pass -E \
                     package(cutover-proxyconf)+(package(xtask)&test(/^(streams_stay_|slow_posts_|a_bad_release_|\
                     a_rollback_to_the_standby_|a_release_waits_on_the_preview_)/))";

/// Run all tests, on real parts.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Install what is missing first (Debian and Ubuntu, as root).
    #[arg(long)]
    install: bool,
    /// Run only tests whose names contain one of these.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

impl Test {
    /// For [`crate::ci`]: all tests.
    pub(crate) fn all(install: bool) -> Self {
        Self { install, filters: Vec::new() }
    }

    /// Runs the tests; the last line on stdout is `N passed, N failed`.
    ///
    /// # Errors
    ///
    /// What the machine lacks, or the runs that failed.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let lacks = self.lacks()?;
        let mut tally = Tally::default();
        let mut failed = Vec::new();
        for mut suite in self.suites() {
            let before = tally;
            let ran = cargo::listen(&mut suite.command, suite.runner.stream(), |line| {
                tally.hear(suite.runner, line);
            });
            let Err(failure) = ran else { continue };
            failed.push(failure.words());
            if tally == before {
                // It did not build, so neither will the rest.
                break;
            }
        }
        for missing in &lacks {
            output::say(&format!("went without {}: {}", missing.what, missing.mend));
        }
        output::result(&tally.to_string());
        if failed.is_empty() { Ok(()) } else { Err(Failed::Faults(failed)) }
    }

    /// Makes the machine ready if that is asked for; what it goes without.
    fn lacks(&self) -> Result<Vec<Missing>, Failed> {
        let check = || -> Vec<Missing> {
            // For figures, which no test takes.
            let figures = [Need::Wrk, Need::Caddy, Need::Haproxy];
            needs::check().into_iter().filter(|missing| !figures.contains(&missing.need)).collect()
        };
        let mut missing = check();
        if self.install && !missing.is_empty() {
            needs::install(&missing)?;
            missing = check();
        }
        let ready = missing.iter().all(|missing| missing.optional);
        if ready { Ok(missing) } else { Err(Failed::Missing(missing)) }
    }

    fn suites(&self) -> Vec<Suite> {
        let nextest = cargo::has("nextest");
        let mut suites = if nextest {
            vec![
                Suite::new(Runner::Nextest, "nextest run --workspace --profile ci", &self.filters),
                Suite::new(Runner::Libtest, "test --workspace --doc --no-fail-fast", &self.filters),
            ]
        } else {
            vec![
                Suite::new(Runner::Libtest, "test --workspace --exclude xtask --no-fail-fast", &self.filters),
                // Tests under load would disturb each other.
                Suite::new(Runner::Libtest, "test --package xtask --no-fail-fast", &self.filters).in_turn(),
            ]
        };
        if let Some(nginx) = needs::nginx_new() {
            let words: &[(Runner, &str)] = match nextest {
                // Chosen from the whole workspace, or it would be built anew; and a filter may well name nothing of it.
                true => &[(Runner::Nextest, AGAIN)],
                false => &[
                    (Runner::Libtest, "test --package cutover-proxyconf --no-fail-fast --lib --tests"),
                    (Runner::Libtest, "test --package xtask --no-fail-fast --test streams --test promote"),
                ],
            };
            for (runner, words) in words {
                let mut again = Suite::new(*runner, words, &self.filters);
                again.command.env("CUTOVER_TEST_NGINX", &nginx);
                suites.push(if nextest { again } else { again.in_turn() });
            }
        }
        suites
    }
}

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Nextest,
    Libtest,
}

impl Runner {
    /// Where its closing line stands.
    fn stream(self) -> Stream {
        match self {
            Self::Nextest => Stream::Err,
            Self::Libtest => Stream::Out,
        }
    }
}

/// One run of tests.
struct Suite {
    runner: Runner,
    command: Command,
}

impl Suite {
    fn new(runner: Runner, words: &str, filters: &[String]) -> Self {
        let mut command = cargo(words);
        command.arg("--").args(filters);
        if let Some(python) = needs::python() {
            command.env("CUTOVER_TEST_PYTHON", python);
        }
        if let Some(nginx) = needs::nginx_new() {
            command.env("CUTOVER_TEST_NGINX_NEW", nginx);
        }
        Self { runner, command }
    }

    fn in_turn(mut self) -> Self {
        self.command.arg("--test-threads=1");
        self
    }
}

/// How many tests ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: u64,
    failed: u64,
}

impl Tally {
    /// Counts a closing line of the runner; others count nothing.
    ///
    /// The other runner's are no closing lines: nextest shows what libtest printed of a test that failed.
    fn hear(&mut self, runner: Runner, line: &str) {
        let counts = match runner {
            Runner::Nextest => line.trim().strip_prefix("Summary ["),
            Runner::Libtest => line.trim().strip_prefix("test result: "),
        };
        let words: Vec<&str> = counts.unwrap_or_default().split([' ', ',', ';', '(', ')', ':']).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += count,
                // `1 timed out`, `1 exec failed`, `1 setup script failed`.
                "failed" | "timed" | "exec" | "setup" => self.failed += count,
                _ => {}
            }
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(runner: Runner, lines: &[&str]) -> (u64, u64) {
        let mut tally = Tally::default();
        for line in lines {
            tally.hear(runner, line);
        }
        (tally.passed, tally.failed)
    }

    #[test]
    fn nextest_s_closing_line_is_counted_whole() {
        let all_well = "     Summary [   0.142s] 7 tests run: 7 passed, 0 skipped";
        assert_eq!(tally(Runner::Nextest, &[all_well]), (7, 0));
        let bad = "     Summary [ 301.000s] 12/20 tests run: 7 passed (1 slow, 1 flaky), 3 failed, 1 timed out, 1 exec failed, 4 skipped\n";
        assert_eq!(tally(Runner::Nextest, &[bad]), (7, 5));
        assert_eq!(
            tally(Runner::Nextest, &["     Summary [   0.1s] 1 test run: 1 passed, 0 skipped"]),
            (1, 0)
        );
    }

    #[test]
    fn libtest_s_closing_lines_are_summed() {
        let lines = [
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s",
            "running 3 tests",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 9 s",
        ];
        assert_eq!(tally(Runner::Libtest, &lines), (7, 1));
    }

    #[test]
    fn what_a_test_printed_is_no_closing_line() {
        let lines = ["  test result: FAILED. 0 passed; 1 failed; 0 ignored", "3 passed, 4 failed"];
        assert_eq!(tally(Runner::Nextest, &lines), (0, 0));
    }
}
