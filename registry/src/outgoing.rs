//! A blob's bytes on their way from disk to a registry.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use tokio::sync::{mpsc, watch};

use crate::digest::Hasher;
use crate::source::rotten;
use crate::{Descriptor, Digest, Error, Result};

/// How much is read at once, in bytes. Some four such pieces of a blob are in memory.
const PIECE: usize = 512 * 1024;
/// How many pieces may wait to be sent.
const WAITING: usize = 1;

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
        let reading = Reading { at: range.start, end: range.end, hashed, buffers: Vec::new() };
        reqwest::Body::wrap_stream(self.clone().pieces(reading))
    }

    /// The pieces, read and hashed on a thread of their own while those before are sent.
    fn pieces(self, reading: Reading) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let path = self.path.clone();
        drop(tokio::task::spawn_blocking(move || {
            let read = reading.read(&path, |piece| pieces.blocking_send(Ok(piece)).is_ok());
            if let Err(error) = read {
                // Nobody need listen any more.
                drop(pieces.blocking_send(Err(error)));
            }
        }));
        stream::unfold((self, receiver), |(outgoing, mut receiver)| async move {
            let piece = match receiver.recv().await? {
                Ok(piece) => {
                    outgoing.moved.send_modify(|moved| *moved += piece.len() as u64);
                    Ok(piece)
                }
                Err(error) => {
                    let told = std::io::Error::other(error.to_string());
                    *outgoing.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    Err(told)
                }
            };
            Some((piece, (outgoing, receiver)))
        })
    }
}

struct Reading {
    at: u64,
    end: u64,
    hashed: Option<(Hasher, Digest)>,
    /// Those of pieces that are on their way, to be filled again once they are sent: fresh memory costs more than reading.
    buffers: Vec<Bytes>,
}

impl Reading {
    /// Reads to the end, or until a piece is not wanted.
    fn read(mut self, path: &Path, mut send: impl FnMut(Bytes) -> bool) -> Result<()> {
        let mut file = File::open(path).map_err(Error::io(path))?;
        file.seek(SeekFrom::Start(self.at)).map_err(Error::io(path))?;
        loop {
            let piece = self.piece(&mut file, path)?;
            self.at += piece.len() as u64;
            if let Some((hasher, _)) = &mut self.hashed {
                hasher.update(&piece);
            }
            let is_last = self.at == self.end;
            if is_last && let Some((hasher, expected)) = self.hashed.take() {
                rotten(path, &expected, &hasher.finish())?;
            }
            if piece.is_empty() || !send(piece) || is_last {
                return Ok(());
            }
        }
    }

    fn piece(&mut self, file: &mut File, path: &Path) -> Result<Bytes> {
        let free = self.buffers.iter().position(Bytes::is_unique).map(|free| self.buffers.swap_remove(free));
        let mut buffer = match free.map(Bytes::try_into_mut) {
            Some(Ok(buffer)) => buffer,
            _ => BytesMut::zeroed(PIECE),
        };
        let wanted = usize::try_from(self.end - self.at).map_or(PIECE, |left| left.min(PIECE));
        file.read_exact(&mut buffer[..wanted]).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => {
                let detail = format!("ends before its {} bytes", self.end);
                Error::LayoutInvalid { path: path.to_owned(), detail }
            }
            _ => Error::io(path)(error),
        })?;
        let buffer = buffer.freeze();
        let piece = buffer.slice(..wanted);
        self.buffers.push(buffer);
        Ok(piece)
    }
}
