//! A blob that is not whole yet, on disk: `.partial-sha256-<hex>` in the layout's directory.
//!
//! Its name says which blob it will be, so that a pull that was killed is taken up by the next. Whoever writes it holds
//! its lock (`flock`), which the system gives back however the writer ends. Everything here blocks.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::digest::Hasher;
use crate::{Descriptor, Digest, Error, Result};

/// What the names of files begin with that are not whole yet.
pub(crate) const PREFIX: &str = ".partial-";
const BUFFER: usize = 256 * 1024;

/// A partial blob that is ours to write.
pub(crate) struct Partial {
    file: File,
    path: PathBuf,
    target: PathBuf,
    digest: Digest,
    hasher: Hasher,
    length: u64,
}

impl Partial {
    /// Takes up the partial that is there, or begins one; nothing while another holds it.
    ///
    /// What is there is hashed. Once it is ours, `target` may be there already: the one who held it may have finished.
    pub(crate) fn claim(root: &Path, target: &Path, blob: &Descriptor) -> Result<Option<Self>> {
        let path = path_of(root, &blob.digest);
        loop {
            let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = opened.map_err(Error::io(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(Error::io(path)(error)),
            }
            // Whoever held it may have given the file its name or removed it: then the lock is on nobody's file.
            if is_at(&file, &path).map_err(Error::io(&path))? {
                let mut partial = Self {
                    file,
                    path,
                    target: target.to_owned(),
                    digest: blob.digest.clone(),
                    hasher: Hasher::new(blob.digest.algorithm()),
                    length: 0,
                };
                partial.read(blob.size)?;
                return Ok(Some(partial));
            }
        }
    }

    /// How long it is, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes).map_err(Error::io(&self.path))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Empties it.
    pub(crate) fn begin_again(&mut self) -> Result<()> {
        self.hasher = Hasher::new(self.digest.algorithm());
        self.length = 0;
        self.file.set_len(0).and_then(|()| self.file.rewind()).map_err(Error::io(&self.path))
    }

    /// Whether it is what its digest says.
    pub(crate) fn verify(&self) -> Result<()> {
        self.digest.expect(self.hasher.clone().finish())
    }

    /// Gives it its name, verified and on the disk: not even a power cut leaves the name on other bytes.
    pub(crate) fn keep(self) -> Result<()> {
        self.verify()?;
        self.file.sync_all().map_err(Error::io(&self.path))?;
        let directory = self.target.parent().unwrap_or(&self.target);
        std::fs::create_dir_all(directory).map_err(Error::io(directory))?;
        std::fs::rename(&self.path, &self.target).map_err(Error::io(&self.target))
    }

    pub(crate) fn discard(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(Error::io(&self.path))
    }

    fn read(&mut self, size: u64) -> Result<()> {
        let there = self.file.metadata().map_err(Error::io(&self.path))?.len();
        if there > size {
            return self.begin_again();
        }
        if there > 0 {
            self.length = hash(&mut self.file, &mut self.hasher).map_err(Error::io(&self.path))?;
        }
        Ok(())
    }
}

/// Removes the partials in this directory that nobody holds.
pub(crate) fn sweep(root: &Path) -> Result<()> {
    for entry in std::fs::read_dir(root).map_err(Error::io(root))? {
        let entry = entry.map_err(Error::io(root))?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let path = entry.path();
        // Gone in the meantime, held, or not ours to open: each is somebody else's business.
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() && is_at(&file, &path).unwrap_or(false) {
            std::fs::remove_file(&path).map_err(Error::io(path))?;
        }
    }
    Ok(())
}

/// How long the partial of a blob is, in bytes; 0 where there is none.
pub(crate) fn length_at(root: &Path, digest: &Digest) -> u64 {
    std::fs::metadata(path_of(root, digest)).map_or(0, |metadata| metadata.len())
}

pub(crate) fn path_of(root: &Path, digest: &Digest) -> PathBuf {
    root.join(format!("{PREFIX}{}-{}", digest.algorithm().as_str(), digest.hex()))
}

/// Hashes the rest of a file; how long it is, in bytes.
pub(crate) fn hash(file: &mut File, hasher: &mut Hasher) -> std::io::Result<u64> {
    let mut buffer = vec![0; BUFFER];
    let mut length = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(length),
            read => {
                hasher.update(&buffer[..read]);
                length += read as u64;
            }
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> std::io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let ours = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((ours.dev(), ours.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> std::io::Result<bool> {
    path.try_exists()
}
