//! The folder to build from: what of it goes to the builder, and in which order.

mod archive;
mod file;
mod only;

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub(super) use self::archive::archive;
pub(super) use self::file::Steady;
use self::only::Only;
use super::ignore::{Ignore, Verdicts};
use super::{BuildError, BuildSpec};

/// The name of the file that says what is left out.
pub(super) const IGNORE: &str = ".dockerignore";

/// A folder to build from, looked at as far as can be before its files are walked.
#[derive(Debug)]
pub(super) struct Context {
    folder: PathBuf,
    dockerfile: Dockerfile,
    ignore: Ignore,
    /// No file is told to be newer, in seconds since 1970.
    newest: Option<u64>,
}

/// Where the Dockerfile is.
#[derive(Debug)]
pub(super) struct Dockerfile {
    pub(super) path: PathBuf,
    /// Its path from the context's root with `/`, if it is in there.
    pub(super) inside: Option<String>,
}

/// One file, folder or link of a context.
#[derive(Debug)]
pub(super) struct Entry {
    /// From the context's root, `/` between its parts.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// The permissions, setuid, setgid and sticky included.
    pub(super) mode: u32,
    /// Seconds since 1970, and nanoseconds of the next one.
    pub(super) modified: (i64, u32),
    pub(super) metadata: Metadata,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File { size: u64 },
    Symlink { target: String },
}

/// Why the sending of a context ended early.
#[derive(Debug)]
pub(super) enum Stop {
    /// The context is at fault.
    Fault(BuildError),
    /// The builder takes no more, and will say itself why.
    HungUp,
}

impl From<BuildError> for Stop {
    fn from(fault: BuildError) -> Self {
        Self::Fault(fault)
    }
}

/// Who is told what a walk finds. An error ends the walk.
pub(super) trait Visitor {
    fn entry(&mut self, entry: Entry) -> Result<(), Stop>;
    fn skipped(&mut self, path: PathBuf, what: &'static str);
}

impl Context {
    /// Finds the Dockerfile and reads what is left out. It blocks.
    pub(super) fn open(spec: &BuildSpec) -> Result<Self, BuildError> {
        let bad = |why, source| BuildError::Context { path: spec.context.clone(), why, source };
        let folder = fs::canonicalize(&spec.context).map_err(|e| bad("cannot be found", Some(e)))?;
        if !folder.is_dir() {
            return Err(bad("is not a folder", None));
        }
        let dockerfile = Dockerfile::find(&folder, &spec.dockerfile)?;
        let ignore = read_ignore(&folder, &dockerfile.path)?;
        Ok(Self { folder, dockerfile, ignore, newest: spec.source_date_epoch })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn dockerfile(&self) -> &Dockerfile {
        &self.dockerfile
    }

    /// What goes to the builder, folders before what is in them, by name within a folder. It is no more than what
    /// the paths in `only` name, where it can be told beforehand what that is; none name everything.
    pub(super) fn walk(&self, only: &[String], visitor: &mut dyn Visitor) -> Result<(), Stop> {
        self.walk_with(&self.ignore, only::narrowed(&self.folder, only), visitor)
    }

    fn walk_with(&self, ignore: &Ignore, only: Only, visitor: &mut dyn Visitor) -> Result<(), Stop> {
        let mut walk = Walk { context: self, ignore, only, pending: Vec::new(), visitor };
        walk.directory(&self.folder, "", &ignore.root())
    }

    /// The Dockerfile alone, under its own name.
    pub(super) fn dockerfile_entry(&self) -> Result<Entry, BuildError> {
        let path = &self.dockerfile.path;
        let unreadable =
            |e| BuildError::Dockerfile { path: path.clone(), why: "cannot be read", source: Some(e) };
        let metadata = fs::metadata(path).map_err(unreadable)?;
        let name = self.dockerfile.name()?;
        Ok(self.described(name, path.clone(), Kind::File { size: metadata.len() }, metadata))
    }

    fn described(&self, name: String, path: PathBuf, kind: Kind, metadata: Metadata) -> Entry {
        let modified = (metadata.mtime(), u32::try_from(metadata.mtime_nsec()).unwrap_or_default());
        let newest = self.newest.map(|newest| (i64::try_from(newest).unwrap_or(i64::MAX), 0));
        let modified = newest.map_or(modified, |newest| modified.min(newest));
        // Links have no permissions of their own; systems differ in what they say they have.
        let mode = if matches!(kind, Kind::Symlink { .. }) { 0o777 } else { metadata.mode() & 0o7777 };
        Entry { name, path, kind, mode, modified, metadata }
    }
}

impl Dockerfile {
    fn find(folder: &Path, given: &Path) -> Result<Self, BuildError> {
        let bad = |why, source| BuildError::Dockerfile { path: folder.join(given), why, source };
        let found = fs::metadata(folder.join(given)).map_err(|e| bad("cannot be found", Some(e)))?;
        if !found.is_file() {
            return Err(bad("is not a file", None));
        }
        // Its folder is resolved, the file itself not: a link to another file is in the context as a link.
        let joined = folder.join(given);
        let (Some(parent), Some(name)) = (joined.parent(), joined.file_name()) else {
            return Err(bad("is not a file", None));
        };
        let parent = fs::canonicalize(parent).map_err(|e| bad("cannot be found", Some(e)))?;
        let path = parent.join(name);
        let inside = path.strip_prefix(folder).ok().map(|inside| {
            inside.to_str().map(str::to_owned).ok_or_else(|| bad("has a name that is not UTF-8", None))
        });
        Ok(Self { inside: inside.transpose()?, path })
    }

    pub(super) fn name(&self) -> Result<String, BuildError> {
        let name = self.path.file_name().and_then(|name| name.to_str());
        name.map(str::to_owned).ok_or_else(|| BuildError::Dockerfile {
            path: self.path.clone(),
            why: "has a name that is not UTF-8",
            source: None,
        })
    }
}

/// The ignore file beside the Dockerfile wins over the context's own.
fn read_ignore(folder: &Path, dockerfile: &Path) -> Result<Ignore, BuildError> {
    let mut beside = dockerfile.as_os_str().to_owned();
    beside.push(IGNORE);
    for path in [PathBuf::from(beside), folder.join(IGNORE)] {
        let text = match fs::read(&path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(BuildError::File { path, why: "cannot be read", source: Some(e) }),
        };
        return Ignore::parse(&text).map_err(|bad| BuildError::Ignore {
            path,
            line: bad.line,
            pattern: bad.pattern,
            why: bad.why,
        });
    }
    Ok(Ignore::default())
}

struct Walk<'a> {
    context: &'a Context,
    ignore: &'a Ignore,
    only: Only,
    /// Folders that are left out, but may hold an exception: told when one is found.
    pending: Vec<Entry>,
    visitor: &'a mut dyn Visitor,
}

impl Walk<'_> {
    fn directory(&mut self, path: &Path, name: &str, verdicts: &Verdicts) -> Result<(), Stop> {
        let unreadable = |e| file(path, "cannot be read", Some(e));
        let mut found = Vec::new();
        for entry in fs::read_dir(path).map_err(unreadable)? {
            found.push(entry.map_err(unreadable)?.file_name());
        }
        found.sort_unstable();
        for child in found {
            let path = path.join(&child);
            // A name that is not UTF-8 can match no pattern but one that leaves out everything of its kind.
            let lossy = child.to_string_lossy();
            let full = if name.is_empty() { lossy.clone().into_owned() } else { format!("{name}/{lossy}") };
            if !self.only.takes(&full) {
                continue;
            }
            let (excluded, verdicts) = self.ignore.judge(&full, verdicts);
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(_) if excluded => continue,
                Err(e) => return Err(file(&path, "vanished while the context was sent", Some(e)).into()),
            };
            if excluded && !(metadata.is_dir() && self.ignore.has_exception_in(&full)) {
                continue;
            }
            if child.to_str().is_none() {
                return Err(file(&path, "has a name that is not UTF-8", None).into());
            }
            let is_directory = metadata.is_dir();
            let Some(kind) = kind(&path, &metadata)? else {
                self.visitor.skipped(path, special(&metadata));
                continue;
            };
            let entry = self.context.described(full.clone(), path.clone(), kind, metadata);
            let depth = self.pending.len();
            if excluded {
                self.pending.push(entry);
            } else {
                for folder in self.pending.drain(..) {
                    self.visitor.entry(folder)?;
                }
                self.visitor.entry(entry)?;
            }
            if is_directory {
                self.directory(&path, &full, &verdicts)?;
            }
            self.pending.truncate(depth);
        }
        Ok(())
    }
}

/// What it is; `None` when it is nothing that an image can be made from.
fn kind(path: &Path, metadata: &Metadata) -> Result<Option<Kind>, BuildError> {
    let found = metadata.file_type();
    if found.is_dir() {
        return Ok(Some(Kind::Directory));
    }
    if found.is_file() {
        return Ok(Some(Kind::File { size: metadata.len() }));
    }
    if !found.is_symlink() {
        return Ok(None);
    }
    let target =
        fs::read_link(path).map_err(|e| file(path, "vanished while the context was sent", Some(e)))?;
    match target.into_os_string().into_string() {
        Ok(target) => Ok(Some(Kind::Symlink { target })),
        Err(_) => Err(file(path, "is a link to a name that is not UTF-8", None)),
    }
}

fn special(metadata: &Metadata) -> &'static str {
    let found = metadata.file_type();
    if found.is_socket() {
        "a socket"
    } else if found.is_fifo() {
        "a pipe"
    } else {
        "a device"
    }
}

fn file(path: &Path, why: &'static str, source: Option<std::io::Error>) -> BuildError {
    BuildError::File { path: path.to_owned(), why, source }
}

#[cfg(test)]
mod tests;
