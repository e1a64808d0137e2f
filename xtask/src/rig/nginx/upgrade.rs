//! What befalls an nginx of the host without a command of ours: its processes killed, its binary upgraded.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::HostNginx;
use crate::rig::deadline::until;
use crate::rig::error::{Doing as _, Result, unexpected};

use super::host::START;

impl HostNginx {
    /// The ids of the master's children.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        children.unwrap_or_default().split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Kills one worker; the master starts another.
    ///
    /// # Errors
    /// When there is none.
    pub async fn kill_worker(&self) -> Result<()> {
        let before = self.workers();
        let worker = before.first().copied().ok_or_else(|| unexpected("nginx", "it has no workers"))?;
        signal(worker, Signal::KILL)?;
        let another = async || {
            let now = self.workers();
            (now.len() == before.len() && !now.contains(&worker)).then_some(())
        };
        until("the master starts another worker", START, another).await
    }

    /// Kills the master. Its workers go on serving, and are returned: nobody else ends them.
    ///
    /// # Errors
    /// When it does not run.
    pub fn kill_master(&mut self) -> Result<Vec<u32>> {
        let workers = self.workers();
        signal(self.pid(), Signal::KILL)?;
        self.stop();
        Ok(workers)
    }

    /// Ends workers that have no master any more, and waits for that.
    ///
    /// # Errors
    /// When one does not end.
    pub async fn end_workers(&self, workers: &[u32]) -> Result<()> {
        for worker in workers {
            // It may have ended by itself.
            drop(signal(*worker, Signal::TERM));
            let gone = async || is_gone(*worker).then_some(());
            until("a worker without a master ends", START, gone).await?;
        }
        Ok(())
    }

    /// Begins what the manual calls upgrading an executable on the fly: a second master with workers of its own serves
    /// beside the first.
    ///
    /// # Errors
    /// When none starts.
    pub async fn upgrade(&mut self) -> Result<()> {
        let (old, before) = (self.pid(), self.workers_started());
        signal(old, Signal::USR2)?;
        let file = self.conf_path().with_file_name("nginx.pid");
        let new = async || {
            let pid: u32 = std::fs::read_to_string(&file).ok()?.trim().parse().ok()?;
            (pid != old && self.workers_started() >= before + 2).then_some(pid)
        };
        let new = until("a second master starts its workers", START, new).await?;
        self.second = Some(new);
        Ok(())
    }

    /// Ends the upgrade: the first master's workers end once they have answered, and then it does.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end_upgrade(&mut self) -> Result<()> {
        let old = self.pid();
        signal(old, Signal::WINCH)?;
        let only = async || self.workers().iter().all(|child| Some(*child) == self.second).then_some(());
        until("the first master's workers end", START, only).await?;
        signal(old, Signal::QUIT)?;
        until("the first master ends", START, async || is_gone(old).then_some(())).await?;
        self.hand_over();
        Ok(())
    }
}

/// Ends a master that is no child of ours, with its workers.
pub(super) fn end(master: u32) {
    let end = Instant::now() + START;
    drop(signal(master, Signal::TERM));
    while !is_gone(master) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn is_gone(pid: u32) -> bool {
    // What its parent has not waited for yet is a zombie.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| unexpected("nginx", "it does not run"))?;
    kill_process(pid, signal).map_err(std::io::Error::from).doing("signal nginx")
}
