//! cargo, run in the workspace.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::process::{Command, Stdio};

use crate::chore::Failed;
use crate::output;
use crate::rig::{Doing as _, place};

/// A cargo command in the workspace, by its words.
///
/// What `cargo run` tells the program it runs is taken away: a build script that watches `CARGO_MANIFEST_DIR`, as ring's
/// does, would build anew at each change from a shell to here and back.
pub(crate) fn cargo(words: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(place::workspace()).args(words.split(' ')).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let of_run = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || matches!(name, "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH")
        });
        if of_run {
            command.env_remove(name);
        }
    }
    command
}

/// Whether cargo has a subcommand that is not its own.
pub(crate) fn has(subcommand: &str) -> bool {
    let asked = cargo(subcommand).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Says a command, then runs it with its output shown.
///
/// # Errors
///
/// When it cannot be run, or fails.
pub(crate) fn run(command: &mut Command) -> Result<(), Failed> {
    let shown = announce(command);
    let status = command.status().doing(format!("run `{shown}`"))?;
    if status.success() { Ok(()) } else { Err(Failed::Program { command: shown, status }) }
}

/// Which of a program's two outputs is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// As [`run`], with each line of one of the outputs shown and given to `heard`.
///
/// # Errors
///
/// When it cannot be run, or fails.
pub(crate) fn listen(command: &mut Command, stream: Stream, heard: impl FnMut(&str)) -> Result<(), Failed> {
    let shown = announce(command);
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let doing = || format!("run `{shown}`");
    let mut child = command.spawn().doing(doing())?;
    if let Some(output) = child.stdout.take() {
        pass_on(output, anstream::stdout(), heard).doing(doing())?;
    } else if let Some(output) = child.stderr.take() {
        pass_on(output, anstream::stderr(), heard).doing(doing())?;
    }
    let status = child.wait().doing(doing())?;
    if status.success() { Ok(()) } else { Err(Failed::Program { command: shown, status }) }
}

fn announce(command: &Command) -> String {
    let words = command.get_args().map(|word| word.to_string_lossy());
    let shown = std::iter::once("cargo".into()).chain(words).collect::<Vec<_>>().join(" ");
    output::say(&format!("$ {shown}"));
    shown
}

fn pass_on(from: impl Read, mut to: impl Write, mut heard: impl FnMut(&str)) -> std::io::Result<()> {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        // Nobody may be reading any more; the run is what counts.
        drop(to.write_all(&line));
        heard(&anstream::adapter::strip_str(&String::from_utf8_lossy(&line)).to_string());
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_tells_a_program_that_it_runs_is_not_told_to_the_next_cargo() {
        let command = cargo("metadata --no-deps");
        let taken: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"] {
            assert!(std::env::var_os(name).is_some(), "cargo sets {name} for tests");
            assert!(taken.contains(&name.as_ref()), "{name} is passed on");
        }
    }

    #[test]
    fn output_is_passed_on_as_it_is_and_heard_without_its_colours() {
        let text = b"one\n\x1b[32;1mSummary\x1b[0m [1 s] \xff\nlast";
        let (mut shown, mut heard) = (Vec::new(), Vec::new());
        pass_on(&text[..], &mut shown, |line| heard.push(line.to_owned())).unwrap();
        assert_eq!(shown, text);
        assert_eq!(heard, ["one\n", "Summary [1 s] \u{fffd}\n", "last"]);
    }

    #[test]
    fn a_program_that_fails_is_a_failure_and_its_lines_are_heard() {
        let mut lines = 0;
        let failed = listen(&mut cargo("no-such-command"), Stream::Err, |_| lines += 1).unwrap_err();
        assert!(failed.words().starts_with("`cargo no-such-command` failed"), "{}", failed.words());
        assert!(lines > 0);
    }
}
