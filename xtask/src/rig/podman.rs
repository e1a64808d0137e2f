//! A Podman of the test's own, behind the socket that speaks the Engine API.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixStream;

use super::background;
use super::deadline::until;
use super::error::{Doing as _, Error, Result, unexpected};
use super::process::{self, Guard};

/// How long it may take to listen.
const START: Duration = Duration::from_secs(60);

/// A running `podman system service`, as root, with storage and networks of its own. All of it goes on drop.
#[derive(Debug)]
pub struct Podman {
    process: Option<Guard>,
    place: TempDir,
}

impl Podman {
    /// Starts it; it pulls from these registries over plain HTTP.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no `podman`; with the end of its log when it does not listen.
    pub async fn start(registries: &[&str]) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let mut podman = Self { process: None, place };
        podman.configure(registries)?;
        let log = podman.place.path().join("podman.log");
        let mut service = podman.command(&["system", "service", "--time", "0", &podman.engine()]);
        podman.process = Some(Guard::spawn(&mut service, &log).map_err(missing)?);
        let socket = podman.place.path().join("engine.sock");
        let listens = until("podman listens", START, async || {
            if UnixStream::connect(&socket).await.is_ok() {
                return Some(Ok(()));
            }
            let status = podman.process.as_mut()?.ended()?;
            Some(Err(unexpected("podman", format!("ended ({status}): {}", said(&log)))))
        });
        match listens.await {
            Ok(listens) => listens?,
            Err(Error::Late { .. }) => {
                return Err(unexpected("podman", format!("does not listen: {}", said(&log))));
            }
            Err(other) => return Err(other),
        }
        Ok(podman)
    }

    /// Its address, as `DOCKER_HOST` takes it.
    pub fn engine(&self) -> String {
        format!("unix://{}", self.place.path().join("engine.sock").display())
    }

    /// Runs `podman` with these arguments on the same storage, not through the socket; its stdout.
    ///
    /// # Errors
    ///
    /// When it fails, with what it said.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(arguments);
        let ran = background::handle().spawn_blocking(move || process::output(&mut command)).await;
        ran.map_err(|panic| unexpected("podman", panic))?
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let place = self.place.path();
        let mut command = Command::new("podman");
        command.env("CONTAINERS_CONF", place.join("containers.conf"));
        command.env("CONTAINERS_STORAGE_CONF", place.join("storage.conf"));
        command.env("CONTAINERS_REGISTRIES_CONF", place.join("registries.conf"));
        command.env_remove("DOCKER_HOST").env_remove("CONTAINER_HOST").args(arguments);
        command
    }

    /// Everything that it would share with others is in its own place. Limits are named because Podman would raise
    /// them above what a container of a container may have; both ends are the same because 4.3 swaps them on its socket.
    fn configure(&self, registries: &[&str]) -> Result<()> {
        let place = self.place.path();
        let shown = place.display();
        let insecure = registries
            .iter()
            .map(|registry| format!("[[registry]]\nlocation = \"{registry}\"\ninsecure = true\n"));
        let files = [
            (
                "containers.conf",
                format!(
                    "[containers]\ndefault_ulimits = [\"nofile=4096:4096\", \"nproc=4096:4096\"]\n[engine]\n\
                     cgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n\
                     tmp_dir = \"{shown}/tmp\"\n[network]\nnetwork_backend = \"netavark\"\n\
                     network_config_dir = \"{shown}/networks\"\n"
                ),
            ),
            (
                "storage.conf",
                format!(
                    "[storage]\ndriver = \"overlay\"\ngraphroot = \"{shown}/root\"\nrunroot = \"{shown}/run\"\n"
                ),
            ),
            ("registries.conf", insecure.collect()),
        ];
        for (name, text) in files {
            let path = place.join(name);
            std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        self.process = None;
        // Its mounts would keep the directory from being removed.
        drop(process::output(&mut self.command(&["rm", "--all", "--force", "--time", "0"])));
        drop(process::output(&mut self.command(&["system", "reset", "--force"])));
    }
}

fn said(log: &Path) -> String {
    process::tail(&std::fs::read(log).unwrap_or_default())
}

fn missing(error: Error) -> Error {
    match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            Error::Missing { what: "podman".to_owned(), mend: "cargo xtask test --install".to_owned() }
        }
        other => other,
    }
}
