//! What all connections share: the settings, the time, and what is in flight.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::response;
use crate::settings::{Mode, Settings};

/// How long nothing may be in flight before the service counts as quiet: bytes that have come in may not have
/// reached their thread yet.
const QUIET: Duration = Duration::from_millis(50);

/// The running service.
#[derive(Debug)]
pub(crate) struct Service {
    version: String,
    mode: Mode,
    drain: Option<PathBuf>,
    started: Instant,
    stopping: AtomicBool,
    in_use: AtomicBool,
    in_flight: AtomicUsize,
    asked: AtomicU64,
    hello: Vec<u8>,
}

/// The state of health that `/healthz` and `/` tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Both answer 200.
    Good,
    /// `/healthz` answers 500.
    Bad,
    /// `/healthz` answers 301.
    Elsewhere,
    /// Both answer 500.
    Failing,
}

impl Service {
    /// A service that has just started.
    pub(crate) fn new(settings: &Settings) -> Self {
        let body = format!("version {}\n", settings.version);
        let mut hello = Vec::new();
        response::write(&mut hello, response::OK, &settings.version, true, body.as_bytes());
        Self {
            version: settings.version.clone(),
            mode: settings.mode,
            drain: settings.drain.clone(),
            started: Instant::now(),
            stopping: AtomicBool::new(false),
            in_use: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            hello,
        }
    }

    /// What every answer carries in `X-Version`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// `/` was asked for.
    pub(crate) fn used(&self) {
        if self.mode == Mode::AilsInUse {
            self.in_use.store(true, Ordering::Relaxed);
        }
    }

    /// A request for anything but the health has come: waits as long as an answer is to take; whether it is to fail.
    pub(crate) fn fails(&self) -> bool {
        match self.mode {
            Mode::FailsEach(count) => (self.asked.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(count),
            Mode::Takes(time) => {
                thread::sleep(time);
                false
            }
            _ => false,
        }
    }

    /// The whole answer to `GET /` on a connection that stays open, made once.
    pub(crate) fn hello(&self) -> &[u8] {
        &self.hello
    }

    /// How it is now.
    pub(crate) fn health(&self) -> Health {
        match self.mode {
            Mode::Unhealthy => Health::Bad,
            Mode::AilsInUse if self.in_use.load(Ordering::Relaxed) => Health::Bad,
            Mode::Redirect => Health::Elsewhere,
            Mode::FailsAfter(time) if self.started.elapsed() >= time => Health::Failing,
            _ => Health::Good,
        }
    }

    /// Whether it is to be sent nothing more.
    pub(crate) fn drains(&self) -> bool {
        self.drain.as_ref().is_some_and(|file| file.exists())
    }

    /// Whether SIGTERM has come.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// From here on every answer closes its connection, and streams end.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn busy(&self) -> Busy<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Busy(self)
    }

    /// Whether everything in flight ended before `grace` was over.
    pub(crate) fn wait_until_quiet(&self, grace: Duration) -> bool {
        let end = Instant::now() + grace;
        let mut quiet_since = None;
        loop {
            let now = Instant::now();
            if self.in_flight.load(Ordering::Relaxed) > 0 {
                quiet_since = None;
            } else if now.duration_since(*quiet_since.get_or_insert(now)) >= QUIET {
                return true;
            }
            if now >= end {
                return quiet_since.is_some();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Busy<'a>(&'a Service);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_drains_it_and_its_health_stays_its_own() {
        let file = std::env::temp_dir().join(format!("example-service-drain-{}", std::process::id()));
        let arguments = ["DRAIN=".to_owned() + &file.to_string_lossy()];
        let service = Service::new(&Settings::read(arguments.into_iter(), |_| None).unwrap());
        assert!(!service.drains());
        std::fs::write(&file, "").unwrap();
        assert!(service.drains());
        assert_eq!(service.health(), Health::Good);
        std::fs::remove_file(&file).unwrap();
        assert!(!service.drains());
    }
}
