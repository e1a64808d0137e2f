//! Files of this machine: written whole or not at all, and still there after a power cut.
//!
//! Whoever may write in these folders could plant a link there, for us to read or change a file that only we may. So no
//! link is followed in the place of a file that is ours, nor of an app's own folder; it is told.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, Uid};

use crate::Worker;

/// What the master process reads, and the workers' user may.
const FILE_MODE: u32 = 0o644;
/// What the workers' user can search.
const DIR_MODE: u32 = 0o755;
/// Of a socket that only its owner may send to, or everyone.
const OWNERS_MODE: u32 = 0o600;
const EVERYONES_MODE: u32 = 0o666;

/// The text of a file; `None` when it is absent.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    // A pipe that was planted there would be waited for: so not to block.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
    let Some(mut file) = absent_is(opened.map(Some), None).map_err(|error| told(path, error))? else {
        return Ok(None);
    };
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Some(text))
}

/// The text of a file that is not ours, and may stand behind a link; `None` when it is absent.
pub(crate) fn read_foreign(path: &Path) -> io::Result<Option<String>> {
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
    let new = parent.join(&name);
    not_linked(path)?;
    not_linked(&new)?;
    absent_is(fs::remove_file(new), ())?;
    let mut file = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempfile_in(parent)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(mode)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_dir(parent)
}

/// Removes a file; one that is absent is fine. A link is removed, and what it leads to is not touched.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        // A disk that is read-only is told before it is looked whether the file is there.
        Err(error) => match fs::symlink_metadata(path) {
            Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        },
        Ok(()) => sync_dir(parent(path)?),
    }
}

/// Whether the marker is there.
pub(crate) fn is_marked(path: &Path) -> io::Result<bool> {
    let Some(folder) = absent_is(open_folder(parent(path)?).map(Some), None)? else { return Ok(false) };
    let found = rustix::fs::statat(&folder, name(path), AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from);
    let Some(found) = absent_is(found.map(Some), None)? else { return Ok(false) };
    match FileType::from_raw_mode(found.st_mode) {
        FileType::Symlink => Err(linked()),
        kind => Ok(kind == FileType::RegularFile),
    }
}

/// Makes the marker: an empty file that nginx's workers can see.
pub(crate) fn mark(path: &Path) -> io::Result<()> {
    let parent = parent(path)?;
    make_dirs(parent)?;
    let folder = open_folder(parent)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let made = rustix::fs::openat(&folder, name(path), flags, Mode::from_raw_mode(FILE_MODE));
    match made.map_err(io::Error::from) {
        Ok(_) => File::from(folder).sync_all(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_marked(path)? => Ok(()),
        Err(error) => Err(error),
    }
}

/// Unlinks the marker; one that is absent is fine.
pub(crate) fn unmark(path: &Path) -> io::Result<()> {
    let Some(folder) = absent_is(open_folder(parent(path)?).map(Some), None)? else { return Ok(()) };
    absent_is(rustix::fs::unlinkat(&folder, name(path), AtFlags::empty()).map_err(io::Error::from), ())?;
    File::from(folder).sync_all()
}

/// The names of what stands in a folder of markers, but folders; none where there is no such folder.
pub(crate) fn markers(dir: &Path) -> io::Result<Vec<String>> {
    let Some(folder) = absent_is(open_folder(dir).map(Some), None)? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(folder)? {
        let entry = entry?;
        if entry.file_type() != FileType::Directory {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

/// Binds a socket of datagrams in the place of one that is there, for the worker's user alone where it can be given to it.
pub(crate) fn bind(path: &Path, worker: Option<&Worker>) -> io::Result<UnixDatagram> {
    let parent = parent(path)?;
    make_dirs(parent)?;
    let folder = open_folder(parent)?;
    not_linked(path)?;
    absent_is(rustix::fs::unlinkat(&folder, name(path), AtFlags::empty()).map_err(io::Error::from), ())?;
    // The path as this machine knows it may be longer than an address can be; that of the open folder is not.
    let socket = UnixDatagram::bind(by_descriptor(&folder).join(name(path)))?;
    socket.set_nonblocking(true)?;
    let made = rustix::fs::openat(
        &folder,
        name(path),
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let set = |mode| fs::set_permissions(by_descriptor(&made), fs::Permissions::from_mode(mode));
    set(OWNERS_MODE)?;
    let given = worker.is_some_and(|worker| {
        let (user, group) = (Uid::from_raw(worker.uid), Gid::from_raw(worker.gid));
        rustix::process::geteuid() == user
            || rustix::fs::chownat(&made, "", Some(user), Some(group), AtFlags::EMPTY_PATH).is_ok()
    });
    if !given {
        set(EVERYONES_MODE)?;
    }
    Ok(socket)
}

/// The path that leads to what is open, whatever stands at its name by now.
fn by_descriptor(open: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", open.as_raw_fd()).into()
}

/// Makes the directories that are missing, so that nginx's workers can search them whatever the umask is.
fn make_dirs(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    not_linked(dir)?;
    if let Some(parent) = dir.parent() {
        make_dirs(parent)?;
    }
    match fs::DirBuilder::new().mode(DIR_MODE).create(dir) {
        Ok(()) => File::from(open_folder(dir)?).set_permissions(fs::Permissions::from_mode(DIR_MODE)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens a folder that is to be one itself, not a link to one.
fn open_folder(dir: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(dir, flags, Mode::empty()).map_err(|error| told(dir, error.into()))
}

fn not_linked(path: &Path) -> io::Result<()> {
    let found = absent_is(fs::symlink_metadata(path).map(Some), None)?;
    if found.is_some_and(|found| found.is_symlink()) { Err(linked()) } else { Ok(()) }
}

/// The error of opening a path, in plain words where a link is why.
fn told(path: &Path, error: io::Error) -> io::Error {
    not_linked(path).err().unwrap_or(error)
}

fn linked() -> io::Error {
    io::Error::other("a symbolic link stands there and is not followed; remove it")
}

fn name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}

fn parent(path: &Path) -> io::Result<&Path> {
    path.parent().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path has no parent"))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn absent_is<T>(result: io::Result<T>, absent: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(absent),
        other => other,
    }
}

#[cfg(test)]
mod tests;
