//! A real `docker-registry` on a free port of loopback, with its files in a directory of its own.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover_registry::ImageRef;
use tempfile::TempDir;

use super::http::send;
use super::issuer::{ISSUER, Issuer, SERVICE};

/// `htpasswd -nbB cutover secret`
const HTPASSWD: &str = "cutover:$2y$05$kFGKigmZfMj0AY2qR2qZSeLjg4LIfDjqou.uWJOXkq225Et2CH1vW\n";
const READY_WITHIN: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// Between finding a free port and listening on it, somebody else may take it.
const PORTS_TRIED: usize = 5;

/// Who may do what there.
pub(crate) enum Auth<'a> {
    Anonymous,
    Htpasswd,
    Token { issuer: &'a Issuer, realm: &'a str },
}

/// The process. It is killed and its files are removed when dropped.
pub(crate) struct Daemon {
    pub(crate) host: String,
    process: Child,
    _files: TempDir,
}

impl Daemon {
    pub(crate) async fn start(auth: Auth<'_>) -> Self {
        Self::run(&settings(&auth), "", &[]).await
    }

    /// One that speaks https with the issuer's certificate.
    pub(crate) async fn start_tls(tls: &Issuer, auth: Auth<'_>) -> Self {
        let files = [("tls.pem", tls.certificate_pem.as_str()), ("tls.key", tls.key_pem.as_str())];
        Self::run(&settings(&auth), "  tls: {certificate: DIR/tls.pem, key: DIR/tls.key}\n", &files).await
    }

    async fn run(auth: &Settings, tls: &str, files: &[(&str, &str)]) -> Self {
        for _ in 0..PORTS_TRIED {
            let directory = TempDir::new().unwrap();
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let config = format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: DIR/storage}}}}\n\
                 http:\n  addr: 127.0.0.1:{port}\n{tls}{}",
                auth.0
            );
            let config = config.replace("DIR", directory.path().to_str().unwrap());
            let written = [("config.yml", config.as_str())];
            let own = auth.1.iter().map(|(name, text)| (*name, text.as_str()));
            for (name, text) in own.chain(files.iter().copied()).chain(written) {
                std::fs::write(directory.path().join(name), text).unwrap();
            }
            let process = spawn(directory.path());
            let mut daemon = Self { host: format!("127.0.0.1:{port}"), process, _files: directory };
            if daemon.is_ready(!tls.is_empty()).await {
                return daemon;
            }
        }
        panic!("docker-registry does not start; run it by hand to see why")
    }

    pub(crate) fn image(&self, name: &str) -> ImageRef {
        format!("{}/{name}", self.host).parse().unwrap()
    }

    /// Waits until it answers; `false` when it ended instead.
    async fn is_ready(&mut self, tls: bool) -> bool {
        let deadline = Instant::now() + READY_WITHIN;
        while self.process.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "docker-registry does not answer within {READY_WITHIN:?}");
            if tokio::net::TcpStream::connect(&self.host).await.is_ok() {
                // Somebody else's server on the port would not know this path.
                return tls || matches!(send(&self.host, "GET", "/v2/", &[], b"").await.status, 200 | 401);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        false
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A piece of the configuration, and the files that it names.
type Settings = (String, Vec<(&'static str, String)>);

fn settings(auth: &Auth<'_>) -> Settings {
    match auth {
        Auth::Anonymous => (String::new(), Vec::new()),
        Auth::Htpasswd => (
            "auth: {htpasswd: {realm: test, path: DIR/htpasswd}}\n".to_owned(),
            vec![("htpasswd", HTPASSWD.to_owned())],
        ),
        Auth::Token { issuer, realm } => (
            format!(
                "auth:\n  token: {{realm: \"{realm}\", service: \"{SERVICE}\", issuer: \"{ISSUER}\", rootcertbundle: DIR/root.pem}}\n"
            ),
            vec![("root.pem", issuer.certificate_pem.clone())],
        ),
    }
}

fn spawn(directory: &Path) -> Child {
    Command::new("docker-registry")
        .args(["serve", "config.yml"])
        .current_dir(directory)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("these tests need docker-registry (apt-get install docker-registry): {error}")
        })
}
