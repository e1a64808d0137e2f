//! An app's own folder: its lock and its history, which only this user writes.
//!
//! Whoever may write in the folder above could plant a link, for us to read or change a file that only we may. So neither
//! the folder nor a file in it is reached through a link; where one stands, it is told.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use crate::lock::moment;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, renameat, statat, unlinkat};

/// What nginx's workers can search: the marker stands in the same folder.
const SEARCHED: u32 = 0o755;

/// A folder that was opened, and stays the same one wherever its path leads by now.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder; `None` when it is absent.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from) {
            Ok(folder) => Ok(Some(Self(folder))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) if std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) => Err(linked()),
            Err(error) => Err(error),
        }
    }

    /// Opens the folder, and makes it where it is absent, with those above it.
    pub(crate) fn ensure(path: &Path) -> io::Result<Self> {
        if let Some(folder) = Self::open(path)? {
            return Ok(folder);
        }
        if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty() && !above.is_dir()) {
            Self::ensure(above)?;
        }
        match DirBuilder::new().mode(SEARCHED).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            made => {
                let folder = Self::open(path)?.ok_or(io::ErrorKind::NotFound)?;
                // Whatever the umask is.
                if made.is_ok() {
                    File::from(folder.0.try_clone()?).set_permissions(Permissions::from_mode(SEARCHED))?;
                }
                Ok(folder)
            }
        }
    }

    /// The text of a file; `None` when it is absent.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<String>> {
        // A pipe that was planted there would be waited for: so not to block.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Some(mut file) = self.file(name, flags)? else { return Ok(None) };
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Opens a file for looking at it, without reading; `None` when it is absent.
    pub(crate) fn look(&self, name: &str) -> io::Result<Option<File>> {
        self.file(name, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC)
    }

    /// Opens a file for reading and writing, and makes it where it is absent.
    pub(crate) fn ensure_file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.file(name, flags)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Writes a file whole or not at all. Of two who do so at once, one fails.
    pub(crate) fn replace(&self, name: &str, text: &[u8]) -> io::Result<()> {
        let new = new_name(name);
        for name in [name, &new] {
            if self.is_linked(name) {
                return Err(linked());
            }
        }
        self.clear(name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mut file = File::from(openat(&self.0, &new, flags, owners())?);
        let written = file.write_all(text).and_then(|()| file.sync_all());
        moment();
        let written = written.and_then(|()| Ok(renameat(&self.0, &new, &self.0, name)?));
        if let Err(error) = written {
            // A full disk has more room without it. Why it failed is what is told.
            unlinkat(&self.0, &new, AtFlags::empty()).ok();
            return Err(error);
        }
        File::from(self.0.try_clone()?).sync_all()
    }

    /// Removes what a write of the file that was killed has left.
    pub(crate) fn clear(&self, name: &str) -> io::Result<()> {
        match unlinkat(&self.0, new_name(name), AtFlags::empty()) {
            Err(error) if error != rustix::io::Errno::NOENT => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn file(&self, name: &str, flags: OFlags) -> io::Result<Option<File>> {
        match openat(&self.0, name, flags, owners()) {
            Ok(file) => Ok(Some(file.into())),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(_) if self.is_linked(name) => Err(linked()),
            Err(error) => Err(error.into()),
        }
    }

    fn is_linked(&self, name: &str) -> bool {
        let found = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink)
    }
}

/// A file while it is written. The same name each time, so that what was left of one that was killed is found.
fn new_name(name: &str) -> String {
    format!(".{name}.cutover-new")
}

/// A file that its owner reads and writes, and nobody else.
fn owners() -> Mode {
    Mode::RUSR | Mode::WUSR
}

fn linked() -> io::Error {
    io::Error::other("a symbolic link stands there and is not followed; remove it")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn assert_told<T: std::fmt::Debug>(done: io::Result<T>) {
        let error = done.unwrap_err();
        assert!(error.to_string().contains("a symbolic link stands there"), "{error}");
    }

    #[test]
    fn no_link_is_followed_in_the_place_of_a_file_or_of_the_folder() {
        let place = tempfile::tempdir().unwrap();
        let (own, target) = (place.path().join("web"), place.path().join("target"));
        std::fs::write(&target, "theirs").unwrap();
        let folder = Folder::ensure(&own).unwrap();
        for name in ["history.jsonl", ".history.jsonl.cutover-new"] {
            symlink(&target, own.join(name)).unwrap();
            assert_told(folder.replace("history.jsonl", b"ours"));
            assert_told(folder.read(name));
            assert_told(folder.ensure_file(name));
            std::fs::remove_file(own.join(name)).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "theirs");
        folder.replace("history.jsonl", b"ours").unwrap();
        assert_eq!(folder.read("history.jsonl").unwrap().as_deref(), Some("ours"));

        symlink(&own, place.path().join("api")).unwrap();
        assert_told(Folder::open(&place.path().join("api")));
        assert_told(Folder::ensure(&place.path().join("api")));
        symlink(place.path().join("nowhere"), place.path().join("app")).unwrap();
        assert_told(Folder::ensure(&place.path().join("app")));
    }

    #[test]
    fn what_a_killed_write_left_behind_goes_with_the_next() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::ensure(place.path()).unwrap();
        std::fs::write(place.path().join(".history.jsonl.cutover-new"), "torn").unwrap();
        folder.replace("history.jsonl", b"whole").unwrap();
        let names: Vec<_> =
            std::fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["history.jsonl"]);
    }
}
