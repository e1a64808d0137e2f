//! A worker: one request after the other until it is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::{Method, StatusCode};

use super::Config;
use super::client::{Answered, Ask, Client};
use super::report::Tally;

/// How long a worker rests after a failure, so that a dead site is not hammered.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// How a worker treats its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    KeptAlive,
    Fresh,
    Slow,
}

pub(super) struct Worker {
    id: usize,
    kind: Kind,
    config: Arc<Config>,
    tally: Arc<Mutex<Tally>>,
    stopping: Arc<AtomicBool>,
    client: Option<Client>,
}

impl Worker {
    pub(super) fn new(
        id: usize,
        kind: Kind,
        config: Arc<Config>,
        tally: Arc<Mutex<Tally>>,
        stopping: Arc<AtomicBool>,
    ) -> Self {
        Self { id, kind, config, tally, stopping, client: None }
    }

    pub(super) async fn run(mut self) {
        for number in 0_u64.. {
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            let ask = self.next(number);
            let sent = Instant::now();
            self.tally().sent();
            match self.once(&ask).await {
                Ok(version) => {
                    let took = (self.kind != Kind::Slow).then(|| sent.elapsed());
                    self.tally().answered(&version, sent, took);
                }
                Err(why) => {
                    self.client = None;
                    let text = format!("{} {} ({:?} worker): {why}", ask.method, ask.target, self.kind);
                    self.tally().failed(self.what(&ask.method), text);
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
            if !self.config.pace.is_zero() {
                tokio::time::sleep(self.config.pace).await;
            }
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The kind of a request, for the account.
    fn what(&self, method: &Method) -> &'static str {
        match (self.kind, *method == Method::POST) {
            (Kind::KeptAlive, true) => "POST, kept-alive",
            (Kind::KeptAlive, false) => "GET, kept-alive",
            (_, true) => "POST, fresh",
            (_, false) => "GET, fresh",
        }
    }

    /// GET and POST in turn; no two bodies are the same.
    fn next(&self, number: u64) -> Ask {
        let post = number % 2 == 1;
        let target = match (self.kind, post) {
            (Kind::Slow, _) => format!("/slow?ms={}", self.config.slow_time.as_millis()),
            (_, true) => "/echo".to_owned(),
            (_, false) => "/".to_owned(),
        };
        let body = if post { format!("worker {} request {number}", self.id) } else { String::new() };
        Ask {
            method: if post { Method::POST } else { Method::GET },
            target,
            body: Bytes::from(body),
            last: self.kind != Kind::KeptAlive,
        }
    }

    /// Asks, on the connection there is or on a new one; the version that answered.
    async fn once(&mut self, ask: &Ask) -> Result<String, String> {
        let config = Arc::clone(&self.config);
        let mut client = match self.client.take() {
            Some(client) => client,
            None => Client::connect(config.address, config.tls.as_ref(), config.timeout).await?,
        };
        let slow = if self.kind == Kind::Slow { config.slow_time } else { Duration::ZERO };
        let answered = client.ask(ask, &config.host, config.timeout + slow).await?;
        if self.kind == Kind::KeptAlive && !answered.closes {
            self.client = Some(client);
        }
        check(ask, answered)
    }
}

fn check(ask: &Ask, answered: Answered) -> Result<String, String> {
    let Answered { status, version, body, .. } = answered;
    let start = || String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    if status != StatusCode::OK {
        return Err(format!("{status} from version {version:?}: {:?}", start()));
    }
    let expected = match ask.method {
        Method::POST => ask.body.clone(),
        _ => Bytes::from(format!("version {version}\n")),
    };
    if body != expected {
        return Err(format!("version {version:?} answered {:?} for {expected:?}", start()));
    }
    Ok(version)
}
