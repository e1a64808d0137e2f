//! Files of this machine: written whole or not at all, and still there after a power cut.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

/// What the master process reads, and the workers' user may.
const FILE_MODE: u32 = 0o644;
/// What the workers' user can search.
const DIR_MODE: u32 = 0o755;

/// The text of a file; `None` when it is absent.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    absent_is(fs::read_to_string(path).map(Some), None)
}

/// Writes a file beside its place, then renames it there.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let parent = parent(path)?;
    make_dirs(parent)?;
    let mode = fs::Permissions::from_mode(FILE_MODE);
    // The name begins with a dot: `include conf.d/*` passes over it. It is the same each time: what a write that was
    // killed left behind goes with the next, and only one run at a time writes an app's files.
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".cutover-new");
    absent_is(fs::remove_file(parent.join(&name)), ())?;
    let mut file = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_dir(parent)
}

/// Removes a file; one that is absent is fine.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_dir(parent(path)?),
    }
}

/// Whether a file is there, as nginx's `-f` sees it.
pub(crate) fn is_file(path: &Path) -> io::Result<bool> {
    absent_is(fs::metadata(path).map(|found| found.is_file()), false)
}

/// Makes an empty file that nginx's workers can see.
pub(crate) fn touch(path: &Path) -> io::Result<()> {
    let parent = parent(path)?;
    make_dirs(parent)?;
    match fs::File::create_new(path) {
        Ok(_) => sync_dir(parent),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_file(path)? => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the directories that are missing, so that nginx's workers can search them whatever the umask is.
fn make_dirs(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        make_dirs(parent)?;
    }
    match fs::DirBuilder::new().mode(DIR_MODE).create(dir) {
        Ok(()) => fs::set_permissions(dir, fs::Permissions::from_mode(DIR_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no parent"))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

fn absent_is<T>(result: io::Result<T>, absent: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(absent),
        other => other,
    }
}
