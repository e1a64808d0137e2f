//! The context as a tar archive, for the classic builder.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use bytes::Bytes;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc::{Sender, UnboundedSender};

use super::only::Only;
use super::{Context, Entry, IGNORE, Kind, Steady, Stop, Visitor};
use crate::build::{BuildError, Sent};
use crate::error::Source;

/// The bytes that are handed on at once.
const PART: usize = 64 << 10;

/// Writes the context to `parts`, part by part. It blocks, and ends early when nobody takes the parts any more.
pub(in crate::build) fn archive(
    context: &Context,
    parts: &Sender<Result<Bytes, Source>>,
    told: &UnboundedSender<Sent>,
) -> Result<(), Stop> {
    // The builder reads these two from the archive, and leaves them out of what it copies if they are left out there.
    let mut ignore = context.ignore.clone();
    for name in [Some(IGNORE), context.dockerfile.inside.as_deref()].into_iter().flatten() {
        if ignore.excludes(name) {
            ignore.keep(name);
        }
    }
    let parts = Parts { parts: parts.clone(), held: Vec::with_capacity(PART), sent: 0 };
    let mut packing = Packing { archive: Builder::new(parts), told, entries: 0 };
    context.walk_with(&ignore, Only::Everything, &mut packing)?;
    let entries = packing.entries;
    let mut parts = packing.archive.into_inner().map_err(|_| Stop::HungUp)?;
    parts.flush().map_err(|_| Stop::HungUp)?;
    drop(told.send(Sent::All { entries, bytes: parts.sent }));
    Ok(())
}

struct Packing<'a> {
    archive: Builder<Parts>,
    told: &'a UnboundedSender<Sent>,
    entries: u64,
}

impl Visitor for Packing<'_> {
    fn entry(&mut self, entry: Entry) -> Result<(), Stop> {
        self.entries += 1;
        let mut header = Header::new_gnu();
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(u64::try_from(entry.modified.0).unwrap_or_default());
        header.set_size(0);
        match &entry.kind {
            Kind::Directory => {
                header.set_entry_type(EntryType::Directory);
                self.archive
                    .append_data(&mut header, format!("{}/", entry.name), io::empty())
                    .map_err(|_| Stop::HungUp)
            }
            Kind::Symlink { target } => {
                header.set_entry_type(EntryType::Symlink);
                self.archive.append_link(&mut header, &entry.name, target).map_err(|_| Stop::HungUp)
            }
            Kind::File { size } => {
                header.set_entry_type(EntryType::Regular);
                header.set_size(*size);
                let mut contents =
                    Contents { file: Steady::open(&entry.path, &entry.metadata)?, failed: None };
                let packed = self.archive.append_data(&mut header, &entry.name, &mut contents);
                match contents.failed {
                    Some(failed) => Err(failed.into()),
                    None => packed.map_err(|_| Stop::HungUp),
                }
            }
        }
    }

    fn skipped(&mut self, path: PathBuf, what: &'static str) {
        drop(self.told.send(Sent::Skipped { path, what }));
    }
}

/// Keeps the error that `tar` would turn into text.
struct Contents {
    file: Steady,
    failed: Option<BuildError>,
}

impl Read for Contents {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.next(buffer).map_err(|e| {
            self.failed = Some(e);
            io::Error::other("a file of the context failed")
        })
    }
}

/// Hands on what is written, in parts, to somebody who may be slow.
struct Parts {
    parts: Sender<Result<Bytes, Source>>,
    held: Vec<u8>,
    sent: u64,
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= PART {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.held, Vec::with_capacity(PART));
        if part.is_empty() {
            return Ok(());
        }
        self.sent += part.len() as u64;
        self.parts.blocking_send(Ok(part.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
