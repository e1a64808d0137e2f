//! Child processes: run to their end, or ended with their owner.

use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::background;
use super::error::{Doing, Error, Result, unexpected};

/// How long a child has to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a command to its end; its stdout.
///
/// # Errors
///
/// [`Error::Io`] when it cannot be started, [`Error::Command`] when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.stdin(Stdio::null()).output().doing(format!("run `{shown}`"))?;
    checked(shown, &output)
}

/// As [`output`], without keeping the thread that asks.
///
/// # Errors
///
/// As [`output`].
pub(crate) async fn run(mut command: Command) -> Result<String> {
    let shown = show(&command);
    let ran = background::handle().spawn_blocking(move || output(&mut command));
    ran.await.map_err(|panic| unexpected(shown, panic))?
}

/// The stdout of a command that succeeded.
pub(crate) fn checked(command: String, output: &Output) -> Result<String> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    Err(Error::Command { command, status: output.status.to_string(), output: tail(&text) })
}

/// A command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

/// The last 2000 bytes of a text.
pub(crate) fn tail(text: &[u8]) -> String {
    let from = text.len().saturating_sub(2000);
    String::from_utf8_lossy(&text[from..]).trim().to_owned()
}

/// A field of `/proc/PID/status` that is told in KiB, in MiB. A process that has ended and was not waited for has none.
pub(crate) fn mebibytes(status: &str, field: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    let kibibytes: f64 = value.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// A process that is ended when this is dropped: SIGTERM, then SIGKILL.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// Starts a command with its stdout and stderr appended to `log`.
    pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let file = std::fs::File::create(log).doing(format!("create {}", log.display()))?;
        let second = file.try_clone().doing(format!("open {}", log.display()))?;
        let shown = show(command);
        let child = command.stdin(Stdio::null()).stdout(file).stderr(second).spawn();
        child.doing(format!("run `{shown}`")).map(Self)
    }

    /// The process's id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, once it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().ok().flatten()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.0), signal)?)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.ended().is_some() || self.signal(Signal::TERM).is_err() {
            return;
        }
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.ended().is_some() {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        // It is gone, or nothing more can be done.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::mebibytes;

    #[test]
    fn memory_is_read_in_mebibytes() {
        assert_eq!(mebibytes("VmPeak:\t  99 kB\nVmHWM:\t   18432 kB\n", "VmHWM"), Some(18.0));
        assert_eq!(mebibytes("State:\tZ (zombie)\n", "VmHWM"), None);
    }
}
