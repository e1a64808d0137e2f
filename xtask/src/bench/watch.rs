//! A process under watch: how long it takes, its peak of memory, and its processor time.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::rig::background;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::process::mebibytes;

/// Between two looks at a process. The peak that the kernel keeps only grows, so the last look tells all but the end.
const BETWEEN: Duration = Duration::from_millis(1);

/// One tick of `/proc/PID/stat`: `USER_HZ` is 100 wherever Linux runs these figures.
const TICK: Duration = Duration::from_millis(10);

/// A command that ended well.
pub(super) struct Watched {
    /// How long the process took.
    pub(super) took: Duration,
    /// The peak of its memory, in MiB.
    pub(super) peak: f64,
    /// Its processor time, in user and kernel, to 10 ms.
    pub(super) spent: Duration,
}

/// Runs a command to its end with an eye on its memory and its processor time.
pub(super) async fn watch(mut command: Command) -> Result<Watched> {
    let shown = command.get_program().to_string_lossy().into_owned();
    let program = shown.clone();
    let watched = background::handle().spawn_blocking(move || {
        let began = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().doing(format!("run {program}"))?;
        let status_file = format!("/proc/{}/status", child.id());
        let (mut peak, mut spent) = (0.0, Duration::ZERO);
        loop {
            let text = std::fs::read_to_string(&status_file).unwrap_or_default();
            peak = mebibytes(&text, "VmHWM").unwrap_or(peak);
            spent = processor_time(child.id()).unwrap_or(spent);
            match child.try_wait().doing(format!("wait for {program}"))? {
                Some(status) if status.success() => {
                    return Ok(Watched { took: began.elapsed(), peak, spent });
                }
                Some(status) => return Err(unexpected(&program, status)),
                None => std::thread::sleep(BETWEEN),
            }
        }
    });
    watched.await.map_err(|panic| unexpected(shown, panic))?
}

/// The processor time of a process so far, in user and kernel, all its threads together. None once it is gone.
pub(super) fn processor_time(process: u32) -> Option<Duration> {
    ticks(&std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?).map(|ticks| TICK * ticks)
}

/// `utime` and `stime` of `/proc/PID/stat`, the 14th and 15th field. The second, the name, may hold anything.
fn ticks(stat: &str) -> Option<u32> {
    let mut after = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || after.next()?.parse::<u32>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_of_user_and_kernel_whatever_the_name() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 120 34 9 9 20 0 3 0 5 1 1";
        assert_eq!(ticks(stat), Some(154));
        assert_eq!(ticks("7 (cut"), None);
    }
}
