//! Files into a container and out of it, as tar archives.

use std::io::{self, Read};
use std::path::{Component, Path};
use std::pin::pin;
use std::time::{SystemTime, UNIX_EPOCH};

use bollard::query_parameters::{DownloadFromContainerOptions, UploadToContainerOptions};
use futures_util::StreamExt;
use tar::{Archive, Builder, EntryType, Header};

use crate::error::{self, Error, Result, refusal};
use crate::{Engine, words};

/// The largest file that is taken out of a container, in bytes with its head: it is held in memory.
const LARGEST: usize = 16 << 20;

/// Something to put into a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadEntry {
    /// Where, below the directory that is uploaded to. A directory comes before what is in it.
    pub path: String,
    /// What.
    pub kind: UploadKind,
}

/// What is put into a container. It belongs to root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadKind {
    /// A file, replaced whole where it is there already.
    File {
        /// Its contents.
        bytes: Vec<u8>,
        /// Its permissions, such as `0o644`.
        mode: u32,
    },
    /// A directory. What is in one that is there already stays.
    Directory {
        /// Its permissions, such as `0o755`.
        mode: u32,
    },
}

impl Engine {
    /// Puts files into a directory of the container, which may be stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] when an entry would leave the directory, or the directory is not there;
    /// [`Error::NoSuchContainer`].
    pub async fn upload(&self, id: &str, directory: &str, files: &[UploadEntry]) -> Result<()> {
        let bad_path = |path: &str, why: &str| bad_path(id, path, why.to_owned());
        if let Some(entry) = files.iter().find(|entry| !stays_below(&entry.path)) {
            return Err(bad_path(&entry.path, "an uploaded path must be relative and without `..`"));
        }
        let archive = pack(files).map_err(|e| bad_path(directory, &format!("cannot be packed: {e}")))?;
        let options =
            UploadToContainerOptions { path: directory.to_owned(), ..UploadToContainerOptions::default() };
        let body = bollard::body_full(archive.into());
        self.docker().upload_to_container(id, Some(options), body).await.map_err(|e| match refusal(&e) {
            Some((404, message)) if !words::no_container(message) => {
                bad_path(directory, "there is no such directory")
            }
            _ => error::container("upload files to", id, e),
        })
    }

    /// The contents of one file of the container, which may be stopped; `None` when there is no such file.
    ///
    /// The file is held in memory, and has at most 16 MiB. A symbolic link is not followed.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] when it is not a regular file or too large, [`Error::NoSuchContainer`].
    pub async fn download(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(packed) = self.packed(id, path).await? else { return Ok(None) };
        unpack(&packed).map(Some).map_err(|e| bad_path(id, path, e.to_string()))
    }

    /// The names of the regular files right in a directory of the container, which may be stopped; none where there is no such
    /// directory. What is in it is held in memory, and has at most 16 MiB.
    ///
    /// # Errors
    ///
    /// [`Error::Path`] when it is not a directory or too large, [`Error::NoSuchContainer`].
    pub async fn file_names(&self, id: &str, directory: &str) -> Result<Vec<String>> {
        let Some(packed) = self.packed(id, directory).await? else { return Ok(Vec::new()) };
        names(&packed).map_err(|e| bad_path(id, directory, e.to_string()))
    }

    /// A file or a directory of the container as the engine packs it; `None` where it is not there.
    async fn packed(&self, id: &str, path: &str) -> Result<Option<Vec<u8>>> {
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let mut parts = pin!(self.docker().download_from_container(id, Some(options)));
        let mut packed = Vec::new();
        while let Some(part) = parts.next().await {
            match part {
                Ok(part) => packed.extend_from_slice(&part),
                Err(e) => match refusal(&e) {
                    Some((404, message)) if !words::no_container(message) => return Ok(None),
                    _ => return Err(error::container("download a file from", id, e)),
                },
            }
            if packed.len() > LARGEST {
                return Err(bad_path(id, path, format!("it is larger than {LARGEST} bytes")));
            }
        }
        Ok(Some(packed))
    }
}

fn bad_path(id: &str, path: &str, why: String) -> Error {
    Error::Path { container: id.to_owned(), path: path.to_owned(), why }
}

pub(crate) fn stays_below(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

pub(crate) fn pack(files: &[UploadEntry]) -> io::Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut builder = Builder::new(Vec::new());
    for entry in files {
        let mut header = Header::new_gnu();
        let (kind, mode, bytes): (_, _, &[u8]) = match &entry.kind {
            UploadKind::File { bytes, mode } => (EntryType::Regular, *mode, bytes),
            UploadKind::Directory { mode } => (EntryType::Directory, *mode, &[]),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        // nginx and others tell a changed file by its time.
        header.set_mtime(now);
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, &entry.path, bytes)?;
    }
    builder.into_inner()
}

pub(crate) fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = Archive::new(packed);
    let Some(entry) = archive.entries()?.next() else {
        return Err(io::Error::other("the engine sent an empty archive"));
    };
    let mut entry = entry?;
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        // A few bytes can stand for any length of nothing.
        EntryType::GNUSparse => Err(io::Error::other("it is a sparse file, which is not taken")),
        EntryType::Directory => Err(io::Error::other("it is a directory, not a file")),
        EntryType::Symlink => Err(io::Error::other("it is a symbolic link, not a file")),
        _ => Err(io::Error::other("it is not a regular file")),
    }
}

/// The names of the regular files right in the directory that is packed.
pub(crate) fn names(packed: &[u8]) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Archive::new(packed).entries()? {
        let entry = entry?;
        let path = entry.path()?;
        match (path.components().count(), path.file_name()) {
            (1, _) if entry.header().entry_type() != EntryType::Directory => {
                return Err(io::Error::other("it is a file, not a directory"));
            }
            (2, Some(name)) if entry.header().entry_type() == EntryType::Regular => {
                names.push(name.to_string_lossy().into_owned());
            }
            _ => {}
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: &[u8]) -> UploadEntry {
        UploadEntry { path: path.into(), kind: UploadKind::File { bytes: bytes.into(), mode: 0o640 } }
    }

    #[test]
    fn nothing_uploaded_leaves_its_directory() {
        for path in ["", "/etc/passwd", "../x", "a/../../x", "./.."] {
            assert!(!stays_below(path), "{path}");
        }
        assert!(stays_below("conf.d/site.conf"));
    }

    #[test]
    fn a_file_packed_is_unpacked_the_same() {
        let long = format!("{}/f", "d".repeat(150));
        for path in ["f", &long] {
            assert_eq!(unpack(&pack(&[file(path, b"one\0two")]).unwrap()).unwrap(), b"one\0two");
        }
    }

    #[test]
    fn the_files_of_a_directory_are_named_and_nothing_else() {
        let directory =
            |path: &str| UploadEntry { path: path.into(), kind: UploadKind::Directory { mode: 0o755 } };
        let entries =
            [directory("d"), file("d/a", b"1"), directory("d/b"), file("d/b/c", b""), file("d/e", b"")];
        assert_eq!(names(&pack(&entries).unwrap()).unwrap(), ["a", "e"]);
        assert_eq!(names(&pack(&entries[..1]).unwrap()).unwrap(), Vec::<String>::new());
        let error = names(&pack(&[file("d", b"")]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "it is a file, not a directory");
    }

    #[test]
    fn a_directory_is_not_taken_for_a_file() {
        let directory = UploadEntry { path: "d".into(), kind: UploadKind::Directory { mode: 0o755 } };
        let error = unpack(&pack(&[directory]).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "it is a directory, not a file");
    }
}
