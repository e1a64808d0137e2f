//! A pull or a push under way: what it comes to, and what happens until then.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;

use crate::{Digest, Resolved, Result};

/// What happens during a pull or a push.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// It is known what is to be transferred.
    Resolved {
        /// What the reference stands for.
        resolved: Resolved,
        /// How many different layers there are.
        layers: usize,
        /// How long configurations and layers are together, in bytes; those that are used twice count once.
        total: u64,
    },
    /// A blob moves. `done` begins at 0, or where an interrupted transfer is taken up; it falls when the blob has to be
    /// begun again, and is `total` once the blob is verified.
    Blob {
        /// The blob.
        digest: Digest,
        /// How much of it has been transferred, in bytes.
        done: u64,
        /// How long it is, in bytes.
        total: u64,
    },
    /// A blob was there already: in the layout for a pull, in the repository for a push.
    Kept {
        /// The blob.
        digest: Digest,
        /// How long it is, in bytes.
        total: u64,
    },
    /// The registry took a blob over from another of its repositories. Only a push has this.
    Mounted {
        /// The blob.
        digest: Digest,
        /// How long it is, in bytes.
        total: u64,
        /// The other repository.
        from: String,
    },
    /// Something failed and is tried again.
    Retrying {
        /// The blob, if it is one.
        digest: Option<Digest>,
        /// What failed.
        error: String,
        /// How long is waited before.
        pause: Duration,
    },
}

/// A pull or a push under way, as a stream of what happens. The stream ends when it is over; [`finish`](Self::finish) says
/// what it came to.
///
/// Nothing happens unless it is polled, and nothing is transferred while nobody takes the events. Dropping it stops it.
#[must_use = "a transfer does nothing unless it is polled"]
pub struct Transfer<'a, T> {
    work: Work<'a, T>,
    events: Events,
}

enum Work<'a, T> {
    Going(Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>),
    Over(Result<T>),
}

impl<'a, T> Transfer<'a, T> {
    /// The transfer that does this, telling the events that it is given.
    pub(crate) fn new<W>(work: impl FnOnce(Events) -> W) -> Self
    where
        W: Future<Output = Result<T>> + Send + 'a,
    {
        let events = Events::default();
        Self { work: Work::Going(Box::pin(work(events.clone()))), events }
    }

    /// Goes on to the end. Events that were not taken are dropped.
    ///
    /// # Errors
    ///
    /// What ended the transfer: see the function that began it.
    pub async fn finish(self) -> Result<T> {
        self.events.ignore();
        match self.work {
            Work::Going(work) => work.await,
            Work::Over(outcome) => outcome,
        }
    }
}

// The outcome is moved and never pinned.
impl<T> Unpin for Transfer<'_, T> {}

impl<T> Stream for Transfer<'_, T> {
    type Item = Progress;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Progress>> {
        let this = self.get_mut();
        if let Some(event) = this.events.next() {
            return Poll::Ready(Some(event));
        }
        let Work::Going(work) = &mut this.work else { return Poll::Ready(None) };
        let polled = work.as_mut().poll(context);
        if let Poll::Ready(outcome) = polled {
            this.work = Work::Over(outcome);
            return Poll::Ready(this.events.next());
        }
        this.events.next().map_or(Poll::Pending, |event| Poll::Ready(Some(event)))
    }
}

impl<T> fmt::Debug for Transfer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = matches!(self.work, Work::Over(_));
        f.debug_struct("Transfer").field("over", &over).finish_non_exhaustive()
    }
}

/// Where a transfer tells what happens. Only for its own future: from elsewhere, nobody would be woken.
///
/// What was told is bounded: the transfer is not polled while an event waits to be taken, and what one poll tells of
/// one blob's bytes is told as one event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Progress>,
    ignored: bool,
}

impl Events {
    pub(crate) fn tell(&self, event: Progress) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.ignored {
            return;
        }
        match (queue.waiting.back_mut(), event) {
            // The first and the last of a blob are kept: they say that it began and that it is verified.
            (
                Some(Progress::Blob { digest: last, done: before, .. }),
                Progress::Blob { digest, done, total },
            ) if *last == digest && 0 < *before && *before < done && done < total => {
                *before = done;
            }
            (_, event) => queue.waiting.push_back(event),
        }
    }

    fn next(&self) -> Option<Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    pub(crate) fn ignore(&self) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *queue = Queue { ignored: true, ..Queue::default() };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt;

    use super::*;
    use crate::Error;

    fn moved(done: u64) -> Progress {
        Progress::Blob { digest: Digest::of("x"), done, total: 10 }
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_work_and_the_outcome_is_kept() {
        let mut transfer = Transfer::new(|events| async move {
            for done in [0, 3, 6] {
                events.tell(moved(done));
            }
            tokio::task::yield_now().await;
            events.tell(moved(10));
            Ok(7)
        });
        assert_eq!(transfer.by_ref().collect::<Vec<_>>().await, [moved(0), moved(6), moved(10)]);
        assert_eq!(transfer.next().await, None);
        assert_eq!(transfer.finish().await.unwrap(), 7);
    }

    #[tokio::test]
    async fn an_error_comes_from_finish_with_and_without_the_events() {
        let failing = || {
            Transfer::<()>::new(|events| async move {
                events.tell(moved(0));
                Err(Error::protocol("here", "no"))
            })
        };
        let mut watched = failing();
        assert_eq!(watched.by_ref().count().await, 1);
        assert!(matches!(watched.finish().await, Err(Error::Protocol { .. })));
        assert!(matches!(failing().finish().await, Err(Error::Protocol { .. })));
    }

    #[tokio::test]
    async fn nothing_goes_on_while_an_event_is_not_taken() {
        let steps = AtomicUsize::new(0);
        let mut transfer = Transfer::new(|events| {
            let steps = &steps;
            async move {
                loop {
                    let step = steps.fetch_add(1, Ordering::Relaxed);
                    events.tell(Progress::Kept { digest: Digest::of("x"), total: step as u64 });
                    tokio::task::yield_now().await;
                }
                #[expect(unreachable_code, reason = "says what it would come to")]
                Ok(())
            }
        });
        assert_eq!(steps.load(Ordering::Relaxed), 0);
        transfer.next().await;
        assert_eq!(steps.load(Ordering::Relaxed), 1);
        drop(transfer);
    }
}
