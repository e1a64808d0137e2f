//! A blob's bytes on their way from disk to a registry.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{Stream, stream};
use tokio::sync::watch;

use crate::digest::Hasher;
use crate::source::rotten;
use crate::{Descriptor, Digest, Error, Result};

/// How much is read at once, in bytes. Two such pieces of a blob are in memory.
const PIECE: usize = 256 * 1024;

/// Which file, and what became of reading it: an HTTP client cannot tell its body's errors from the network's.
#[derive(Clone)]
pub(crate) struct Outgoing {
    path: PathBuf,
    blob: Descriptor,
    moved: Arc<watch::Sender<u64>>,
    fault: Arc<Mutex<Option<Error>>>,
}

impl Outgoing {
    pub(crate) fn new(path: PathBuf, blob: &Descriptor) -> Self {
        let moved = Arc::new(watch::Sender::new(0));
        Self { path, blob: blob.clone(), moved, fault: Arc::default() }
    }

    /// How far it has got, in bytes from the blob's beginning.
    pub(crate) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    /// Why reading failed, if it did.
    pub(crate) fn fault(&self) -> Option<Error> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The whole blob. The last piece is held back until the digest of all is seen to be right, so that nothing else
    /// than the blob ever arrives in full.
    pub(crate) fn whole(&self) -> reqwest::Body {
        let hasher = Hasher::new(self.blob.digest.algorithm());
        self.body(0..self.blob.size, Some((hasher, self.blob.digest.clone())))
    }

    /// A part of it, not checked.
    pub(crate) fn part(&self, range: Range<u64>) -> reqwest::Body {
        self.body(range, None)
    }

    fn body(&self, range: Range<u64>, hashed: Option<(Hasher, Digest)>) -> reqwest::Body {
        self.moved.send_replace(range.start);
        let reading = Reading { file: None, at: range.start, end: range.end, hashed, held: None };
        reqwest::Body::wrap_stream(self.clone().pieces(reading))
    }

    fn pieces(self, reading: Reading) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
        stream::try_unfold((self, reading), |(outgoing, mut reading)| async move {
            let path = outgoing.path.clone();
            let stepped = tokio::task::spawn_blocking(move || {
                let piece = reading.step(&path);
                (piece, reading)
            });
            let (piece, reading) = stepped.await.map_err(std::io::Error::other)?;
            match piece {
                Ok(None) => Ok(None),
                Ok(Some(piece)) => {
                    outgoing.moved.send_modify(|moved| *moved += piece.len() as u64);
                    Ok(Some((piece, (outgoing, reading))))
                }
                Err(error) => {
                    let told = std::io::Error::other(error.to_string());
                    *outgoing.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(told)
                }
            }
        })
    }
}

struct Reading {
    file: Option<File>,
    at: u64,
    end: u64,
    hashed: Option<(Hasher, Digest)>,
    held: Option<Vec<u8>>,
}

impl Reading {
    /// The next piece, which is always one behind what was read.
    fn step(&mut self, path: &std::path::Path) -> Result<Option<Vec<u8>>> {
        loop {
            if self.at == self.end {
                if let Some((hasher, expected)) = self.hashed.take() {
                    rotten(path, &expected, &hasher.finish())?;
                }
                return Ok(self.held.take());
            }
            let piece = self.read(path)?;
            if let Some((hasher, _)) = &mut self.hashed {
                hasher.update(&piece);
            }
            self.at += piece.len() as u64;
            if let Some(before) = self.held.replace(piece) {
                return Ok(Some(before));
            }
        }
    }

    fn read(&mut self, path: &std::path::Path) -> Result<Vec<u8>> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = File::open(path).map_err(Error::io(path))?;
                file.seek(SeekFrom::Start(self.at)).map_err(Error::io(path))?;
                none.insert(file)
            }
        };
        let wanted = usize::try_from(self.end - self.at).map_or(PIECE, |left| left.min(PIECE));
        let mut piece = vec![0; wanted];
        let read = file.read(&mut piece).map_err(Error::io(path))?;
        if read == 0 {
            let detail = format!("ends after {} of {} bytes", self.at, self.end);
            return Err(Error::LayoutInvalid { path: path.to_owned(), detail });
        }
        piece.truncate(read);
        Ok(piece)
    }
}
