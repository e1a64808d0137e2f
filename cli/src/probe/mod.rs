//! Requests of our own on the site while an app changes, and how they were answered. They change nothing of how a run goes.
//!
//! The pace is fixed: a request is due at its time, whether the one before was answered or not.

mod aim;
mod client;
mod figures;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

pub use self::aim::Aim;
use self::client::Client;
pub use self::figures::{Answers, Bucket, Figures, Span, Switch};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// So many requests may be under way at once. One that is due while they all are waits, and the wait counts.
const UNDER_WAY: usize = 16;

/// What is asked, and how often.
#[derive(Clone, Debug)]
pub struct Probe {
    /// What is asked.
    pub aim: Aim,
    /// Requests a second.
    pub rate: u32,
}

/// Why a request counts as failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing took the connection.
    Unreached(String),
    /// No answer came in time.
    Silent,
    /// The connection ended before the answer had.
    Cut(String),
    /// The answer was a 5xx.
    Status(u16),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreached(why) => write!(f, "no connection: {why}"),
            Self::Silent => write!(f, "no answer within {} s", ANSWER.as_secs()),
            Self::Cut(why) => write!(f, "cut in mid-request: {why}"),
            Self::Status(status) => write!(f, "answered {status}"),
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was sent.
    pub at: Instant,
    /// How long it took until the answer had come whole.
    pub took: Duration,
    /// Why it failed, if it did.
    pub lost: Option<Lost>,
}

/// A probe that runs. Dropping it ends it.
#[derive(Debug)]
pub struct Probing {
    stop: CancellationToken,
    samples: mpsc::UnboundedReceiver<Sample>,
    pacing: JoinHandle<()>,
}

impl Probe {
    /// Begins to ask. Each request carries `run` in a header. With `patient`, nothing counts before the first answer:
    /// nothing serves the site yet.
    #[must_use]
    pub fn begin(&self, run: &str, patient: bool) -> Probing {
        let (sender, samples) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let asker = Arc::new(Asker {
            client: Client::new(self.aim.clone(), run),
            under_way: Semaphore::new(UNDER_WAY),
            counts: AtomicBool::new(!patient),
            sender,
        });
        let pacing = tokio::spawn(pace(asker, Duration::from_secs(1) / self.rate.max(1), stop.clone()));
        Probing { stop, samples, pacing }
    }
}

impl Probing {
    /// Ends it, once what is under way is answered; what was asked, by the time it was sent.
    pub async fn end(mut self) -> Vec<Sample> {
        self.stop.cancel();
        let mut all = Vec::new();
        // The pace gives up its end of the channel when all are answered.
        while let Some(sample) = self.samples.recv().await {
            all.push(sample);
        }
        all.sort_by_key(|sample| sample.at);
        all
    }
}

impl Drop for Probing {
    fn drop(&mut self) {
        self.pacing.abort();
    }
}

async fn pace(asker: Arc<Asker>, period: Duration, stop: CancellationToken) {
    let mut ticks = interval(period);
    let mut asking = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            _ = ticks.tick() => drop(asking.spawn(Arc::clone(&asker).ask())),
            _ = asking.join_next(), if !asking.is_empty() => {}
        }
    }
    while asking.join_next().await.is_some() {}
}

/// Who asks.
struct Asker {
    client: Client,
    under_way: Semaphore,
    counts: AtomicBool,
    sender: mpsc::UnboundedSender<Sample>,
}

impl Asker {
    async fn ask(self: Arc<Self>) {
        let at = Instant::now();
        let asked = timeout(ANSWER, async {
            // It is never closed.
            let _place = self.under_way.acquire().await;
            self.client.ask().await
        });
        let lost = asked.await.unwrap_or(Err(Lost::Silent)).err();
        if lost.is_none() || matches!(lost, Some(Lost::Status(_))) {
            self.counts.store(true, Ordering::Relaxed);
        }
        if self.counts.load(Ordering::Relaxed) {
            // Nobody hears of what was asked for a run that did not begin.
            drop(self.sender.send(Sample { at, took: at.elapsed(), lost }));
        }
    }
}
