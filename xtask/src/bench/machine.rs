//! The machine that the figures are of, in a sentence.

use std::path::Path;
use std::process::Command;

use crate::rig::{needs, process};

/// The day, the processor, the memory and the versions of the parts.
pub(super) fn describe() -> String {
    let said = |program: &Path, arguments: &[&str]| {
        // nginx tells its version on stderr.
        let output = Command::new(program).args(arguments).output().ok();
        let text = output.map(|output| process::tail(&[output.stdout, output.stderr].concat()));
        text.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
    };
    let words = |program: &str, arguments: &[&str]| said(Path::new(program), arguments);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!(
        "on {}: {cores} cores of {}, {} of memory, Linux {}, Docker Engine {}, {}, Debian's docker-registry; the \
         load average was {load} at its end",
        words("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "an unknown processor".to_owned()),
        field("/proc/meminfo", "MemTotal").unwrap_or_else(|| "an unknown amount".to_owned()),
        words("uname", &["-r"]),
        words("docker", &["version", "--format", "{{.Server.Version}}"]),
        said(needs::nginx(), &["-v"]).replace("nginx version: ", ""),
    )
}

/// The value of the first line `name : value` of a file of `/proc`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
