//! Load on a site that runs the example service, by clients that forgive nothing.
//!
//! A worker on a kept-alive connection opens another one only after a response that said `Connection: close`. Any
//! other end of a connection is a lost request and counts as failed, as does every status but 200, an echo that is not
//! what was sent, and an answer that takes too long.

mod client;
mod latency;
mod report;
mod tls;
mod worker;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use latency::Latency;
pub use report::{Answers, Report};
pub use tls::{Protocol, Tls};

use super::background::Task;
use super::deadline::until;
use super::error::Result;
use report::Tally;
use worker::{Kind, Worker};

/// What load to put where.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Where the site listens.
    pub address: SocketAddr,
    /// The `Host` header; the address unless said.
    pub host: String,
    /// TLS; plain HTTP/1.1 unless said.
    pub tls: Option<Tls>,
    /// How many workers keep their connection.
    pub kept_alive: usize,
    /// How many workers open a connection for each request.
    pub fresh: usize,
    /// How many workers ask for slow answers, by GET and POST in turn, on fresh connections.
    pub slow: usize,
    /// How long a slow answer takes.
    pub slow_time: Duration,
    /// How long a worker rests between requests.
    pub pace: Duration,
    /// How long an answer may take, besides what it was asked to take.
    pub timeout: Duration,
    /// Whether the time of each answer is kept, for [`Report::latency_within`].
    pub timed: bool,
}

impl Config {
    /// Eight kept-alive and two fresh workers, 2 ms apart, 10 s for an answer.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            tls: None,
            kept_alive: 8,
            fresh: 2,
            slow: 0,
            slow_time: Duration::from_millis(300),
            pace: Duration::from_millis(2),
            timeout: Duration::from_secs(10),
            timed: false,
        }
    }

    /// With another `Host` header.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// By TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// With so many workers of each kind.
    #[must_use]
    pub fn workers(mut self, kept_alive: usize, fresh: usize, slow: usize) -> Self {
        (self.kept_alive, self.fresh, self.slow) = (kept_alive, fresh, slow);
        self
    }

    /// With slow answers of this length.
    #[must_use]
    pub fn slow_time(mut self, time: Duration) -> Self {
        self.slow_time = time;
        self
    }

    /// With this rest between a worker's requests.
    #[must_use]
    pub fn pace(mut self, rest: Duration) -> Self {
        self.pace = rest;
        self
    }

    /// Keeping the time of each answer.
    #[must_use]
    pub fn timed(mut self) -> Self {
        self.timed = true;
        self
    }

    /// With this limit to an answer.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// Running load. Dropping it cuts the requests in flight; [`Load::stop`] lets them end.
#[derive(Debug)]
pub struct Load {
    started: Instant,
    stopping: Arc<AtomicBool>,
    tallies: Vec<Arc<Mutex<Tally>>>,
    tasks: Vec<Task>,
}

impl Load {
    /// Starts every worker, on threads of the rig's own.
    pub fn start(config: Config) -> Self {
        let kinds =
            [(Kind::KeptAlive, config.kept_alive), (Kind::Fresh, config.fresh), (Kind::Slow, config.slow)];
        let kinds = kinds.into_iter().flat_map(|(kind, count)| std::iter::repeat_n(kind, count));
        let (config, started) = (Arc::new(config), Instant::now());
        let mut load = Self { started, stopping: Arc::default(), tallies: Vec::new(), tasks: Vec::new() };
        for (id, kind) in kinds.enumerate() {
            let tally = if config.timed { Tally::timed(started) } else { Tally::new(started) };
            let tally = Arc::new(Mutex::new(tally));
            let stopping = Arc::clone(&load.stopping);
            let worker = Worker::new(id, kind, Arc::clone(&config), Arc::clone(&tally), stopping);
            load.tallies.push(tally);
            load.tasks.push(Task::spawn(worker.run()));
        }
        load
    }

    /// What has happened so far. Requests in flight are in it as sent.
    pub fn so_far(&self) -> Report {
        let mut sum = Tally::new(self.started);
        for tally in &self.tallies {
            sum.add(&tally.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Report::new(self.started, sum)
    }

    /// How many requests were sent so far, and how many failed: what [`Load::so_far`] tells, for a glance.
    pub fn counts(&self) -> (u64, u64) {
        self.tallies.iter().fold((0, 0), |(sent, failed), tally| {
            let counts = tally.lock().unwrap_or_else(PoisonError::into_inner).counts();
            (sent + counts.0, failed + counts.1)
        })
    }

    /// Waits until `version` answers a request that is sent from now on.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub async fn answered_by(&self, version: &str, within: Duration) -> Result<()> {
        let from = Instant::now();
        let seen = async || {
            let newest = self
                .tallies
                .iter()
                .filter_map(|tally| tally.lock().unwrap_or_else(PoisonError::into_inner).last_from(version));
            newest.max().filter(|last| *last > from)
        };
        until(&format!("version {version} answers the load"), within, seen).await.map(drop)
    }

    /// Lets the requests in flight end, and tells what happened.
    pub async fn stop(mut self) -> Report {
        self.stopping.store(true, Ordering::Relaxed);
        for task in std::mem::take(&mut self.tasks) {
            task.join().await;
        }
        self.so_far()
    }
}
