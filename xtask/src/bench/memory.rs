//! Peak memory, and the time to start.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::figures::{Aim, Part, Unit};
use super::program::ran;
use super::sample::Sample;
use crate::ready::say;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::stage::Stage;
use crate::rig::{background, needs};

const ROUNDS: usize = 3;
const STARTS: usize = 20;

/// Between two looks at a process. The peak that the kernel keeps only grows, so the last look tells all but the end.
const BETWEEN: Duration = Duration::from_millis(1);

const HOW: &str = "The kernel's own peak of resident memory (`VmHWM` in `/proc/PID/status`), read every millisecond \
    until the process ends. Start-up is `cutover --version`, whole process.";

pub(super) async fn measure(program: &Path) -> Result<Part> {
    let mut part = Part { title: "Memory and start-up", how: HOW.to_owned(), ..Part::default() };
    let mut stage = Stage::on_host(program, needs::nginx()).await?;
    let first = stage.release("first", &[]).await?;
    ran(&stage, &["deploy", "--image", &first]).await?;
    let mut samples =
        [("deploy", Sample::default()), ("rollback", Sample::default()), ("ship", Sample::default())];
    for round in 0..ROUNDS {
        say(&format!("memory: round {} of {ROUNDS}", round + 1));
        for (command, sample) in &mut samples {
            let image = match *command {
                "rollback" => None,
                command => Some(stage.release(&format!("{command}-{round}"), &[]).await?),
            };
            let image: Vec<&str> = image.iter().flat_map(|image| ["--image", image]).collect();
            sample.push(peak(stage.command(&[&[*command], image.as_slice()].concat())).await?);
        }
    }
    for (command, sample) in samples {
        part.figure(format!("peak memory of `{command}`"), Unit::Mebibytes, sample, Some(Aim::AtMost(40.0)));
    }
    let mut starts = Sample::default();
    for _ in 0..STARTS {
        let began = Instant::now();
        let mut version = Command::new(program);
        version.arg("--version").stdout(Stdio::null());
        let status = version.status().doing(format!("run {}", program.display()))?;
        starts.push_time(began.elapsed());
        if !status.success() {
            return Err(unexpected(program.display(), status));
        }
    }
    part.figure("`cutover --version`", Unit::Millis, starts, None);
    Ok(part)
}

/// The peak of a command's memory, in MiB.
async fn peak(command: Command) -> Result<f64> {
    Ok(watch(command).await?.peak)
}

/// A command that ended well.
pub(super) struct Watched {
    /// How long the process took.
    pub(super) took: Duration,
    /// The peak of its memory, in MiB.
    pub(super) peak: f64,
}

/// Runs a command to its end with an eye on its memory.
pub(super) async fn watch(mut command: Command) -> Result<Watched> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let program = shown.clone();
    let watched = background::handle().spawn_blocking(move || {
        let began = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().doing(format!("run {program}"))?;
        let status_file = format!("/proc/{}/status", child.id());
        let mut peak = 0.0;
        loop {
            let text = std::fs::read_to_string(&status_file).unwrap_or_default();
            if let Some(kibibytes) = high_water(&text) {
                peak = kibibytes / 1024.0;
            }
            match child.try_wait().doing(format!("wait for {program}"))? {
                Some(status) if status.success() => return Ok(Watched { took: began.elapsed(), peak }),
                Some(status) => return Err(unexpected(&program, status)),
                None => std::thread::sleep(BETWEEN),
            }
        }
    });
    watched.await.map_err(|panic| unexpected(shown, panic))?
}

/// `VmHWM`, in KiB. A process that has ended and was not waited for has none.
fn high_water(status: &str) -> Option<f64> {
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_peak_is_read_in_kibibytes() {
        assert_eq!(super::high_water("VmPeak:\t  99 kB\nVmHWM:\t   18432 kB\n"), Some(18432.0));
        assert_eq!(super::high_water("State:\tZ (zombie)\n"), None);
    }
}
