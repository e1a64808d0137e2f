//! Peak memory, and the time to start.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::figures::{Aim, Part, Unit};
use super::program::ran;
use super::sample::Sample;
use super::watch::watch;
use crate::ready::say;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::needs;
use crate::rig::stage::Stage;

const ROUNDS: usize = 3;
const STARTS: usize = 20;

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
