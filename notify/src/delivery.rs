//! Trying again: how often, how long, and after what.

use std::time::{Duration, Instant};

use crate::Error;

/// The first pause before another try; each later one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(250);

/// How long a delivery may take, and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long one try may take, from connecting to the last byte of the answer. 10 s.
    pub timeout: Duration,
    /// How many more tries follow a first that met a refused connection, a 429 or a 5xx. 2.
    pub retries: u32,
    /// How long all tries and the pauses between them may take. 30 s.
    pub limit: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10), retries: 2, limit: Duration::from_secs(30) }
    }
}

impl Limits {
    /// The same with one try only.
    pub(crate) fn once(self) -> Self {
        Self { retries: 0, ..self }
    }
}

/// Why a try did not deliver.
pub(crate) enum Trouble {
    /// Another try may succeed, and cannot deliver the notice twice.
    Passing { error: Error, retry_after: Option<Duration> },
    /// Another try would meet the same, or could deliver the notice twice.
    Final(Error),
}

/// The tries of one delivery.
pub(crate) struct Tries {
    limits: Limits,
    started: Instant,
    pause: Duration,
    count: u32,
}

impl Tries {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, started: Instant::now(), pause: BACK_OFF, count: 0 }
    }

    /// Counts another try; how long it may take.
    pub(crate) fn begin(&mut self) -> Duration {
        self.count += 1;
        self.limits.timeout.min(self.left())
    }

    /// How many tries were begun.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    fn left(&self) -> Duration {
        self.limits.limit.saturating_sub(self.started.elapsed())
    }

    /// Waits until it is time for another try.
    ///
    /// # Errors
    ///
    /// What the last try met, where another would not help or nothing is left of tries or time.
    pub(crate) async fn again(&mut self, trouble: Trouble) -> Result<(), Error> {
        let (error, wait) = match trouble {
            Trouble::Final(error) => return Err(error),
            Trouble::Passing { error, retry_after } => (error, retry_after.unwrap_or(self.pause)),
        };
        if self.count > self.limits.retries || wait >= self.left() {
            return Err(error);
        }
        tracing::debug!(attempts = self.count, ?wait, %error, "notice not delivered yet");
        tokio::time::sleep(wait).await;
        self.pause = self.pause.saturating_mul(2);
        Ok(())
    }
}
