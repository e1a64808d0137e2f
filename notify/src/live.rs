use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::sinks::{Listener, Told};
use crate::{Delivered, Error, Notice, Progress, Sink};

/// The shortest time between two changes of one message. Slack takes one a second for a channel
/// ([Rate limits](https://docs.slack.dev/apis/web-api/rate-limits)).
const PACE: Duration = Duration::from_secs(1);

/// No deployment is followed for longer than a 429 may ask to wait.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Tells of a deployment while it goes on. [`Sinks::begin`](crate::Sinks::begin) makes one.
///
/// Telling never holds the deployment up: each place has a task of its own, which knows the newest state alone, changes
/// its message at most once a second, and is waited for only at the end. Dropped without an [`end`](Live::end) it tells
/// no more, and messages stay as they are.
#[derive(Debug)]
pub struct Live {
    newest: watch::Sender<Progress>,
    tellers: Vec<Teller>,
}

/// What tells one place.
#[derive(Debug)]
struct Teller {
    sink: String,
    end: oneshot::Sender<Option<Notice>>,
    task: JoinHandle<Option<Result<Delivered, Error>>>,
    only: Only,
}

/// The outcomes that a place is told.
type Only = Vec<crate::Status>;

impl Live {
    pub(crate) fn begin(listeners: Vec<Listener>, progress: Progress) -> Self {
        let (newest, states) = watch::channel(progress);
        let tellers = listeners.into_iter().map(|listener| {
            let (end, ended) = oneshot::channel();
            let only = crate::Status::ALL.into_iter().filter(|status| listener.hears(*status)).collect();
            let (sink, follows) = (listener.sink.name(), listener.hears_all());
            let task = tokio::spawn(tell(listener.sink, follows, states.clone(), ended));
            Teller { sink, end, task, only }
        });
        Self { tellers: tellers.collect(), newest }
    }

    /// Takes the newest state. It returns at once; a state that nobody was told yet is forgotten for this one.
    pub fn progress(&self, progress: Progress) {
        self.newest.send_replace(progress);
    }

    /// Tells how the deployment ended, and waits for every place, all at once and for `within` at most.
    ///
    /// [`Error::Unfinished`] is told of a place that took longer.
    pub async fn end(self, notice: &Notice, within: Duration) -> Vec<Told> {
        let deadline = Instant::now() + within;
        let mut waited = Vec::new();
        for Teller { sink, end, task, only } in self.tellers {
            let own = only.contains(&notice.status).then(|| notice.clone());
            // One that is gone shows in what its task ended with.
            drop(end.send(own));
            waited.push((sink, task));
        }
        let mut told = Vec::new();
        for (sink, mut task) in waited {
            let result = match timeout_at(deadline, &mut task).await {
                Ok(Ok(None)) => continue,
                Ok(Ok(Some(result))) => result,
                Ok(Err(_)) => Err(Error::ended(&sink)),
                Err(_) => {
                    task.abort();
                    Err(Error::Unfinished { sink: sink.clone(), after: within })
                }
            };
            told.push(Told { sink, result });
        }
        told
    }
}

/// Tells one place until the end has come; none if the end was not for it.
async fn tell(
    sink: Arc<dyn Sink>,
    follows: bool,
    mut states: watch::Receiver<Progress>,
    mut end: oneshot::Receiver<Option<Notice>>,
) -> Option<Result<Delivered, Error>> {
    let Some(mut thread) = sink.thread().filter(|_| follows) else {
        let notice = end.await.ok()??;
        return Some(sink.send(&notice).await);
    };
    states.mark_changed();
    // Before it the message is not touched again; after a 429 it may lie far off.
    let mut next = Instant::now();
    let mut open = true;
    let notice = loop {
        tokio::select! {
            biased;
            notice = &mut end => break notice,
            changed = newer(&mut states, next), if open => {
                if changed.is_none() {
                    open = false;
                    continue;
                }
            }
        }
        let newest = states.borrow_and_update().clone();
        next = match thread.progress(&newest).await {
            Ok(_) => Instant::now() + PACE,
            Err(error) => {
                tracing::debug!(sink = sink.name(), %error, "progress not told");
                // Refused once, refused again: only the end is tried once more.
                open = !matches!(error, Error::Rejected { .. });
                let asked =
                    if let Error::RateLimited { retry_after, .. } = error { retry_after } else { None };
                Instant::now() + asked.unwrap_or_default().clamp(PACE, LONGEST)
            }
        };
    };
    let notice = notice.ok()??;
    sleep_until(next.min(Instant::now() + PACE)).await;
    Some(thread.end(&notice).await)
}

/// Waits for a newer state, and then for the time to tell it. None when there will be none.
async fn newer(states: &mut watch::Receiver<Progress>, next: Instant) -> Option<()> {
    states.changed().await.ok()?;
    // Not seen yet: while this waits there may be a newer one still, and the wait may be cut.
    states.mark_changed();
    sleep_until(next).await;
    Some(())
}

#[cfg(test)]
mod tests;
