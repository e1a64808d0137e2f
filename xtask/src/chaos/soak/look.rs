//! Everything that could grow, at one moment.

use std::path::Path;

use super::Rule;
use crate::rig::docker;
use crate::rig::error::{Doing as _, Result};
use crate::rig::process::mebibytes;
use crate::rig::stage::{Nginx, Stage};

/// So many runs an app's history keeps.
const HISTORY: f64 = 1_000.0;

/// The peaks of memory of the runs of a round, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peaks {
    pub(super) deploy: Option<f64>,
    pub(super) backup: Option<f64>,
    pub(super) rollback: Option<f64>,
}

/// Everything that could grow, at one moment. What cannot be seen is `None`.
#[derive(Clone, Debug)]
pub struct Look {
    peaks: Peaks,
    nginx: Processes,
    shims: Processes,
    dockerd: Processes,
    containers: f64,
    images: f64,
    networks: f64,
    files: Folder,
    history: f64,
}

/// Some processes together.
#[derive(Clone, Copy, Debug, Default)]
struct Processes {
    count: f64,
    /// Resident memory, in MiB.
    resident: f64,
    handles: f64,
}

/// A folder with all that is in it, the history apart.
#[derive(Clone, Copy, Debug, Default)]
struct Folder {
    files: f64,
    bytes: f64,
}

impl Look {
    /// What it saw: each quantity with its rule.
    #[must_use]
    pub fn quantities(&self) -> Vec<(&'static str, Rule, Option<f64>)> {
        let memory = Rule::Within { share: 0.1, more: 2.0 };
        // Each connection of the load is a handle or two, and how many there are at a moment varies.
        let handles = Rule::Within { share: 0.1, more: 8.0 };
        vec![
            ("peak memory of `deploy`, MiB", memory, self.peaks.deploy),
            ("peak memory of `backup`, MiB", memory, self.peaks.backup),
            ("peak memory of `rollback`, MiB", memory, self.peaks.rollback),
            ("nginx: processes", Rule::Same, Some(self.nginx.count)),
            ("nginx: resident memory, MiB", memory, Some(self.nginx.resident)),
            ("nginx: open handles", handles, Some(self.nginx.handles)),
            ("the app's containers, running or not", Rule::Same, Some(self.containers)),
            ("their shims", Rule::Same, Some(self.shims.count)),
            (
                "their shims: resident memory, MiB",
                Rule::Within { share: 0.1, more: 4.0 },
                Some(self.shims.resident),
            ),
            ("their shims: open handles", Rule::Within { share: 0.0, more: 4.0 }, Some(self.shims.handles)),
            ("the app's images", Rule::Same, Some(self.images)),
            ("networks of cutover", Rule::Same, Some(self.networks)),
            (
                "files in conf_dir, state_dir and data_dir, without the records",
                Rule::Same,
                Some(self.files.files),
            ),
            (
                "bytes in them, without the history and the records",
                Rule::Within { share: 0.0, more: 512.0 },
                Some(self.files.bytes),
            ),
            ("runs in the history", Rule::AtMost(HISTORY), Some(self.history)),
            ("the engine: resident memory, MiB", Rule::Told, Some(self.dockerd.resident)),
            ("the engine: open handles", Rule::Told, Some(self.dockerd.handles)),
        ]
    }

    pub(super) async fn at(stage: &Stage, peaks: Peaks) -> Result<Self> {
        let ids: Vec<String> = stage.ids().await?.into_values().collect();
        let images = docker::run(&["images", "-q", "--no-trunc", "--digests", &stage.repository()]).await?;
        let network = format!("name={}", stage.network());
        let networks = docker::run(&["network", "ls", "-q", "--filter", &network]).await?;
        let Nginx::Host(nginx) = &stage.nginx else {
            return Err(crate::rig::unexpected("the soak", "its nginx is in a container"));
        };
        let (mut files, mut history) = (Folder::default(), 0.0);
        for folder in [nginx.conf_dir(), nginx.state_dir()] {
            look_through(&folder, &mut files, &mut history)?;
        }
        let master = nginx.pid();
        let all = processes();
        let shim = |process: &Process| {
            process.name.starts_with("containerd-shim")
                && ids.iter().any(|id| process.words.contains(id.as_str()))
        };
        let main = std::fs::read_to_string("/var/run/docker.pid").unwrap_or_default();
        let main = main.trim().parse::<u32>().ok();
        Ok(Self {
            peaks,
            nginx: sum(all.iter().filter(|p| p.id == master || p.parent == master)),
            shims: sum(all.iter().filter(|p| shim(p))),
            dockerd: sum(all.iter().filter(|p| Some(p.id) == main)),
            containers: count(ids.len()),
            images: count(images.lines().count()),
            networks: count(networks.lines().count()),
            files,
            history,
        })
    }
}

struct Process {
    id: u32,
    parent: u32,
    name: String,
    words: String,
}

fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // One that ends while it is looked at is none.
    ids.filter_map(|id| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let words = std::fs::read(format!("/proc/{id}/cmdline")).ok()?;
        Some(Process {
            id,
            parent: field(&status, "PPid:")?.parse().ok()?,
            name: field(&status, "Name:")?.to_owned(),
            words: String::from_utf8_lossy(&words).into_owned(),
        })
    })
    .collect()
}

fn sum<'a>(processes: impl Iterator<Item = &'a Process>) -> Processes {
    processes.fold(Processes::default(), |sum, process| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id)).unwrap_or_default();
        let handles = std::fs::read_dir(format!("/proc/{}/fd", process.id)).map_or(0, Iterator::count);
        Processes {
            count: sum.count + 1.0,
            resident: sum.resident + mebibytes(&status, "VmRSS").unwrap_or_default(),
            handles: sum.handles + count(handles),
        }
    })
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn look_through(folder: &Path, files: &mut Folder, history: &mut f64) -> Result<()> {
    let entries = std::fs::read_dir(folder).doing(format!("read {}", folder.display()))?;
    for entry in entries {
        let path = entry.doing(format!("read {}", folder.display()))?.path();
        let seen = path.symlink_metadata().doing(format!("look at {}", path.display()))?;
        if path.file_name().is_some_and(|name| name == "runs") {
            // Records of runs, of which a number is kept that a short soak does not reach.
        } else if seen.is_dir() {
            look_through(&path, files, history)?;
        } else if path.file_name().is_some_and(|name| name == "history.jsonl") {
            let text = std::fs::read_to_string(&path).doing(format!("read {}", path.display()))?;
            *history += count(text.lines().count());
            files.files += 1.0;
        } else {
            files.files += 1.0;
            files.bytes += u32::try_from(seen.len()).map_or(f64::MAX, f64::from);
        }
    }
    Ok(())
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
