//! An account that may use the engine and nothing else: the least that cutover runs as.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Gid, Uid};

use super::error::{Doing as _, Result};
use super::run;

/// Where the engine of this machine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// A user that nobody else is, in the group that the engine's socket belongs to. It has no entry in `passwd`.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// A user of a random number.
    ///
    /// # Errors
    /// When there is no socket of an engine.
    pub fn new() -> Result<Self> {
        let gid = std::fs::metadata(SOCKET).doing(format!("look at {SOCKET}"))?.gid();
        let number = u32::from_str_radix(&run::random(), 16).unwrap_or_default();
        Ok(Self { uid: 2_000_000 + number % 1_000_000, gid })
    }

    /// The user's number.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// Has the command run as this user, in no other group: that needs root.
    pub fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives it a file, or a folder with all that is in it.
    ///
    /// # Errors
    /// When that is not ours to give.
    pub fn give(&self, path: &Path) -> Result<()> {
        let owner = (Some(Uid::from_raw(self.uid)), Some(Gid::from_raw(self.gid)));
        let given = rustix::fs::chown(path, owner.0, owner.1).map_err(std::io::Error::from);
        given.doing(format!("give away {}", path.display()))?;
        if path.is_dir() {
            for entry in std::fs::read_dir(path).doing(format!("read {}", path.display()))? {
                self.give(&entry.doing(format!("read {}", path.display()))?.path())?;
            }
        }
        Ok(())
    }
}
