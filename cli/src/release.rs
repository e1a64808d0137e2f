//! A release: an image pinned by digest, with the settings it is run with, and the container that comes of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use cutover_proxyconf::{Address, AppName, Slot};
use cutover_registry::{Digest, ImageRef};
use cutover_runtime::{Attachment, Container, ContainerSpec, LogOptions, Mount, Published, Restart};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::compose::{Joined, dotenv};
use crate::config::Config;
use crate::config::app;
use crate::config::secret::Value;
use crate::failure::Failure;
use crate::plan::ReleaseId;

/// The labels by which the engine tells what runs. None holds a secret.
pub mod label {
    /// The app's name.
    pub const APP: &str = "cutover.app";
    /// The slot: `blue` or `green`.
    pub const SLOT: &str = "cutover.slot";
    /// The replica's number, from 1.
    pub const REPLICA: &str = "cutover.replica";
    /// How many replicas there are.
    pub const REPLICAS: &str = "cutover.replicas";
    /// The release's id.
    pub const RELEASE: &str = "cutover.release";
    /// The image as it was asked for.
    pub const IMAGE: &str = "cutover.image";
    /// The image's digest.
    pub const DIGEST: &str = "cutover.digest";
    /// Where the proxy reaches the replica.
    pub const ADDRESS: &str = "cutover.address";
}

/// A release, ready to be run.
#[derive(Debug)]
pub struct Release {
    /// What tells it from others.
    pub id: ReleaseId,
    /// The image as it was asked for, with its tag.
    pub image: ImageRef,
    /// The digest the tag stood for.
    pub digest: Digest,
    settings: Settings,
}

/// How a release's containers are run: the file's settings with every secret read.
#[derive(Debug)]
pub struct Settings {
    env: BTreeMap<String, Variable>,
    template: ContainerSpec,
    network: Option<(String, Vec<String>)>,
    /// Networks of a compose file besides.
    besides: Vec<Attachment>,
    replicas: usize,
    port: u16,
}

#[derive(Debug)]
struct Variable {
    value: SecretString,
    secret: bool,
}

/// Where a replica is reached, and how it comes to that address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port of the engine's host is published to it.
    Published(SocketAddr),
    /// It has a fixed address on a network.
    Fixed {
        /// The network's name.
        network: String,
        /// The address.
        address: SocketAddr,
    },
    /// It has a name on the app's own network.
    Named {
        /// The name.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Place {
    /// The address as the proxy is told.
    #[must_use]
    pub fn address(&self) -> Address {
        match self {
            Self::Published(address) | Self::Fixed { address, .. } => Address::Socket(*address),
            Self::Named { host, port } => Address::Name { host: host.clone(), port: *port },
        }
    }
}

impl Settings {
    /// Reads the settings of an app, its secrets and environment files too.
    ///
    /// # Errors
    /// A secret or file that cannot be read, with the place in the configuration that names it.
    pub async fn read(config: &Config, app: &app::App) -> Result<Self, Failure> {
        let mut env = composed(config, app)?;
        for file in &app.env_files {
            for (name, value) in env_file(config, file)? {
                env.insert(name, Variable { value: value.into(), secret: true });
            }
        }
        for (name, value) in &app.env {
            let variable = match &value.value {
                Value::Plain(text) => Variable { value: text.as_str().into(), secret: false },
                Value::Secret(source) => {
                    let read = source.read(config.base()).await;
                    let value = read.map_err(|error| located(config, value.span.clone(), &error))?;
                    Variable { value, secret: true }
                }
            };
            env.insert(name.clone(), variable);
        }
        Ok(Self {
            env,
            template: template(app),
            network: app.network.as_ref().map(|network| (network.value.clone(), app.aliases.clone())),
            besides: app
                .service
                .iter()
                .flat_map(|service| service.networks.iter().skip(1).map(attachment))
                .collect(),
            replicas: usize::from(*app.replicas),
            port: app.port.get(),
        })
    }

    /// What of the settings makes a release another one. Secrets count by their names: their values stay out of labels.
    fn fingerprint(&self, digest: &Digest) -> ReleaseId {
        let env: BTreeMap<&str, Option<&str>> = self
            .env
            .iter()
            .map(|(name, v)| (name.as_str(), (!v.secret).then(|| v.value.expose_secret())))
            .collect();
        let mut text = format!(
            "{digest}\n{env:?}\n{:?}\n{:?}\n{}\n{}",
            self.template, self.network, self.replicas, self.port
        );
        if !self.besides.is_empty() {
            text.push_str(&format!("\n{:?}", self.besides));
        }
        let hash = Sha256::digest(text.as_bytes());
        ReleaseId(hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether every secret has the value that the container was made with.
    fn secrets_are_in(&self, container: &Container) -> bool {
        self.env.iter().filter(|(_, v)| v.secret).all(|(name, variable)| {
            container.env(name).is_some_and(|there| there.expose_secret() == variable.value.expose_secret())
        })
    }
}

impl Release {
    /// The release of this image with these settings.
    #[must_use]
    pub fn new(image: ImageRef, digest: Digest, settings: Settings) -> Self {
        Self { id: settings.fingerprint(&digest), image, digest, settings }
    }

    /// The reference that the engine pulls: by digest.
    #[must_use]
    pub fn pinned(&self) -> String {
        self.image.with_digest(self.digest.clone()).to_string()
    }

    /// Whether the container was made with this release's secrets as they are now.
    #[must_use]
    pub fn secrets_are_in(&self, container: &Container) -> bool {
        self.settings.secrets_are_in(container)
    }

    /// The container of one replica, numbered from 1, in a slot and at its place.
    #[must_use]
    pub fn container(
        &self,
        app: &AppName,
        slot: Slot,
        replica: usize,
        name: String,
        place: &Place,
    ) -> ContainerSpec {
        let settings = &self.settings;
        let mut spec = settings.template.clone();
        spec.name = name;
        spec.image = self.pinned();
        spec.env = settings.env.iter().map(|(name, v)| (name.clone(), v.value.clone())).collect();
        let own = [
            (label::APP, app.to_string()),
            (label::SLOT, slot.to_string()),
            (label::REPLICA, replica.to_string()),
            (label::REPLICAS, settings.replicas.to_string()),
            (label::RELEASE, self.id.to_string()),
            (label::IMAGE, self.image.to_string()),
            (label::DIGEST, self.digest.to_string()),
            (label::ADDRESS, place.address().to_string()),
        ];
        spec.labels.extend(own.map(|(key, value)| (key.to_owned(), value)));
        attach(&mut spec, settings, place);
        spec
    }
}

fn attach(spec: &mut ContainerSpec, settings: &Settings, place: &Place) {
    if let Some((network, aliases)) = &settings.network {
        let mut attachment = Attachment::new(network.as_str());
        attachment.aliases.clone_from(aliases);
        spec.networks.push(attachment);
    }
    match place {
        Place::Published(host) => spec.publish.push(Published { host: *host, container_port: settings.port }),
        Place::Fixed { network, address } => {
            let SocketAddr::V4(address) = address else { return };
            match spec.networks.iter_mut().find(|attached| attached.network == *network) {
                Some(attached) => attached.address = Some(*address.ip()),
                None => {
                    let mut attachment = Attachment::new(network.as_str());
                    attachment.address = Some(*address.ip());
                    spec.networks.push(attachment);
                }
            }
        }
        Place::Named { host, .. } => {
            if let Some(attached) = spec.networks.first_mut() {
                attached.aliases.push(host.clone());
            }
        }
    }
    let there = |attachment: &&Attachment| spec.networks.iter().all(|at| at.network != attachment.network);
    let besides: Vec<Attachment> = settings.besides.iter().filter(there).cloned().collect();
    spec.networks.extend(besides);
}

fn attachment(joined: &Joined) -> Attachment {
    let mut attachment = Attachment::new(joined.network.as_str());
    attachment.aliases.clone_from(&joined.aliases);
    attachment
}

/// The environment that a compose file gives.
fn composed(config: &Config, app: &app::App) -> Result<BTreeMap<String, Variable>, Failure> {
    let Some(service) = &app.service else { return Ok(BTreeMap::new()) };
    let mut env = BTreeMap::new();
    for file in &service.env_files {
        let text = match std::fs::read_to_string(&file.path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !file.required => continue,
            Err(error) => {
                let problem = format!("the environment file {} cannot be read: {error}", file.path.display());
                let mend = Some("the path is looked up beside the compose file");
                return Err(config.source().invalid(file.span.clone(), problem, mend).into());
            }
        };
        let read =
            if file.raw { dotenv::raw(&text) } else { dotenv::read(&text, &|name| std::env::var(name).ok()) };
        let read = read.map_err(|broken| {
            let problem = format!("{}:{}: {}", file.path.display(), broken.line, broken.problem);
            config.source().invalid(
                file.span.clone(),
                problem,
                Some("write NAME=value, or start the line with #"),
            )
        })?;
        env.extend(
            read.into_iter().map(|(name, value)| (name, Variable { value: value.into(), secret: true })),
        );
    }
    let written = service.environment.iter();
    env.extend(
        written.map(|(name, v)| (name.clone(), Variable { value: v.value.clone(), secret: v.secret })),
    );
    Ok(env)
}

/// What every replica has, whatever its slot. Holds no secret, so that its `Debug` text can be hashed.
fn template(app: &app::App) -> ContainerSpec {
    let mut spec = ContainerSpec::new("", "");
    spec.command.clone_from(&app.command);
    spec.entrypoint.clone_from(&app.entrypoint);
    spec.user.clone_from(&app.user);
    spec.working_dir.clone_from(&app.working_dir);
    spec.labels = app.labels.iter().map(|(key, value)| (key.value.clone(), value.clone())).collect();
    spec.volumes = app
        .volumes
        .iter()
        .map(|v| Mount { source: v.source.clone(), target: v.target.clone(), read_only: v.read_only })
        .collect();
    spec.restart = match *app.restart {
        app::Restart::No => Restart::No,
        app::Restart::OnFailure => Restart::OnFailure(None),
        app::Restart::UnlessStopped | app::Restart::Always => Restart::UnlessStopped,
    };
    spec.memory = app.memory.as_ref().map(|memory| memory.0);
    spec.cpus = app.cpus.as_ref().map(|cpus| cpus.value);
    spec.pids = app.pids.as_ref().map(|pids| i64::from(pids.value));
    if let Some(driver) = &app.log.driver {
        spec.log = LogOptions { driver: driver.clone(), options: BTreeMap::new() };
    }
    spec.log.options.extend(app.log.options.clone());
    spec.stop_signal.clone_from(&app.stop_signal);
    spec.stop_grace = app.stop_grace.0;
    spec.read_only_root = app.read_only;
    if let Some(service) = &app.service {
        service.container.apply(&mut spec);
    }
    spec
}

fn env_file(
    config: &Config,
    file: &crate::config::value::Located<PathBuf>,
) -> Result<Vec<(String, String)>, Failure> {
    let path = config.base().join(&file.value);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let problem = format!("the environment file {} cannot be read: {error}", path.display());
        config.source().invalid(
            file.span.clone(),
            problem,
            Some("the path is looked up beside the configuration"),
        )
    })?;
    let text = Zeroizing::new(text);
    let mut variables = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) =
            line.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains(' '))
        else {
            let problem = format!("{}:{}: not a line of the form NAME=value", path.display(), number + 1);
            let mend = Some("write NAME=value, without `export`, or start the line with #");
            return Err(config.source().invalid(file.span.clone(), problem, mend).into());
        };
        variables.push((name.to_owned(), value.to_owned()));
    }
    Ok(variables)
}

/// A secret that cannot be read, told at the place that names it.
pub(crate) fn located(
    config: &Config,
    span: std::ops::Range<usize>,
    error: &crate::config::secret::SecretUnread,
) -> Failure {
    let why = std::error::Error::source(error).map_or_else(String::new, |source| format!(": {source}"));
    config.source().invalid(span, format!("{error}{why}"), Some(error.mend())).into()
}
