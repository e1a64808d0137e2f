//! One deploy of an app at a time. The lock is the kernel's (`flock`), so it dies with its holder.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover_proxyconf::AppName;
use serde::{Deserialize, Serialize};

use crate::effect::{Effect, Told, around_now};
use crate::folder::Folder;
use crate::{history, record};

#[cfg(test)]
mod model;

#[cfg(test)]
pub(crate) use model::moment;

/// Another process may come between here: the model of the lock and the history has others go on.
#[cfg(not(test))]
pub(crate) const fn moment() {}

/// The lock's file in the app's folder.
const FILE: &str = "lock";

/// The kernel tells of all locks page by page, and one may be passed over where others go meanwhile: so often it is asked.
const LOOKS: usize = 3;

/// How long a run waits for an [`EdgeLock`].
const EDGE: Duration = Duration::from_secs(60);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Who ran it.
    pub who: String,
    /// The command.
    pub command: String,
    /// Since when, in RFC 3339.
    pub since: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` by {} (process {}) since {}", self.command, self.who, self.pid, self.since)
    }
}

/// The right to change an app, and the only way to its history. Given up when dropped. Its witness is told of both.
#[derive(Debug)]
pub struct Lock {
    file: File,
    folder: PathBuf,
    witness: Told,
}

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotLocked {
    /// Someone else holds it.
    #[error("another run holds the lock of this app: {}", .0.as_ref().map_or_else(|| "it has just begun".to_owned(), ToString::to_string))]
    Held(Option<Holder>),
    /// The lock's file cannot be used.
    #[error("the lock {} cannot be used", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// The folder of an app below the data folder.
#[must_use]
pub fn folder(data_dir: &Path, app: &AppName) -> PathBuf {
    data_dir.join(app.as_str())
}

/// How a lock is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nobody holds it.
    Free,
    /// Nobody does, and one who did was killed.
    Left(Holder),
    /// Somebody does; this one, where it has said so.
    By(Option<Holder>),
}

/// Looks at the lock of an app and does not touch it: what is locked the kernel tells (`/proc/locks`, see proc_locks(5)). One
/// that cannot be looked at is taken for free.
#[must_use]
pub fn observe(data_dir: &Path, app: &AppName) -> Held {
    let Ok(Some(folder)) = Folder::open(&folder(data_dir, app)) else { return Held::Free };
    let Ok(Some(mut file)) = folder.look(FILE) else { return Held::Free };
    let before = read_holder(&mut file);
    moment();
    let held = (0..LOOKS).any(|_| is_held(&file));
    moment();
    // Only words that stay are left: those of a run that ended meanwhile are gone by now, or another's.
    let after = read_holder(&mut file);
    match after {
        after if held => Held::By(after),
        Some(left) if before.as_ref() == Some(&left) => Held::Left(left),
        _ => Held::Free,
    }
}

/// Whether the kernel has a lock on the file, of which `1: FLOCK ADVISORY WRITE 4711 fd:01:131 0 EOF` tells in its sixth word.
fn is_held(file: &File) -> bool {
    let Some(name) = name_of(file) else { return false };
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.get(1) == Some(&"FLOCK") && words.get(5) == Some(&name.as_str())
    })
}

/// A file by its disk and its number, as the kernel has it among the locks. The disk is the mount's: some file systems tell
/// another of each of their files.
fn name_of(file: &File) -> Option<String> {
    let seen = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let mount = seen.lines().find_map(|line| line.strip_prefix("mnt_id:"))?.trim().to_owned();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mounted = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    let disk = mounted
        .filter(|words| words.first() == Some(&mount.as_str()))
        .find_map(|words| words.get(2).copied());
    let (major, minor) = disk?.split_once(':')?;
    let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
    Some(format!("{major:02x}:{minor:02x}:{}", file.metadata().ok()?.ino()))
}

impl Lock {
    /// Takes the lock of an app, at once or not at all.
    ///
    /// # Errors
    /// [`NotLocked::Held`] with the holder where one is known.
    pub fn take(data_dir: &Path, app: &AppName, holder: &Holder, witness: &Told) -> Result<Self, NotLocked> {
        let folder = folder(data_dir, app);
        let effect = Effect::TakeLock(folder.join(FILE));
        around_now(witness, &effect, || Self::take_by(File::try_lock, folder, holder, witness))
    }

    fn take_by(
        lock: impl FnOnce(&File) -> Result<(), TryLockError>,
        folder: PathBuf,
        holder: &Holder,
        witness: &Told,
    ) -> Result<Self, NotLocked> {
        let path = folder.join(FILE);
        let io = |source| NotLocked::Io { path: path.clone(), source };
        let opened =
            Folder::ensure(&folder).map_err(|source| NotLocked::Io { path: folder.clone(), source })?;
        let mut file = opened.ensure_file(FILE).map_err(io)?;
        moment();
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotLocked::Held(read_holder(&mut file))),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        moment();
        write_holder(&mut file, holder).map_err(io)?;
        // Not every run gets as far as to write the history again. That it stays costs nobody anything.
        opened.clear(history::FILE).ok();
        record::clear(&folder);
        Ok(Self { file, folder, witness: witness.clone() })
    }

    /// Takes the lock of an app, and waits for it where someone else holds it, of whom `told` is told. Who waits gets it in
    /// the order in which they came: of several releases the last is the one that stays.
    ///
    /// # Errors
    /// [`NotLocked::Io`].
    pub async fn wait(
        data_dir: &Path,
        app: &AppName,
        holder: &Holder,
        witness: &Told,
        told: impl FnOnce(Option<&Holder>),
    ) -> Result<Self, NotLocked> {
        match Self::take(data_dir, app, holder, witness) {
            Err(NotLocked::Held(other)) => told(other.as_ref()),
            taken => return taken,
        }
        let (folder, holder, witness) = (folder(data_dir, app), holder.clone(), witness.clone());
        let path = folder.join(FILE);
        // The order is the kernel's. Whoever gives up leaves the thread to wait until the process ends.
        let waiting = tokio::task::spawn_blocking(move || {
            let effect = Effect::TakeLock(folder.join(FILE));
            let lock = |file: &File| file.lock().map_err(TryLockError::Error);
            around_now(&witness, &effect, || Self::take_by(lock, folder, &holder, &witness))
        });
        let lost = |panicked| NotLocked::Io { path, source: std::io::Error::other(panicked) };
        waiting.await.unwrap_or_else(|panicked| Err(lost(panicked)))
    }

    /// The app's folder, where what is under the lock is kept.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who is told of what is done under it.
    #[must_use]
    pub fn witness(&self) -> &Told {
        &self.witness
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The words would outlive the lock. That they cannot be removed costs nobody anything.
        let effect = Effect::ClearLock(self.folder.join(FILE));
        around_now(&self.witness, &effect, || drop(self.file.set_len(0)));
        moment();
    }
}

/// The right to change what all apps of an nginx share: it checks and loads their configuration whole, so that one app's,
/// while it is being tried, could be the fault that another's is refused for. Given up when dropped.
#[derive(Debug)]
pub struct EdgeLock(#[expect(dead_code, reason = "it is held, and not read")] Option<File>);

impl EdgeLock {
    /// Waits for it among those that keep their locks in this folder, a minute at most: nobody's deploy fails of this.
    pub async fn wait(data_dir: &Path) -> Self {
        let folder = data_dir.to_owned();
        let waiting = tokio::task::spawn_blocking(move || {
            let folder = File::open(folder).ok()?;
            folder.lock().ok()?;
            Some(folder)
        });
        Self(tokio::time::timeout(EDGE, waiting).await.ok().and_then(Result::ok).flatten())
    }
}

fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    moment();
    file.rewind()?;
    file.write_all(&serde_json::to_vec(holder)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::effect::nobody;

    fn holder(command: &str) -> Holder {
        Holder { pid: 7, who: "ann".into(), command: command.into(), since: "2026-01-01T00:00:00Z".into() }
    }

    #[test]
    fn the_second_is_told_who_holds_the_lock_and_gets_it_once_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let app = "web".parse().unwrap();
        let first = Lock::take(folder.path(), &app, &holder("deploy"), &nobody()).unwrap();
        match Lock::take(folder.path(), &app, &holder("rollback"), &nobody()) {
            Err(NotLocked::Held(Some(other))) => assert_eq!(other, holder("deploy")),
            other => panic!("{other:?}"),
        }
        let other_app = "api".parse().unwrap();
        assert!(Lock::take(folder.path(), &other_app, &holder("deploy"), &nobody()).is_ok());
        drop(first);
        assert!(Lock::take(folder.path(), &app, &holder("rollback"), &nobody()).is_ok());
    }

    #[test]
    fn a_lock_is_looked_at_without_being_taken() {
        let folder = tempfile::tempdir().unwrap();
        let app = "web".parse().unwrap();
        assert_eq!(observe(folder.path(), &app), Held::Free);
        assert!(!folder.path().join("web").exists());
        let lock = Lock::take(folder.path(), &app, &holder("deploy"), &nobody()).unwrap();
        assert_eq!(observe(folder.path(), &app), Held::By(Some(holder("deploy"))));
        drop(lock);
        assert_eq!(observe(folder.path(), &app), Held::Free);
        // A run that is killed does not take its words along.
        std::fs::write(folder.path().join("web/lock"), serde_json::to_vec(&holder("ship")).unwrap()).unwrap();
        assert_eq!(observe(folder.path(), &app), Held::Left(holder("ship")));
        assert!(Lock::take(folder.path(), &app, &holder("deploy"), &nobody()).is_ok());
    }

    #[test]
    fn a_lock_of_a_file_on_another_disk_is_not_this_ones() {
        let locked = tempfile::NamedTempFile::new().unwrap();
        locked.as_file().lock().unwrap();
        assert!(is_held(locked.as_file()));
        let (here, elsewhere) = (name_of(locked.as_file()).unwrap(), File::open("/proc/self/stat").unwrap());
        let disk = |name: String| name.rsplit_once(':').map(|(disk, _)| disk.to_owned());
        assert_ne!(disk(here), disk(name_of(&elsewhere).unwrap()));
    }

    #[test]
    fn a_link_in_the_locks_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::fs::create_dir(folder.path().join("web")).unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("web/lock")).unwrap();
        let app = "web".parse().unwrap();
        assert!(matches!(
            Lock::take(folder.path(), &app, &holder("deploy"), &nobody()),
            Err(NotLocked::Io { .. })
        ));
        assert!(!target.exists());
    }
}
