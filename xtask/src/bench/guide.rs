//! The deployment that the guide describes, done as it says: two containers with published ports, an `upstream` block
//! with a `backup`, and two jobs of `docker` commands.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::registry::Registry;
use crate::rig::stage::{Nginx, Stage};
use crate::rig::{docker, port, run};

/// The guide's app beside a stage's: the same nginx and registry, containers of its own. They go on drop.
pub(super) struct Guide {
    name: String,
    network: String,
    image: String,
    host: String,
    login: (String, String),
    /// Where nginx answers for it.
    pub(super) site: SocketAddr,
    ports: [u16; 2],
    config: TempDir,
}

impl Guide {
    /// Has the stage's nginx serve the guide's `upstream`. Nothing runs behind it yet.
    pub(super) async fn set(stage: &Stage) -> Result<Self> {
        let id = run::random();
        let Nginx::Host(nginx) = &stage.nginx else {
            return Err(unexpected("the guide", "is measured behind an nginx of the host"));
        };
        let login = stage.registry.auth().login();
        let (user, password) = login.ok_or_else(|| unexpected("the registry", "has no login"))?;
        let guide = Self {
            name: format!("server-app-{id}"),
            network: format!("redis-net-{id}"),
            image: format!("acme/guide-{id}"),
            host: stage.registry.host().to_owned(),
            login: (user.to_owned(), password.expose_secret().to_owned()),
            site: port::free()?,
            ports: [port::free()?.port(), port::free()?.port()],
            config: TempDir::new().doing("make a temporary directory")?,
        };
        let [main, backup] = guide.ports;
        let text = format!(
            "upstream replication-group-{id} {{\n    server 127.0.0.1:{main} max_fails=3 fail_timeout=10s;\n    \
             server 127.0.0.1:{backup} backup;\n}}\nserver {{\n    listen {};\n    location / {{\n        \
             proxy_pass http://replication-group-{id};\n    }}\n}}\n",
            guide.site
        );
        let path: PathBuf = nginx.conf_dir().join(format!("guide-{id}.conf"));
        std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
        nginx.reload().await?;
        let [test, ours] = run::labels();
        docker::run(&["network", "create", "--label", &test, "--label", &ours, &guide.network]).await?;
        Ok(guide)
    }

    /// Pushes a local image as the guide's `latest`, as its build job does.
    pub(super) async fn push(&self, registry: &Registry, local: &str) -> Result<()> {
        let latest = format!("{}:latest", self.image);
        docker::run(&["tag", local, &latest]).await?;
        let pushed = registry.push(&latest).await;
        docker::run(&["rmi", &latest]).await?;
        pushed.map(drop)
    }

    /// Runs both containers for the first time.
    pub(super) async fn first(&self) -> Result<()> {
        self.docker(&self.sign_in()).await?;
        self.start(&self.name, self.ports[0]).await?;
        self.start(&self.backup(), self.ports[1]).await
    }

    /// The job `deploy`: log in, stop, remove, remove the image, run.
    pub(super) async fn deploy_job(&self) -> Result<Duration> {
        let began = Instant::now();
        self.docker(&self.sign_in()).await?;
        self.docker(&["stop", &self.name]).await?;
        self.docker(&["rm", &self.name]).await?;
        self.remove_image().await?;
        self.start(&self.name, self.ports[0]).await?;
        Ok(began.elapsed())
    }

    /// The job `backup`: log in, stop, remove, run.
    pub(super) async fn backup_job(&self) -> Result<Duration> {
        let began = Instant::now();
        let backup = self.backup();
        self.docker(&self.sign_in()).await?;
        self.docker(&["stop", &backup]).await?;
        self.docker(&["rm", &backup]).await?;
        self.start(&backup, self.ports[1]).await?;
        Ok(began.elapsed())
    }

    /// Without `-f`, as the guide has it, this is refused as long as the backup's container uses the image.
    async fn remove_image(&self) -> Result<()> {
        self.docker(&["rmi", "-f", &self.latest()]).await
    }

    async fn start(&self, name: &str, port: u16) -> Result<()> {
        let publish = format!("{port}:8080");
        let [test, ours] = run::labels();
        self.docker(&[
            "run",
            "-d",
            "-p",
            &publish,
            "--name",
            name,
            "--network",
            &self.network,
            "--label",
            &test,
            "--label",
            &ours,
            &self.latest(),
        ])
        .await
    }

    async fn docker(&self, arguments: &[&str]) -> Result<()> {
        docker::run_with(self.config.path(), arguments).await.map(drop)
    }

    fn sign_in(&self) -> [&str; 6] {
        ["login", "-u", &self.login.0, "-p", &self.login.1, &self.host]
    }

    fn latest(&self) -> String {
        format!("{}/{}:latest", self.host, self.image)
    }

    fn backup(&self) -> String {
        format!("{}-backup", self.name)
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rm", "-fv", &self.name, &self.backup()]));
        drop(docker::run_blocking(&["network", "rm", &self.network]));
        drop(docker::run_blocking(&["rmi", "-f", &self.latest()]));
    }
}
