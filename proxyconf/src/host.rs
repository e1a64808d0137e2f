//! nginx on this machine.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, test_kill_process};
use tokio::net::UnixDatagram;
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::{Dump, Error, NginxVersion, Surface, Worker, disk};

/// What a command may take: `nginx -t` looks up the names in the configuration.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// nginx on this machine, run by its own binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNginx {
    /// The binary.
    pub binary: PathBuf,
    /// The configuration (`-c`); left out: the one that was compiled in.
    pub conf: Option<PathBuf>,
}

impl Default for HostNginx {
    /// `/usr/sbin/nginx` with its own configuration.
    fn default() -> Self {
        Self { binary: "/usr/sbin/nginx".into(), conf: None }
    }
}

impl HostNginx {
    /// Runs nginx, without a shell and without our environment, which may hold secrets: nginx that serves has its own. What
    /// it writes is expected in English: no locale touches it.
    async fn run(&self, args: &[&str]) -> Result<Output, Error> {
        let mut command = Command::new(&self.binary);
        if let Some(conf) = &self.conf {
            command.arg("-c").arg(conf);
        }
        command.env_clear().args(args).stdin(Stdio::null()).kill_on_drop(true);
        let told = || format!("{} {}", self.binary.display(), args.join(" "));
        match timeout(COMMAND_LIMIT, command.output()).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(source)) => Err(Error::Command { command: told(), source }),
            Err(_) => Err(Error::TimedOut { command: told(), limit: COMMAND_LIMIT }),
        }
    }

    /// Runs nginx, and takes any exit status but 0 for a refusal.
    async fn run_well(&self, args: &[&str]) -> Result<Output, Error> {
        let output = self.run(args).await?;
        if output.status.success() {
            return Ok(output);
        }
        let mut told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if told.is_empty() {
            told = format!("nothing was told ({})", output.status);
        }
        Err(Error::Refused { output: told })
    }

    /// The id of the master process, while it runs.
    ///
    /// # Errors
    /// When nginx cannot be asked where it writes that, or it cannot be read.
    pub async fn master(&self) -> Result<Option<i32>, Error> {
        let path = self.pid_file().await?;
        let text = blocking("read", &path, disk::read_foreign).await?;
        let pid = text.and_then(|text| text.trim().parse().ok()).and_then(Pid::from_raw);
        Ok(pid.filter(|pid| is_nginx(*pid)).map(Pid::as_raw_pid))
    }

    /// Binds a socket for an nginx whose master process this machine knows by this id. Where it does not, or may not give the
    /// socket to the workers' user, everyone on this machine can send to it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn bind_for(&self, path: &Path, master: Option<i32>) -> Result<UnixDatagram, Error> {
        let bound = blocking("listen at", path, move |path| {
            let worker = master.and_then(|master| Worker::observe(master).ok().flatten());
            disk::bind(path, worker.as_ref())
        });
        let failed = |source| Error::File { action: "listen at", path: path.to_owned(), source };
        UnixDatagram::from_std(bound.await?).map_err(failed)
    }

    /// Where the master process writes its id: the `pid` directive, or what was compiled in.
    async fn pid_file(&self) -> Result<PathBuf, Error> {
        let build = self.run_well(&["-V"]).await?;
        let build = String::from_utf8_lossy(&build.stderr).into_owned();
        let prefix = option(&build, "--prefix=").unwrap_or("/usr/local/nginx");
        let dump = match self.run_well(&["-T"]).await {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            // The files may be broken, by a change that was killed, and nginx run on with what it has loaded.
            Err(Error::Refused { .. }) => {
                let compiled = option(&build, "--conf-path=").unwrap_or("conf/nginx.conf");
                let conf = self.conf.clone().unwrap_or_else(|| Path::new(prefix).join(compiled));
                blocking("read", &conf, disk::read_foreign).await?.unwrap_or_default()
            }
            Err(error) => return Err(error),
        };
        let pid =
            directive(&dump, "pid").or_else(|| option(&build, "--pid-path=")).unwrap_or("logs/nginx.pid");
        Ok(Path::new(prefix).join(pid))
    }
}

impl Surface for HostNginx {
    async fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        blocking("read", path, disk::read).await
    }

    async fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        let text = text.to_owned();
        blocking("write", path, move |path| disk::write(path, &text)).await
    }

    async fn remove(&self, path: &Path) -> Result<(), Error> {
        blocking("remove", path, disk::remove).await
    }

    async fn marker_present(&self, path: &Path) -> Result<bool, Error> {
        blocking("look for the marker", path, disk::is_marked).await
    }

    async fn set_marker(&self, path: &Path, present: bool) -> Result<(), Error> {
        if present {
            blocking("make the marker", path, disk::mark).await
        } else {
            blocking("remove the marker", path, disk::unmark).await
        }
    }

    async fn markers(&self, folder: &Path) -> Result<Vec<String>, Error> {
        blocking("look for markers in", folder, disk::markers).await
    }

    async fn bind(&self, path: &Path) -> Result<UnixDatagram, Error> {
        self.bind_for(path, self.master().await.ok().flatten()).await
    }

    async fn version(&self) -> Result<NginxVersion, Error> {
        let output = self.run_well(&["-v"]).await?;
        NginxVersion::parse_banner(&String::from_utf8_lossy(&output.stderr))
    }

    async fn test(&self) -> Result<(), Error> {
        self.run_well(&["-t"]).await.map(drop)
    }

    async fn reload(&self) -> Result<(), Error> {
        self.run_well(&["-s", "reload"]).await.map(drop)
    }

    async fn dump(&self) -> Result<Dump, Error> {
        let output = self.run_well(&["-V", "-T"]).await?;
        let written = [output.stderr, output.stdout].concat();
        Ok(Dump::parse(&String::from_utf8_lossy(&written)))
    }

    async fn running(&self) -> Result<bool, Error> {
        self.master().await.map(|master| master.is_some())
    }
}

/// Whether a process lives and is nginx's: the id in a file left behind may be another's by now.
fn is_nginx(pid: Pid) -> bool {
    if matches!(test_kill_process(pid), Err(error) if error != rustix::io::Errno::PERM) {
        return false;
    }
    let title = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    title.map_or(true, |title| String::from_utf8_lossy(&title).contains("nginx"))
}

/// The value of an option in `nginx -V`.
fn option<'a>(build: &'a str, name: &str) -> Option<&'a str> {
    build.split_whitespace().find_map(|word| word.strip_prefix(name))
}

/// The value of a directive of one value in `nginx -T`, on a line of its own.
fn directive<'a>(dump: &'a str, name: &str) -> Option<&'a str> {
    dump.lines()
        .filter_map(|line| line.trim().strip_prefix(name)?.split_once(';'))
        .filter(|(value, _)| value.starts_with([' ', '\t']))
        .map(|(value, _)| value.trim().trim_matches(['"', '\'']))
        .next()
}

async fn blocking<T: Send + 'static>(
    action: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let owned = path.to_owned();
    let done = spawn_blocking(move || work(&owned)).await;
    done.unwrap_or_else(|panicked| Err(io::Error::other(panicked))).map_err(|source| Error::File {
        action,
        path: path.to_owned(),
        source,
    })
}
