//! `cargo xtask fuzz`: hostile input, made by libFuzzer for as long as is said. What it finds once stays in the corpus,
//! over which the tests run.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::cargo::{self, cargo};
use crate::chore::Failed;
use crate::output;
use crate::rig::{Doing as _, place};

/// What the compiler is told, for libFuzzer to see which way an input takes: on a stable Rust, with no more than that.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table";
/// The longest input, in bytes.
const LONGEST: &str = "-max_len=4096";
/// How long one input may take, in seconds, and how much memory, in MB.
const LIMITS: [&str; 2] = ["-timeout=25", "-rss_limit_mb=2048"];

/// Let libFuzzer make hostile input, target by target.
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// So many runs of each target; 100000 unless `--seconds` is said.
    #[arg(long, value_name = "N")]
    runs: Option<u64>,
    /// For so long each target.
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
    /// Only these targets; all unless said.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// What became of one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Played {
    runs: u64,
    took: Duration,
    found: u64,
    /// The input that it failed on.
    failed: Option<PathBuf>,
}

impl Fuzz {
    /// Runs the targets in turn, and prints how each went.
    ///
    /// # Errors
    ///
    /// The inputs that a target failed on, each with how to see it again.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let folder = place::workspace().join("fuzz");
        let targets = chosen(&folder.join("corpus"), &self.targets)?;
        let binary = built(&folder)?;
        output::result("| target | runs | a second | new inputs |\n|---|---:|---:|---:|");
        let mut faults = Vec::new();
        for target in &targets {
            let played = self.play(&folder, &binary, target)?;
            output::result(&played.row(target));
            let told = || format!("the target {target} failed; the lines above say how");
            faults.extend(played.failed.map(|input| {
                if input.as_os_str().is_empty() { told() } else { again(&binary, target, &input) }
            }));
        }
        if faults.is_empty() { Ok(()) } else { Err(Failed::Faults(faults)) }
    }

    fn play(&self, folder: &Path, binary: &Path, target: &str) -> Result<Played, Failed> {
        let (found, crashes) = (folder.join("found").join(target), folder.join("crashes"));
        for place in [&found, &crashes] {
            fs::create_dir_all(place).doing(format!("create {}", place.display()))?;
        }
        let mut command = Command::new(binary);
        command.env("CUTOVER_FUZZ_TARGET", target).current_dir(folder);
        command.arg(&found).arg(folder.join("corpus").join(target));
        command.args(LIMITS).args([LONGEST, "-print_final_stats=1"]);
        command.arg(format!("-artifact_prefix={}/{target}-", crashes.display()));
        match (self.runs, self.seconds) {
            (Some(runs), _) => command.arg(format!("-runs={runs}")),
            (None, None) => command.arg("-runs=100000"),
            (None, Some(_)) => &mut command,
        };
        command.args(self.seconds.map(|seconds| format!("-max_total_time={seconds}")));
        let doing = || format!("run {}", binary.display());
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .doing(doing())?;
        let (mut played, mut last) = (Played::default(), Vec::new());
        for line in child.stderr.take().into_iter().flat_map(|said| BufReader::new(said).split(b'\n')) {
            let line = String::from_utf8_lossy(&line.doing(doing())?).into_owned();
            if !played.hear(&line) && !line.starts_with('#') {
                last.push(line);
            }
        }
        played.took = began.elapsed();
        let status = child.wait().doing(doing())?;
        if !status.success() {
            last.iter().rev().take(60).rev().for_each(|line| output::say(line));
            played.failed.get_or_insert_default();
        }
        Ok(played)
    }
}

impl Played {
    /// Takes in a line of libFuzzer's that counts.
    fn hear(&mut self, line: &str) -> bool {
        let number =
            |prefix| line.strip_prefix(prefix).and_then(|rest: &str| rest.trim().parse::<u64>().ok());
        if let Some(runs) = number("stat::number_of_executed_units:") {
            self.runs = runs;
        } else if let Some(found) = number("stat::new_units_added:") {
            self.found = found;
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            self.failed = Some(path.trim().into());
        } else {
            return line.starts_with("stat::");
        }
        true
    }

    fn row(&self, target: &str) -> String {
        let rate = u128::from(self.runs) * 1000 / self.took.as_millis().max(1);
        format!("| {target} | {} | {rate} | {} |", self.runs, self.found)
    }
}

/// Builds the targets, with their own target directory; the program.
fn built(folder: &Path) -> Result<PathBuf, Failed> {
    let target = folder.join("target");
    let host = host()?;
    // With a target named, what is built for this machine itself (build scripts, macros) is left as it is.
    let mut build = cargo("build --release --manifest-path fuzz/Cargo.toml");
    build.args(["--target", &host, "--target-dir"]).arg(&target).env("RUSTFLAGS", FLAGS);
    cargo::run(&mut build)?;
    Ok(target.join(host).join("release/cutover-fuzz"))
}

fn host() -> Result<String, Failed> {
    let output = Command::new("rustc").arg("-vV").output().doing("run rustc -vV")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failed::Faults(vec!["rustc does not tell its host".to_owned()]))
}

/// The targets there are, which the corpus has a folder for each of; or those that are asked for.
fn chosen(corpus: &Path, wanted: &[String]) -> Result<Vec<String>, Failed> {
    let doing = || format!("read {}", corpus.display());
    let mut there = Vec::new();
    for entry in fs::read_dir(corpus).doing(doing())? {
        there.push(entry.doing(doing())?.file_name().to_string_lossy().into_owned());
    }
    there.sort();
    match wanted.iter().find(|wanted| !there.contains(wanted)) {
        Some(none) => {
            Err(Failed::Faults(vec![format!("there is no target {none}; there are {}", there.join(", "))]))
        }
        None if wanted.is_empty() => Ok(there),
        None => Ok(wanted.to_vec()),
    }
}

/// How an input is seen again, and what to do with it.
fn again(binary: &Path, target: &str, input: &Path) -> String {
    format!(
        "the target {target} failed on {input}: see it again with\n  CUTOVER_FUZZ_TARGET={target} {} {input}\n\
         once it is mended, keep it: mv {input} fuzz/corpus/{target}/WHAT_IT_SHOWS",
        binary.display(),
        input = input.display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_counts_is_heard_and_told() {
        let mut played = Played { took: Duration::from_millis(500), ..Played::default() };
        for line in [
            "#100000\tDONE   cov: 10 ft: 20 corp: 3/4b exec/s: 0 rss: 40Mb",
            "stat::number_of_executed_units: 100000",
            "stat::average_exec_per_sec:     0",
            "stat::new_units_added:          12",
        ] {
            assert_eq!(played.hear(line), line.starts_with("stat::"), "{line}");
        }
        assert_eq!(played.row("reference"), "| reference | 100000 | 200000 | 12 |");
        assert_eq!(played.failed, None);
    }

    #[test]
    fn an_input_that_fails_is_told_with_how_to_see_it_again() {
        let mut played = Played::default();
        assert!(played.hear("artifact_prefix='x/'; Test unit written to /f/crashes/reference-crash-1a"));
        let told = again(Path::new("fuzz"), "reference", &played.failed.unwrap());
        assert!(
            told.contains("\n  CUTOVER_FUZZ_TARGET=reference fuzz /f/crashes/reference-crash-1a\n"),
            "{told}"
        );
    }

    #[test]
    fn every_target_has_a_corpus_and_every_corpus_its_target() {
        let main = fs::read_to_string(place::workspace().join("fuzz/src/main.rs")).unwrap();
        let corpus = place::workspace().join("fuzz/corpus");
        let there = chosen(&corpus, &[]).unwrap();
        let named: Vec<&str> =
            main.lines().filter_map(|line| line.trim().strip_prefix("(\"")?.split('"').next()).collect();
        assert_eq!(there, named);
        assert!(chosen(&corpus, &["nothing".to_owned()]).unwrap_err().words().contains("reference"));
    }
}
