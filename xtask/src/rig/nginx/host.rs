//! An nginx of the test's own on the host.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::rig::account::Account;
use crate::rig::deadline::until;
use crate::rig::error::{Doing, Error, Result, unexpected};
use crate::rig::port;
use crate::rig::process::{self, Guard};

/// How long nginx may take to start its workers.
pub(super) const START: Duration = Duration::from_secs(10);

/// A running nginx with a prefix of its own. It is stopped, and the prefix removed, on drop.
#[derive(Debug)]
pub struct HostNginx {
    binary: PathBuf,
    control: SocketAddr,
    site: SocketAddr,
    // Dropped in this order: the process before what it reads.
    process: Option<Guard>,
    /// Whether it is to be a child of nobody's, and its master then.
    detached: bool,
    master: Option<u32>,
    /// The master that an upgrade has started.
    pub(super) second: Option<u32>,
    account: Option<Account>,
    place: TempDir,
}

impl HostNginx {
    /// Starts `binary` with two workers and nothing to serve yet.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no such binary; with its own words when it does not start.
    pub async fn start(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_by(binary.as_ref().to_owned(), None, false).await
    }

    /// The same, run by an account that owns all of its files.
    ///
    /// # Errors
    ///
    /// As [`HostNginx::start`].
    pub async fn start_as(binary: impl AsRef<Path>, account: Account) -> Result<Self> {
        Self::start_by(binary.as_ref().to_owned(), Some(account), false).await
    }

    /// As [`HostNginx::start`], as a child of nobody's: only such a one heeds a request to upgrade its binary.
    ///
    /// # Errors
    ///
    /// As for [`HostNginx::start`].
    pub async fn start_detached(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_by(binary.as_ref().to_owned(), None, true).await
    }

    async fn start_by(binary: PathBuf, account: Option<Account>, detached: bool) -> Result<Self> {
        if !binary.is_file() {
            return Err(Error::Missing {
                what: format!("nginx ({})", binary.display()),
                mend: "apt-get install -y nginx-light".to_owned(),
            });
        }
        let place = TempDir::new().doing("make a temporary directory")?;
        // nginx's workers run as another user and must be able to search it.
        searchable(place.path())?;
        for name in ["conf.d", "state", "temp"] {
            let path = place.path().join(name);
            std::fs::create_dir(&path).doing(format!("create {}", path.display()))?;
            searchable(&path)?;
        }
        let mut text = configuration(&binary, place.path())?;
        if detached {
            text = text.replacen("daemon off;", "daemon on;", 1);
        }
        let conf = place.path().join("nginx.conf");
        std::fs::write(&conf, text).doing(format!("write {}", conf.display()))?;
        if let Some(account) = &account {
            account.give(place.path())?;
        }
        let (control, site) = (port::free()?, port::free()?);
        let (process, master, second) = (None, None, None);
        let mut nginx = Self { binary, control, site, process, detached, master, second, account, place };
        nginx.start_again().await?;
        Ok(nginx)
    }

    /// Stops it, as an administrator would, and waits for its end.
    pub fn stop(&mut self) {
        self.process = None;
        self.master.take().into_iter().chain(self.second.take()).for_each(super::upgrade::end);
    }

    /// Leaves the place of the master that was started here to the one that an upgrade has started.
    pub(super) fn hand_over(&mut self) {
        (self.process, self.master) = (None, self.second.take());
    }

    /// Starts it once it was stopped.
    ///
    /// # Errors
    ///
    /// With its own words when it does not start.
    pub async fn start_again(&mut self) -> Result<()> {
        let before = self.workers_started();
        let mut command = Command::new(&self.binary);
        command.arg("-p").arg(self.place.path()).arg("-c").arg(self.conf_path());
        if let Some(account) = &self.account {
            account.run(&mut command);
        }
        if self.detached {
            process::output(&mut command)?;
            let pid = self.place.path().join("nginx.pid");
            let read = async || std::fs::read_to_string(&pid).ok()?.trim().parse().ok();
            self.master = Some(until("nginx writes its pid file", START, read).await?);
            let workers = async || (self.workers_started() >= before + 2).then_some(());
            return until("nginx starts its workers", START, workers).await;
        }
        self.process = Some(Guard::spawn(&mut command, &self.place.path().join("output.log"))?);
        self.started(before + 2).await
    }

    pub(super) fn workers_started(&self) -> usize {
        let text = std::fs::read_to_string(self.error_log()).unwrap_or_default();
        text.matches("start worker process ").count()
    }

    async fn started(&mut self, workers: usize) -> Result<()> {
        let output = self.place.path().join("output.log");
        let what = format!("{} starts its workers", self.binary.display());
        until(&what, START, async || {
            if self.workers_started() >= workers {
                return Some(Ok(()));
            }
            let status = self.process.as_mut()?.ended()?;
            let said = std::fs::read(&output).unwrap_or_default();
            Some(Err(unexpected(
                self.binary.display(),
                format!("ended ({status}): {}", process::tail(&said)),
            )))
        })
        .await?
    }

    /// The main configuration file.
    pub fn conf_path(&self) -> PathBuf {
        self.place.path().join("nginx.conf")
    }

    /// The directory whose `*.conf` the `http` block includes.
    pub fn conf_dir(&self) -> PathBuf {
        self.place.path().join("conf.d")
    }

    /// A directory for markers, which the workers can search.
    pub fn state_dir(&self) -> PathBuf {
        self.place.path().join("state")
    }

    /// A free loopback address for the control server.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// A free loopback address for a site.
    pub fn site(&self) -> SocketAddr {
        self.site
    }

    /// The binary that runs.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// The id of the master process, the first while there are two; 0 while it is stopped.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map(Guard::id).or(self.master).unwrap_or_default()
    }

    /// The error log, at the level `notice`.
    pub fn error_log(&self) -> PathBuf {
        self.place.path().join("error.log")
    }

    /// How often it was told to reload.
    pub fn reloads(&self) -> usize {
        super::reloads(&self.error_log())
    }

    /// Tells it to reload, as an administrator would, and waits until it has taken notice.
    ///
    /// # Errors
    ///
    /// When `nginx -s reload` fails, or the master does not say that it reloads.
    pub async fn reload(&self) -> Result<()> {
        let before = self.reloads();
        process::output(
            Command::new(&self.binary)
                .arg("-p")
                .arg(self.place.path())
                .arg("-c")
                .arg(self.conf_path())
                .args(["-s", "reload"]),
        )?;
        let told = async || (self.reloads() > before).then_some(());
        until("nginx takes notice of a reload", START, told).await
    }
}

impl Drop for HostNginx {
    fn drop(&mut self) {
        self.stop();
    }
}

fn searchable(path: &Path) -> Result<()> {
    let permissions = Permissions::from_mode(0o755);
    std::fs::set_permissions(path, permissions).doing(format!("open {} for all", path.display()))
}

/// The main configuration. Every directory that this nginx would use is in its prefix.
fn configuration(binary: &Path, place: &Path) -> Result<String> {
    let place = place.display();
    let version = Command::new(binary).arg("-V").output().doing(format!("run {} -V", binary.display()))?;
    let built = String::from_utf8_lossy(&version.stderr).into_owned();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .filter(|module| !built.contains(&format!("--without-http_{module}_module")))
        .map(|module| format!("    {module}_temp_path {place}/temp/{module};\n"))
        .collect();
    Ok(format!(
        "daemon off;\nworker_processes 2;\npid {place}/nginx.pid;\nlock_file {place}/nginx.lock;\n\
         error_log {place}/error.log notice;\nevents {{ worker_connections 4096; }}\nhttp {{\n    \
         access_log off;\n{temporary}    include {place}/conf.d/*.conf;\n}}\n"
    ))
}
