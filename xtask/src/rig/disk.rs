//! A small disk of a test's own, which can be filled and be made read-only: a tmpfs, for which one must be root.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{Doing as _, Result};
use super::process;

/// Where the disk's room goes.
const FILLER: &str = ".filler";

/// A disk that lies over a directory. It is gone on drop, with what was written to it.
#[derive(Debug)]
pub struct Disk {
    over: PathBuf,
}

impl Disk {
    /// Lays an empty disk of so many KiB over a directory, searchable by all.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn over(directory: &Path, kib: u32) -> Result<Self> {
        let options = format!("size={kib}k,mode=0755");
        process::output(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(directory))?;
        Ok(Self { over: directory.to_owned() })
    }

    /// Where it lies.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.over
    }

    /// Lets nobody write to it, root neither; or everybody again.
    ///
    /// # Errors
    /// When the system does not let us.
    pub fn read_only(&self, read_only: bool) -> Result<()> {
        let option = if read_only { "remount,ro" } else { "remount,rw" };
        process::output(Command::new("mount").args(["-o", option]).arg(&self.over)).map(drop)
    }

    /// Leaves no room on it.
    ///
    /// # Errors
    /// When the file that takes the room cannot be made.
    pub fn fill(&self) -> Result<()> {
        let path = self.over.join(FILLER);
        let mut file = File::create(&path).doing(format!("create {}", path.display()))?;
        while file.write_all(&[0; 1024]).is_ok() {}
        Ok(())
    }

    /// Has its room back.
    ///
    /// # Errors
    /// When what took it is not there.
    pub fn clear(&self) -> Result<()> {
        let path = self.over.join(FILLER);
        fs::remove_file(&path).doing(format!("remove {}", path.display()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Who has a file of it open keeps only that. That it is gone already is as well.
        drop(process::output(Command::new("umount").arg("-l").arg(&self.over)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_takes_nothing_when_full_or_read_only_and_is_gone_on_drop() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        let disk = Disk::over(place.path(), 64).unwrap();
        disk.fill().unwrap();
        assert!(fs::write(&file, "text").is_err());
        disk.clear().unwrap();
        fs::write(&file, "text").unwrap();
        disk.read_only(true).unwrap();
        assert!(fs::write(&file, "other").is_err());
        drop(disk);
        assert!(!file.exists());
    }
}
