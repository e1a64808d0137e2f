//! The chores by name, and the way from the command line to one of them or to cutover.

use std::error::Error;
use std::ffi::OsString;
use std::process::{ExitCode, ExitStatus};

use clap::{CommandFactory as _, Parser, Subcommand};
use cutover::args::Cli;

use crate::architecture::Architecture;
use crate::audit::Audit;
use crate::bench::{self, Bench};
use crate::chaos::{self, Chaos};
use crate::ci::Ci;
use crate::codegen::Codegen;
use crate::cut::{self, Cut};
use crate::demo::{self, Demo};
use crate::fuzz::Fuzz;
use crate::output;
use crate::rig;
use crate::rig::needs::Missing;
use crate::test::Test;

#[derive(Debug, Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Chores {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Show deployments under load on this machine, and count what became of every request.
    Demo(Demo),
    /// Run all tests, on real parts.
    Test(Test),
    /// Measure, side by side with what people use, and write `docs/benchmarks/README.md`.
    Bench(Bench),
    /// Make everything go wrong that can, under load, and write `docs/chaos.md`.
    Chaos(Chaos),
    /// Let libFuzzer make hostile input, target by target.
    Fuzz(Fuzz),
    /// Run the tests and every other check.
    Ci(Ci),
    /// Write what is generated in `docs/reference`.
    Codegen(Codegen),
    /// Check which crate depends on which.
    Architecture(Architecture),
    /// Check the licences, bans and duplicates of the dependencies without cargo-deny.
    Audit(Audit),
    #[command(hide = true)]
    Cut(Cut),
}

impl Chore {
    fn run(&self) -> ExitCode {
        let ran = match self {
            Self::Demo(demo) => return demo::run(demo),
            Self::Bench(bench) => return bench::run(bench),
            Self::Chaos(chaos) => return chaos::run(chaos),
            Self::Fuzz(fuzz) => fuzz.run(),
            Self::Cut(cut) => return cut::run(cut),
            Self::Test(test) => test.run(),
            Self::Ci(ci) => ci.run(),
            Self::Codegen(codegen) => codegen.run(),
            Self::Architecture(architecture) => architecture.run(),
            Self::Audit(audit) => audit.run(),
        };
        match ran {
            Ok(()) => ExitCode::SUCCESS,
            Err(failed) => {
                output::say(&format!("error: {}", failed.words()));
                failed.exit()
            }
        }
    }
}

/// Why a chore ended with a failure.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Failed {
    /// A file or a program could not be used, or a part of the rig could not be had.
    #[error(transparent)]
    Rig(#[from] rig::Error),
    /// The machine lacks what a chore needs.
    #[error("this machine lacks:{}\n--install installs it on Debian and Ubuntu", listed(.0))]
    Missing(Vec<Missing>),
    /// A program that a chore ran has failed.
    #[error("`{command}` failed ({status})")]
    Program {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A check has found something, each with its mend.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
}

impl Failed {
    /// 2 for a machine that is not ready, 1 for everything else.
    fn exit(&self) -> ExitCode {
        ExitCode::from(if matches!(self, Self::Missing(_)) { 2 } else { 1 })
    }

    /// The failure and its sources, for people.
    pub(crate) fn words(&self) -> String {
        let mut words = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            words.push_str(&format!(": {error}"));
            source = error.source();
        }
        words
    }
}

fn listed(missing: &[Missing]) -> String {
    missing.iter().map(|missing| format!("\n  {}: {}", missing.what, missing.mend)).collect()
}

/// Whom a command line is for.
#[derive(Debug, PartialEq, Eq)]
enum Whose {
    /// Help on all there is.
    Both,
    /// A chore, with the command line as the chores' parser takes it.
    Chore(Vec<OsString>),
    /// cutover.
    Cutover,
}

/// Runs `cargo xtask` with these arguments, the program's name first.
///
/// A first word that names a chore runs it; everything else is cutover's.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match whose(&arguments) {
        Whose::Both => {
            // A reader that has gone away needs no help.
            drop(help().print_help());
            ExitCode::SUCCESS
        }
        Whose::Chore(arguments) => chore(&arguments),
        Whose::Cutover => cutover::main(arguments),
    }
}

fn whose(arguments: &[OsString]) -> Whose {
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    let is_chore = |word| Chores::command().find_subcommand(word).is_some();
    match (word(1), word(2)) {
        (Some("help"), Some(word)) if is_chore(word) => {
            Whose::Chore(["xtask", word, "--help"].map(OsString::from).to_vec())
        }
        (None | Some("-h" | "--help"), _) | (Some("help"), None) if arguments.len() < 3 => Whose::Both,
        (Some(word), _) if is_chore(word) => Whose::Chore(arguments.to_vec()),
        _ => Whose::Cutover,
    }
}

fn chore(arguments: &[OsString]) -> ExitCode {
    let chores = match Chores::try_parse_from(arguments) {
        Ok(chores) => chores,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    chores.chore.run()
}

/// cutover's own help, with the chores below its commands.
fn help() -> clap::Command {
    let cutover = Cli::command();
    let exits = cutover.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut chores = String::from("Chores of the workspace (`cargo xtask help CHORE` tells more):\n");
    for chore in Chores::command().get_subcommands().filter(|chore| !chore.is_hide_set()) {
        let about = chore.get_about().map(ToString::to_string).unwrap_or_default();
        chores.push_str(&format!("  {:<13}{about}\n", chore.get_name()));
    }
    cutover.name("xtask").bin_name("cargo xtask").after_help(format!("{chores}\n{exits}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Whose {
        whose(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    fn chore(line: &str) -> Whose {
        Whose::Chore(line.split(' ').map(OsString::from).collect())
    }

    #[test]
    fn a_first_word_that_names_a_chore_is_the_chore_s() {
        assert_eq!(of("xtask test --install"), chore("xtask test --install"));
        assert_eq!(of("xtask help ci"), chore("xtask ci --help"));
    }

    #[test]
    fn everything_else_is_cutover_s() {
        for line in
            ["xtask deploy web", "xtask -v test", "xtask --version", "xtask help deploy", "xtask tset"]
        {
            assert_eq!(of(line), Whose::Cutover, "{line}");
        }
    }

    #[test]
    fn help_tells_the_commands_and_the_chores() {
        for line in ["xtask", "xtask --help", "xtask -h", "xtask help"] {
            assert_eq!(of(line), Whose::Both, "{line}");
        }
        let text = help().render_help().to_string();
        for word in ["rollback", "architecture", "codegen", "cargo xtask", "Exit status"] {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }

    #[test]
    fn no_chore_hides_a_command_of_cutover() {
        for command in Cli::command().get_subcommands() {
            assert!(
                Chores::command().find_subcommand(command.get_name()).is_none(),
                "{}",
                command.get_name()
            );
        }
    }

    #[test]
    fn the_command_line_of_the_chores_is_sound() {
        Chores::command().debug_assert();
    }
}
