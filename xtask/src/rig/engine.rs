//! An engine of a test's own: a second `dockerd` with a root, a socket and networks of its own, which can be restarted and
//! stopped short without anybody else's containers going along. One must be root for it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::deadline::until;
use super::error::{Doing as _, Result, unexpected};
use super::process::{self, Guard};
use super::run;

/// How long it may take to start, or to end.
const START: Duration = Duration::from_secs(120);

/// A running engine. On drop its containers and networks are removed, it ends, and its files go.
#[derive(Debug)]
pub struct PrivateEngine {
    live_restore: bool,
    /// A bridge of its own: with none at all, an engine removes `docker0`, which is another's.
    bridge: String,
    // Dropped in this order: the process before what it reads.
    process: Option<Guard>,
    place: TempDir,
}

impl PrivateEngine {
    /// Starts one. With `live_restore` its containers go on while it is restarted.
    ///
    /// # Errors
    /// When it does not start, with the end of what it said.
    pub async fn start(live_restore: bool) -> Result<Self> {
        // Its containers' sockets lie below it, and their paths may be 108 bytes long.
        let place = tempfile::Builder::new().prefix("eng").tempdir().doing("make a temporary directory")?;
        let bridge = format!("cut{}", run::random());
        let number = u32::from_str_radix(&run::random(), 16).unwrap_or_default();
        let address = format!("10.{}.{}.1/24", 252 + number % 2, number / 2 % 256);
        ip(&["link", "add", &bridge, "type", "bridge"])?;
        let mut engine = Self { live_restore, bridge, process: None, place };
        ip(&["address", "add", &address, "dev", &engine.bridge])?;
        ip(&["link", "set", &engine.bridge, "up"])?;
        engine.start_again().await?;
        Ok(engine)
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.place.path().join("docker.sock")
    }

    /// What `DOCKER_HOST` is to be.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Ends it, as a service manager would, and starts it again.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start_again().await
    }

    /// Ends it, as a service manager would.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        signal(process.id(), Signal::TERM)?;
        until("the engine ends", START, async || process.ended()).await.map(drop)
    }

    /// Has it do nothing more, or go on.
    ///
    /// # Errors
    /// When it does not run.
    pub fn freeze(&self, frozen: bool) -> Result<()> {
        let id = self.process.as_ref().map_or(0, Guard::id);
        signal(id, if frozen { Signal::STOP } else { Signal::CONT })
    }

    async fn start_again(&mut self) -> Result<()> {
        let place = self.place.path().to_owned();
        let within = |name: &str| place.join(name);
        let log = within("dockerd.log");
        let mut command = Command::new("dockerd");
        command
            .args(["--bridge", &self.bridge, "--iptables=false", "--ip6tables=false", "--ip-masq=false"])
            .args(["--userland-proxy=false", "--log-level=error", "--config-file"])
            .arg(within("daemon.json"))
            .arg("--data-root")
            .arg(within("data"))
            .arg("--exec-root")
            .arg(within("run"))
            .arg("--pidfile")
            .arg(within("pid"))
            .args(["-H", &self.host()]);
        std::fs::write(within("daemon.json"), "{}").doing("write a daemon.json")?;
        if self.live_restore {
            command.arg("--live-restore");
        }
        self.process = Some(Guard::spawn(&mut command, &log)?);
        let host = self.host();
        until("an engine of the test's own answers", START, async || {
            if let Some(status) = self.process.as_mut().and_then(Guard::ended) {
                let said = std::fs::read(&log).unwrap_or_default();
                return Some(Err(unexpected("dockerd", format!("{status}: {}", process::tail(&said)))));
            }
            docker(&host, &["version", "--format", "{{.Server.Version}}"]).is_ok().then_some(Ok(()))
        })
        .await?
    }

    fn remove_all(&self) {
        let host = self.host();
        let listed = |what: &[&str]| docker(&host, what).unwrap_or_default();
        let remove = |what: &[&str], ids: String| {
            let ids: Vec<&str> = ids.split_whitespace().collect();
            if !ids.is_empty() {
                drop(docker(&host, &[what, &ids].concat()));
            }
        };
        remove(&["rm", "-fv"], listed(&["ps", "-aq"]));
        remove(&["network", "rm"], listed(&["network", "ls", "-q", "--filter", "type=custom"]));
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        drop(self.freeze(false));
        self.remove_all();
        self.process = None;
        drop(ip(&["link", "delete", &self.bridge]));
        unmount(self.place.path());
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    process::output(Command::new("ip").args(arguments)).map(drop)
}

fn docker(host: &str, arguments: &[&str]) -> Result<String> {
    process::output(Command::new("docker").args(["-H", host]).args(arguments))
}

fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| unexpected("dockerd", "it does not run"))?;
    kill_process(pid, signal).map_err(std::io::Error::from).doing("signal the engine")
}

/// Unmounts whatever is left below, so that the directory can be removed.
fn unmount(place: &Path) {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let below = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1))
        .filter(|at| Path::new(at).starts_with(place));
    let mut below: Vec<&str> = below.collect();
    below.reverse();
    for at in below {
        drop(process::output(Command::new("umount").args(["-l", at])));
    }
}
