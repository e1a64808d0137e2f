//! The `docker` command line: a client of the engine that shares no code with what is tested.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::{Doing, Error, Result};
use super::process;

/// Runs `docker` with these arguments; its stdout, without the last line end.
///
/// # Errors
///
/// [`Error::Io`] when there is no `docker`, [`Error::Command`] with its output when it fails.
pub async fn run(arguments: &[&str]) -> Result<String> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    aside(move || process::output(Command::new("docker").args(arguments))).await
}

/// As [`run`], with the client's configuration (credentials above all) in `config` instead of `~/.docker`.
///
/// # Errors
///
/// As [`run`].
pub async fn run_with(config: &Path, arguments: &[&str]) -> Result<String> {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let config = config.to_owned();
    aside(move || process::output(Command::new("docker").env("DOCKER_CONFIG", config).args(arguments))).await
}

/// As [`run`], without waiting on a runtime: for what is removed on drop.
///
/// # Errors
///
/// As [`run`].
pub fn run_blocking(arguments: &[&str]) -> Result<String> {
    process::output(Command::new("docker").args(arguments))
}

/// Builds an image of a context, a tar that holds the Dockerfile, with the classic builder.
///
/// Nothing is cached: an image that shares no parents with another can be removed while that one is being built.
///
/// # Errors
///
/// As [`run`].
pub async fn build(name: &str, context: Vec<u8>) -> Result<()> {
    let mut command = Command::new("docker");
    command.env("DOCKER_BUILDKIT", "0");
    command.args(["build", "-q", "--no-cache", "--force-rm", "-t", name, "-"]);
    feed(command, context).await
}

/// Makes an image of one layer, a tar of its root, with these Dockerfile instructions: in a twentieth of the time
/// that [`build`] takes. `STOPSIGNAL` is not among what the engine takes here.
///
/// # Errors
///
/// As [`run`].
pub async fn import(name: &str, instructions: &[String], root: Vec<u8>) -> Result<()> {
    let mut command = Command::new("docker");
    command.arg("import");
    for instruction in instructions {
        command.args(["--change", instruction]);
    }
    command.args(["-", name]);
    feed(command, root).await
}

/// Runs a command with this input.
async fn feed(mut command: Command, input: Vec<u8>) -> Result<()> {
    aside(move || {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let shown = process::show(&command);
        let mut child = command.spawn().doing(format!("run `{shown}`"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // An engine that stopped reading says why on stderr.
            drop(stdin.write_all(&input));
        }
        let output = child.wait_with_output().doing(format!("run `{shown}`"))?;
        process::checked(shown, &output).map(drop)
    })
    .await
}

/// Does blocking work where blocking is allowed.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match super::background::handle().spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => Err(Error::Unexpected { what: "docker".to_owned(), why: panic.to_string() }),
    }
}
