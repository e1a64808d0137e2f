//! Hashing and writing a blob, on a thread of its own and in large pieces.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::partial::Partial;
use crate::{Error, Result};

/// How much is handed over at once, in bytes.
const PIECE: usize = 512 * 1024;
/// How many pieces may wait.
const WAITING: usize = 1;

/// What came of work on a thread, and what says that the work is going on. The latter is dropped last, also when nobody
/// waits for the work any more: then no lock is held and no file is made after it.
type Held<T> = (T, mpsc::Sender<()>);

/// Does what blocks on a thread for that.
pub(crate) async fn blocking<T: Send + 'static>(
    held: &mpsc::Sender<()>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let held = held.clone();
    ended(tokio::task::spawn_blocking(move || (work(), held)).await)
}

/// What became of a blob.
pub(crate) enum Written {
    /// It is verified and has its name.
    Kept,
    /// It is not what its digest says.
    Wrong(Box<Partial>, Error),
}

/// A partial blob that is being written. Dropped, it stops where it is.
pub(crate) struct Writer {
    pieces: mpsc::Sender<Piece>,
    task: JoinHandle<Held<Result<Option<Written>>>>,
    piece: Vec<Bytes>,
    length: usize,
}

enum Piece {
    Bytes(Vec<Bytes>),
    End,
}

impl Writer {
    /// Writes to this partial. `held` is dropped when it has ended: whoever has the other end can wait for that.
    pub(crate) fn start(partial: Partial, held: mpsc::Sender<()>) -> Self {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let task = tokio::task::spawn_blocking(move || (write(partial, receiver), held));
        Self { pieces, task, piece: Vec::new(), length: 0 }
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.length += bytes.len();
        self.piece.push(bytes);
        if self.length < PIECE { Ok(()) } else { self.hand_over().await }
    }

    /// Waits until everything is written, verified, and has its name.
    pub(crate) async fn end(mut self) -> Result<Written> {
        self.hand_over().await?;
        self.send(Piece::End).await?;
        match ended(self.task.await)? {
            Some(written) => Ok(written),
            None => Err(stopped("it ended before the blob")),
        }
    }

    async fn hand_over(&mut self) -> Result<()> {
        self.length = 0;
        let piece = Piece::Bytes(std::mem::take(&mut self.piece));
        self.send(piece).await
    }

    async fn send(&mut self, piece: Piece) -> Result<()> {
        if self.pieces.send(piece).await.is_ok() {
            return Ok(());
        }
        // It gave up, and says why.
        ended((&mut self.task).await)?;
        Err(stopped("it ended before the blob"))
    }
}

fn write(mut partial: Partial, mut pieces: mpsc::Receiver<Piece>) -> Result<Option<Written>> {
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Bytes(piece) => piece.iter().try_for_each(|bytes| partial.append(bytes))?,
            Piece::End => {
                return match partial.verify() {
                    Ok(()) => partial.keep().map(|()| Some(Written::Kept)),
                    Err(error) => Ok(Some(Written::Wrong(Box::new(partial), error))),
                };
            }
        }
    }
    Ok(None)
}

fn ended<T>(joined: Result<Held<Result<T>>, tokio::task::JoinError>) -> Result<T> {
    joined.map_err(stopped)?.0
}

fn stopped(why: impl Into<crate::Source>) -> Error {
    Error::io("the writer of a blob")(std::io::Error::other(why))
}
