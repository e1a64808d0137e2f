//! A whole stage: a registry with token authentication, an nginx, one app's `cutover.toml`, and the program itself.

mod built;
mod ran;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tempfile::TempDir;

pub use self::ran::Ran;

use super::error::{Doing as _, Result, unexpected};
use super::image::ServiceImage;
use super::nginx::{ContainerNginx, HostNginx};
use super::registry::{Auth, Registry};
use super::{docker, network, run};

/// Which nginx the app stands behind.
#[derive(Debug)]
pub enum Nginx {
    /// One of the host.
    Host(HostNginx),
    /// One in a container.
    Container(ContainerNginx),
}

impl Nginx {
    /// How often it was told to reload, by its own log.
    #[must_use]
    pub fn reloads(&self) -> usize {
        match self {
            Self::Host(nginx) => nginx.reloads(),
            Self::Container(nginx) => nginx.reloads(),
        }
    }
}

/// One app with everything around it. All of it goes on drop: containers, network, images, processes and files.
#[derive(Debug)]
pub struct Stage {
    /// The app's name, which nothing else has.
    pub app: String,
    /// The registry.
    pub registry: Registry,
    /// The nginx.
    pub nginx: Nginx,
    program: PathBuf,
    network: String,
    subnet: String,
    settings: String,
    tables: String,
    top: String,
    images: Vec<ServiceImage>,
    engine: Option<String>,
    place: TempDir,
}

impl Stage {
    /// Sets the stage behind an nginx of the host, for this program: `cutover`, or `xtask`.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn on_host(program: impl Into<PathBuf>, nginx: impl AsRef<Path>) -> Result<Self> {
        Self::set(program.into(), Nginx::Host(HostNginx::start(nginx).await?)).await
    }

    /// Sets the stage behind an nginx in a container.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn in_container(program: impl Into<PathBuf>, nginx: impl AsRef<Path>) -> Result<Self> {
        Self::set(program.into(), Nginx::Container(ContainerNginx::start_binary(nginx).await?)).await
    }

    /// Sets the stage behind an nginx in a container into which files have to be copied.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn in_unmounted_container(
        program: impl Into<PathBuf>,
        nginx: impl AsRef<Path>,
    ) -> Result<Self> {
        Self::set(program.into(), Nginx::Container(ContainerNginx::start_unmounted(nginx).await?)).await
    }

    /// Sets the stage behind this nginx.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn behind(program: impl Into<PathBuf>, nginx: Nginx) -> Result<Self> {
        Self::set(program.into(), nginx).await
    }

    async fn set(program: PathBuf, nginx: Nginx) -> Result<Self> {
        let id = run::random();
        let network = format!("cutover-test-{id}");
        let subnet = network::free_subnet().await?;
        if let Nginx::Container(container) = &nginx {
            // The network is cutover's to make; nginx must be on it before the first deploy.
            let [test, run] = run::labels();
            docker::run(&[
                "network", "create", "--subnet", &subnet, "--label", &test, "--label", &run, &network,
            ])
            .await?;
            container.connect(&network).await?;
        }
        let stage = Self {
            app: format!("web-{id}"),
            registry: Registry::start(Auth::token("acme", "registry-canary-5e1f")).await?,
            nginx,
            program,
            network,
            subnet,
            settings: String::new(),
            tables: String::new(),
            top: String::new(),
            images: Vec::new(),
            engine: None,
            place: TempDir::new().doing("make a temporary directory")?,
        };
        stage.write()?;
        Ok(stage)
    }

    /// Adds lines to the app's table, such as `soak = "1s"`. A line for a key that has a default replaces that.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn with(mut self, settings: &str) -> Result<Self> {
        self.settings.push_str(settings);
        self.settings.push('\n');
        self.write()?;
        Ok(self)
    }

    /// Adds keys to the top of the file, such as `data_dir = "/tmp/x"`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn with_top(mut self, keys: &str) -> Result<Self> {
        self.top.push_str(keys);
        self.top.push('\n');
        self.write()?;
        Ok(self)
    }

    /// Adds tables to the file, such as `[notify.slack]`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn with_tables(mut self, tables: &str) -> Result<Self> {
        self.tables.push_str(tables);
        self.tables.push('\n');
        self.write()?;
        Ok(self)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.place.path().join("cutover.toml")
    }

    /// Where the site answers.
    #[must_use]
    pub fn site(&self) -> SocketAddr {
        match &self.nginx {
            Nginx::Host(nginx) => nginx.site(),
            Nginx::Container(nginx) => nginx.site(),
        }
    }

    /// Where the control server and the preview route answer.
    #[must_use]
    pub fn control(&self) -> SocketAddr {
        match &self.nginx {
            Nginx::Host(nginx) => nginx.control(),
            Nginx::Container(nginx) => nginx.control(),
        }
    }

    /// The name that the preview route goes by.
    #[must_use]
    pub fn preview_host(&self) -> String {
        format!("{}.cutover.localhost", self.app)
    }

    /// The image's name in the registry, without a tag.
    #[must_use]
    pub fn repository(&self) -> String {
        self.registry.name_of(&format!("acme/{}", self.app))
    }

    fn write(&self) -> Result<()> {
        let (proxy, listen) = match &self.nginx {
            Nginx::Host(nginx) => (
                format!(
                    "nginx = {{ binary = {:?}, conf = {:?} }}\nconf_dir = {:?}\nstate_dir = {:?}\ncontrol = \"{}\"\n",
                    nginx.binary(),
                    nginx.conf_path(),
                    nginx.conf_dir(),
                    nginx.state_dir(),
                    nginx.control()
                ),
                nginx.site().to_string(),
            ),
            Nginx::Container(nginx) => (
                format!(
                    "nginx = {{ container = {:?} }}\nconf_dir = {:?}\nstate_dir = {:?}\ncontrol = \"127.0.0.1:{}\"\n",
                    nginx.name(),
                    nginx.conf_dir_inside(),
                    nginx.state_dir_inside(),
                    ContainerNginx::CONTROL_PORT
                ),
                ContainerNginx::SITE_PORT.to_string(),
            ),
        };
        let defaults = [
            ("image", format!("\"{}:latest\"", self.repository())),
            ("port", "8080".to_owned()),
            ("health", "{ path = \"/healthz\", timeout = \"10s\" }".to_owned()),
            ("site", format!("{{ listen = {listen:?} }}")),
            ("soak", "\"0s\"".to_owned()),
            ("drain", "\"5s\"".to_owned()),
            ("stop_grace", "\"5s\"".to_owned()),
        ];
        let own = |key: &str| {
            self.settings.lines().any(|line| line.split('=').next().is_some_and(|k| k.trim() == key))
        };
        let defaults: String = defaults
            .iter()
            .filter(|(key, _)| !own(key))
            .map(|(key, value)| format!("{key} = {value}\n"))
            .collect();
        let text = format!(
            "{}\n[proxy]\n{proxy}\n[network]\nname = {:?}\nsubnet = {:?}\n\n[registry.{:?}]\nusername = \"acme\"\n\
             password = {{ env = \"REGISTRY_PASSWORD\" }}\n\n[apps.{}]\n{defaults}{}\n{}",
            self.top,
            self.network,
            self.subnet,
            self.registry.host(),
            self.app,
            self.settings,
            self.tables
        );
        std::fs::write(self.config(), text).doing(format!("write {}", self.config().display()))
    }

    /// The program with these arguments, its environment cleared but for what it needs.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        self.command_by(&[], arguments)
    }

    /// As [`Stage::command`], by a chore of the program whose own arguments come first.
    #[must_use]
    pub fn command_by(&self, chore: &[&str], arguments: &[&str]) -> std::process::Command {
        let mut command = std::process::Command::new(&self.program);
        command.env_clear();
        for name in ["PATH", "DOCKER_HOST"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(engine) = &self.engine {
            command.env("DOCKER_HOST", engine);
        }
        if let Some((_, password)) = self.registry.auth().login() {
            command.env("REGISTRY_PASSWORD", password.expose_secret());
        }
        command.env("HOME", self.place.path()).env("USER", "ann").current_dir(self.place.path());
        command.args(chore).arg("-c").arg(self.config()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn cutover(&self, arguments: &[&str]) -> Ran {
        let mut command = tokio::process::Command::from(self.command(arguments));
        let began = Instant::now();
        let output = command.kill_on_drop(true).output().await.expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            took: began.elapsed(),
        }
    }

    /// Deploys an image and gives the account of it.
    ///
    /// # Panics
    /// When the deploy does not end with 0.
    pub async fn deploy(&self, image: &str) -> Value {
        self.cutover(&["deploy", "--json", "--image", image]).await.exits(0).json()
    }

    /// `status --json`.
    ///
    /// # Panics
    /// When it does not end with 0.
    pub async fn status(&self) -> Value {
        self.cutover(&["status", "--json"]).await.exits(0).json()
    }

    /// Asks the engine that the app runs on.
    async fn ask(&self, arguments: &[&str]) -> Result<String> {
        match &self.engine {
            Some(engine) => docker::run(&[&["-H", engine], arguments].concat()).await,
            None => docker::run(arguments).await,
        }
    }

    /// The names of the app's containers with their states, sorted: `web-blue-1 running`.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn containers(&self) -> Result<Vec<String>> {
        let filter = format!("label=cutover.app={}", self.app);
        let listed =
            self.ask(&["ps", "-a", "--filter", &filter, "--format", "{{.Names}} {{.State}}"]).await?;
        let mut names: Vec<String> = listed.lines().map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// The app's containers with their ids, by name: what was stopped and started again has its id still.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub async fn ids(&self) -> Result<BTreeMap<String, String>> {
        let filter = format!("label=cutover.app={}", self.app);
        let format = "{{.Names}} {{.ID}}";
        let listed = self.ask(&["ps", "-a", "--no-trunc", "--filter", &filter, "--format", format]).await?;
        let pairs = listed.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(name, id)| (name.to_owned(), id.to_owned())).collect())
    }

    /// The body of a page of the site, or of the preview route by its host.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn page(&self, address: SocketAddr, host: &str, path: &str) -> Result<(u16, String)> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream =
            tokio::net::TcpStream::connect(address).await.doing(format!("connect to {address}"))?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.doing("ask the site")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.doing("read the site's answer")?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
        status.zip(body).ok_or_else(|| unexpected(format!("GET {path}"), answer))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let filter = format!("label=cutover.app={}", self.app);
        let listed = docker::run_blocking(&["ps", "-aq", "--filter", &filter]).unwrap_or_default();
        let ids: Vec<&str> = listed.split_whitespace().collect();
        if !ids.is_empty() {
            drop(docker::run_blocking(&[&["rm", "-fv"], ids.as_slice()].concat()));
        }
        if let Nginx::Container(nginx) = &self.nginx {
            drop(docker::run_blocking(&["network", "disconnect", "-f", &self.network, nginx.name()]));
        }
        drop(docker::run_blocking(&["network", "rm", &self.network]));
        let reference = format!("reference={}", self.repository());
        let listed = docker::run_blocking(&["images", "-q", "--filter", &reference]).unwrap_or_default();
        for id in listed.split_whitespace() {
            drop(docker::run_blocking(&["rmi", "-f", id]));
        }
    }
}
