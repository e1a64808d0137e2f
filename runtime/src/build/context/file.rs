//! A file that must stay as it is while it is read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::BuildError;

/// A file's contents: as many bytes as were told, or an error.
#[derive(Debug)]
pub(crate) struct Steady {
    file: File,
    path: PathBuf,
    seen: Metadata,
    left: u64,
}

impl Steady {
    /// Opens it, as it was seen before.
    pub(crate) fn open(path: &Path, seen: &Metadata) -> Result<Self, BuildError> {
        let fault = |why, source| BuildError::File { path: path.to_owned(), why, source };
        let file = File::open(path).map_err(|e| {
            let gone = e.kind() == io::ErrorKind::NotFound;
            fault(if gone { "vanished while the context was sent" } else { "cannot be read" }, Some(e))
        })?;
        let steady = Self { file, path: path.to_owned(), seen: seen.clone(), left: seen.len() };
        steady.check()?;
        Ok(steady)
    }

    /// The next bytes, none at the end. The file is the same as before then.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, BuildError> {
        if self.left == 0 {
            self.check()?;
            return Ok(0);
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let read = loop {
            match self.file.read(&mut buffer[..most]) {
                Ok(read) => break read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.fault("cannot be read", Some(e))),
            }
        };
        if read == 0 {
            return Err(self.changed());
        }
        self.left -= read as u64;
        Ok(read)
    }

    fn check(&self) -> Result<(), BuildError> {
        let now = self.file.metadata().map_err(|e| self.fault("cannot be read", Some(e)))?;
        let mark = |of: &Metadata| (of.dev(), of.ino(), of.len(), of.mtime(), of.mtime_nsec());
        if mark(&now) == mark(&self.seen) { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> BuildError {
        self.fault("changed while the context was sent", None)
    }

    fn fault(&self, why: &'static str, source: Option<io::Error>) -> BuildError {
        BuildError::File { path: self.path.clone(), why, source }
    }
}
