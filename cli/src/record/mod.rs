//! How a run went, for people who look at it later: its phases, what its gates were told, and how requests were answered
//! meanwhile. One file a run, beside the history. Nothing is decided by it.

mod recorder;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::recorder::Recorder;
use crate::effect::{Effect, around_now};
use crate::folder::Folder;
use crate::history::Entry;
use crate::lock::{Lock, moment};
use crate::probe::Bucket;

/// How the name of a record begins while it is written.
const NEW: &str = ".new-";

/// So many runs of an app are kept.
const KEPT: usize = 50;

/// One run. Times are in milliseconds after its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The run's own name, which tells when it began: `20260102T030405.678Z`.
    pub id: String,
    /// The app.
    pub app: String,
    /// When it began, in RFC 3339.
    pub began: String,
    /// How long it went on.
    pub took_ms: f64,
    /// What the history says of it.
    pub run: Entry,
    /// Its phases, in the order they began.
    pub phases: Vec<Phase>,
    /// Which slot nginx sent to from when on; the first from the beginning.
    pub serving: Vec<Serving>,
    /// What was asked to find the release well, and what came back.
    pub gate: Vec<Asked>,
    /// The last lines of the release that was tried.
    pub logs: Vec<String>,
    /// The requests that were put on the site, by 100 ms; only with `--probe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Probed>,
}

/// A step of the plan that was done, or begun.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Phase {
    /// What it is, for people.
    pub name: String,
    /// When it began.
    pub from_ms: f64,
    /// When it ended.
    pub to_ms: f64,
    /// Whether it was done.
    pub done: bool,
}

/// From when on nginx sent traffic to a slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serving {
    /// From when on.
    pub from_ms: f64,
    /// The slot; none where nothing served.
    pub slot: Option<String>,
}

/// A question that was asked once or several times with the same answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// When it was answered so first.
    pub from_ms: f64,
    /// And last.
    pub to_ms: f64,
    /// How often.
    pub times: u32,
    /// Who was asked: a container, or a slot through nginx.
    pub who: String,
    /// What.
    pub what: String,
    /// What was wrong with the answer; none where it was well.
    pub wrong: Option<String>,
}

/// The requests of a probe. Their figures are in the history's entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// What was asked.
    pub what: String,
    /// The answers, by 100 ms.
    pub buckets: Vec<Bucket>,
}

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the record {} cannot be {done}", .path.display())]
pub struct RecordFailed {
    path: PathBuf,
    done: &'static str,
    source: std::io::Error,
}

impl Record {
    /// The slot that nginx sent to at a time after the beginning.
    #[must_use]
    pub fn slot_at(&self, at_ms: f64) -> Option<&str> {
        slot_at(&self.serving, at_ms)
    }

    /// The digest that a slot held while it served, as far as the history says it.
    #[must_use]
    pub fn digest_in(&self, slot: &str) -> Option<&str> {
        let before = self.run.from.as_deref() == Some(slot);
        if before { self.run.previous.as_deref() } else { self.run.digest.as_deref() }
    }

    /// Whether this run, its release or its image has a name that begins so.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        let digest = self.run.digest.as_deref();
        let hex = digest.and_then(|digest| Some(digest.split_once(':')?.1));
        let names = [Some(self.id.as_str()), digest, hex, self.run.release.as_deref()];
        name.len() >= 6 && names.into_iter().flatten().any(|known| known.starts_with(name))
    }
}

fn slot_at(serving: &[Serving], at_ms: f64) -> Option<&str> {
    serving.iter().rev().find(|part| part.from_ms <= at_ms)?.slot.as_deref()
}

/// The records of an app, oldest first. What is no record is passed over.
///
/// # Errors
/// [`RecordFailed`]; none at all are none.
pub fn read(folder: &Path) -> Result<Vec<Record>, RecordFailed> {
    let folder = runs(folder);
    let names =
        names(&folder).map_err(|source| RecordFailed { path: folder.clone(), done: "read", source })?;
    let read = |name: &String| serde_json::from_slice(&std::fs::read(folder.join(name)).ok()?).ok();
    Ok(names.iter().filter_map(read).collect())
}

/// Keeps a record, whole or not at all, and lets the oldest go. Only the holder of the lock can.
///
/// # Errors
/// [`RecordFailed`]; the others are as they were then.
pub fn keep(lock: &Lock, record: &Record) -> Result<(), RecordFailed> {
    let folder = runs(lock.folder());
    let path = folder.join(format!("{}.json", record.id));
    let effect = Effect::KeepRecord(path.clone());
    let written = around_now(lock.witness(), &effect, || write(&folder, &path, record));
    written.map_err(|source| RecordFailed { path, done: "written", source })
}

fn write(folder: &Path, path: &Path, record: &Record) -> std::io::Result<()> {
    Folder::ensure(folder)?;
    let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(folder)?;
    serde_json::to_writer(std::io::BufWriter::new(file.as_file_mut()), record)?;
    moment();
    file.persist(path).map_err(|error| error.error)?;
    let names = names(folder)?;
    for old in &names[..names.len().saturating_sub(KEPT)] {
        std::fs::remove_file(folder.join(old))?;
    }
    Ok(())
}

/// Removes what a run that was killed has left of its record. That it stays costs nobody anything.
pub(crate) fn clear(folder: &Path) {
    for entry in std::fs::read_dir(runs(folder)).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(NEW) {
            std::fs::remove_file(entry.path()).ok();
        }
    }
}

/// The names of the records' files, oldest first.
fn names(folder: &Path) -> std::io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.ends_with(".json")));
    }
    names.sort_unstable();
    Ok(names)
}

fn runs(folder: &Path) -> PathBuf {
    folder.join("runs")
}

#[cfg(test)]
pub(crate) mod tests;
