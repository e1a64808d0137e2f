//! What was deployed when, by whom: one JSON line a run, for people. Nothing decides by it what is live.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::effect::{Effect, around_now};
use crate::folder::Folder;
use crate::guard::Guarded;
use crate::lock::{Lock, moment};
use crate::probe::Figures;

/// The history's file.
pub(crate) const FILE: &str = "history.jsonl";

/// So many runs are kept.
const KEPT: usize = 1_000;

/// One run of a command that changes an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it ended, in RFC 3339.
    pub time: String,
    /// The command: `deploy`, `backup`, `rollback`, `promote` or `abort`.
    pub command: String,
    /// Who ran it, and where.
    pub who: String,
    /// The outcome's name, as in `--json`.
    pub outcome: String,
    /// The release, by its id.
    pub release: Option<String>,
    /// The image it was asked for by.
    pub image: Option<String>,
    /// The image's digest.
    pub digest: Option<String>,
    /// The digest that was live before.
    pub previous: Option<String>,
    /// The slot that was live before.
    pub from: Option<String>,
    /// The slot that is live now.
    pub live: Option<String>,
    /// How long each phase took, in seconds.
    pub phases: BTreeMap<String, f64>,
    /// How the requests of `--probe` were answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Figures>,
    /// How the requests of the clients were answered while the release was watched, where nginx told of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guarded>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why the history could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the history {} cannot be {done}", .path.display())]
pub struct HistoryFailed {
    path: PathBuf,
    done: &'static str,
    source: std::io::Error,
}

/// The entries of an app, oldest first. Lines that are no entry are passed over.
///
/// # Errors
/// [`HistoryFailed`]; a history that is not there is an empty one.
pub fn read(folder: &Path) -> Result<Vec<Entry>, HistoryFailed> {
    let read = Folder::open(folder).and_then(|opened| opened.map_or(Ok(None), |opened| opened.read(FILE)));
    match read {
        Ok(text) => {
            let text = text.unwrap_or_default();
            Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
        }
        Err(source) => Err(HistoryFailed { path: folder.join(FILE), done: "read", source }),
    }
}

/// Adds an entry, whole or not at all. Only the holder of the lock can.
///
/// # Errors
/// [`HistoryFailed`]; the history is as it was then.
pub fn add(lock: &Lock, entry: &Entry) -> Result<(), HistoryFailed> {
    let path = lock.folder().join(FILE);
    let effect = Effect::AddHistory(path.clone());
    let written = around_now(lock.witness(), &effect, || write(lock.folder(), entry));
    written.map_err(|source| HistoryFailed { path, done: "written", source })
}

fn write(folder: &Path, entry: &Entry) -> std::io::Result<()> {
    let folder = Folder::ensure(folder)?;
    let old = folder.read(FILE)?.unwrap_or_default();
    moment();
    let lines: Vec<&str> = old.lines().collect();
    let mut text = lines[lines.len().saturating_sub(KEPT - 1)..].join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&serde_json::to_string(entry)?);
    text.push('\n');
    folder.replace(FILE, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::Holder;

    fn entry(number: usize) -> Entry {
        Entry {
            time: "2026-01-01T00:00:00Z".into(),
            command: "deploy".into(),
            who: "ann@host".into(),
            outcome: "deployed".into(),
            release: Some(number.to_string()),
            image: None,
            digest: None,
            previous: None,
            from: None,
            live: Some("blue".into()),
            phases: BTreeMap::from([("gate".into(), 0.5)]),
            probe: None,
            guard: None,
            reason: None,
        }
    }

    #[test]
    fn entries_come_back_in_order_and_the_oldest_go() {
        let folder = tempfile::tempdir().unwrap();
        let app = "web".parse().unwrap();
        let holder = Holder { pid: 1, who: String::new(), command: String::new(), since: String::new() };
        let lock = Lock::take(folder.path(), &app, &holder, &crate::effect::nobody()).unwrap();
        assert_eq!(read(lock.folder()).unwrap(), []);
        std::fs::write(lock.folder().join(FILE), format!("{}torn", "{}\n".repeat(KEPT))).unwrap();
        for number in 0..3 {
            add(&lock, &entry(number)).unwrap();
        }
        assert_eq!(read(lock.folder()).unwrap(), [entry(0), entry(1), entry(2)]);
        assert_eq!(std::fs::read_to_string(lock.folder().join(FILE)).unwrap().lines().count(), KEPT);
    }

    #[test]
    fn what_a_killed_run_left_of_the_history_goes_with_the_next_lock() {
        let folder = tempfile::tempdir().unwrap();
        let app = "web".parse().unwrap();
        let holder = Holder { pid: 1, who: String::new(), command: String::new(), since: String::new() };
        let left = folder.path().join("web/.history.jsonl.cutover-new");
        std::fs::create_dir(folder.path().join("web")).unwrap();
        std::fs::write(&left, "torn").unwrap();
        drop(Lock::take(folder.path(), &app, &holder, &crate::effect::nobody()).unwrap());
        assert!(!left.exists());
    }
}
