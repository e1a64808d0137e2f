//! Waiting until a container has no connection left.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::error::{Error, Result};
use crate::{Engine, sockets};

/// The time between two looks, short at first, then twice as long each time. Quiet is what two looks in a row find so.
const SHORTEST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// How waiting for a container's connections to end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// No connection is left.
    Quiet {
        /// How long it took.
        after: Duration,
    },
    /// Some were left when the time was up.
    TimedOut {
        /// How many.
        connections: usize,
        /// How long it was waited for them.
        after: Duration,
    },
    /// The connections cannot be seen from here: the engine is elsewhere, or its processes are hidden from us.
    Unseen,
}

impl Engine {
    /// Waits until the container has no established connection to its port `port`, at most for `limit`.
    ///
    /// New traffic has to have been led elsewhere before. A container that does not run is quiet at once, and one
    /// whose connections cannot be seen is told as [`Drained::Unseen`] at once: the caller decides how long to wait.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchContainer`].
    pub async fn drain(&self, container: &str, port: u16, limit: Duration) -> Result<Drained> {
        let began = Instant::now();
        let Some(seen) = self.observe_container(container).await? else {
            return Err(Error::NoSuchContainer { container: container.to_owned() });
        };
        let Some(pid) = seen.pid.filter(|_| seen.state.is_running()) else {
            return Ok(Drained::Quiet { after: began.elapsed() });
        };
        if !self.sees(pid, &seen.id).await {
            return Ok(Drained::Unseen);
        }
        let (mut quiet_before, mut pause) = (false, SHORTEST_PAUSE);
        loop {
            let connections = match sockets::of_process(pid).await {
                Ok(sockets) => sockets::established(&sockets, port),
                // The process ended meanwhile, and its connections with it.
                Err(_) if !self.sees(pid, &seen.id).await => 0,
                Err(_) => return Ok(Drained::Unseen),
            };
            let after = began.elapsed();
            match connections {
                0 if quiet_before => return Ok(Drained::Quiet { after }),
                0 => quiet_before = true,
                _ if after >= limit => return Ok(Drained::TimedOut { connections, after }),
                _ => quiet_before = false,
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// True when process `pid` of this machine is that container's: an engine behind a local socket may yet run in a
    /// virtual machine, where the number means another process.
    pub(crate) async fn sees(&self, pid: i32, id: &str) -> bool {
        let groups = match self.is_local() {
            true => tokio::fs::read_to_string(format!("/proc/{pid}/cgroup")).await,
            false => return false,
        };
        groups.is_ok_and(|groups| groups.contains(id))
    }
}
