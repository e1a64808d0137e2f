//! What several checks look at, observed once.

use std::time::Duration;

use cutover_proxyconf::{AppName, Serving};
use cutover_registry::Digest;
use cutover_runtime::Engine;
use tokio::time::timeout;

use super::LIMIT;
use crate::config::Config;
use crate::config::app::App;
use crate::credentials;
use crate::edge::Edge;
use crate::effect;
use crate::failure::{Exit, Failure};
use crate::observe::{Observed, observe};
use crate::release::{Release, Settings};
use crate::target::{Target, connect_engine};

/// What several checks look at. A part that could not be had is the failure to have it.
#[derive(Debug)]
pub struct Ground<'c> {
    /// The file.
    pub config: &'c Config,
    /// The app's name.
    pub name: &'c AppName,
    /// Its table.
    pub app: &'c App,
    /// The engine.
    pub engine: Result<Engine, Failure>,
    /// The nginx; none where its container cannot be looked for.
    pub edge: Option<Result<Edge, Failure>>,
    /// What nginx says it serves of the app.
    pub serving: Option<Serving>,
    /// The app with both; none where either could not be had.
    pub target: Option<Result<Target<'c>, Failure>>,
    /// The app as it is; none where there is no target, or it could not be looked at.
    pub observed: Option<Result<Observed, Failure>>,
    /// What a deploy would deploy.
    pub wanted: Wanted,
}

/// What a deploy would deploy: the file's image with the file's settings. Secrets are read and the registry is asked once.
#[derive(Debug)]
pub struct Wanted {
    /// Whether secrets and environment files can be read.
    pub settings: Result<(), Failure>,
    /// What the image stands for, by its registry.
    pub digest: Result<Digest, Failure>,
    /// The release, if both are had.
    pub release: Option<Release>,
}

impl Wanted {
    async fn observe(config: &Config, app: &App) -> Self {
        let image = app.image.get();
        let resolved = async {
            let registry = credentials::client(config, image.registry()).await?;
            // An image by its digest is asked for too: the engine pulls it from there.
            Ok(registry.resolve(image).await?.digest)
        };
        let settings = within("a secret", Settings::read(config, app));
        let (settings, digest) = tokio::join!(settings, within("the registry", resolved));
        let known = image.digest().or(digest.as_ref().ok()).cloned();
        let (settings, release) = match settings {
            Ok(settings) => (Ok(()), known.map(|digest| Release::new(image.clone(), digest, settings))),
            Err(failure) => (Err(failure), None),
        };
        Self { settings, digest, release }
    }
}

impl<'c> Ground<'c> {
    /// Observes all of it.
    pub async fn observe(config: &'c Config, name: &'c AppName, app: &'c App) -> Self {
        let engine = within("the engine", connect_engine(config));
        let (wanted, engine) = tokio::join!(Wanted::observe(config, app), engine);
        let (proxy, witness) = (&config.file.proxy, effect::nobody());
        let edge = match (&engine, &proxy.nginx.container) {
            (_, None) => Some(Ok(Edge::on_host(proxy, &witness))),
            (Ok(engine), Some(_)) => Some(within("nginx", Edge::connect(proxy, engine, &witness)).await),
            (Err(_), Some(_)) => None,
        };
        let serving = match &edge {
            Some(Ok(edge)) => edge.nginx.observe(name).await.ok(),
            _ => None,
        };
        let target = match (&engine, &edge) {
            (Ok(_), Some(Ok(_))) => {
                Some(within("the app", Target::connect(config, name, app, &witness)).await)
            }
            _ => None,
        };
        let observed = match &target {
            Some(Ok(target)) => Some(within("the app", observe(target, None)).await),
            _ => None,
        };
        Self { config, name, app, engine, edge, serving, target, observed, wanted }
    }

    /// The nginx, if it was found.
    #[must_use]
    pub fn nginx(&self) -> Option<&Edge> {
        self.edge.as_ref()?.as_ref().ok()
    }

    /// The app with its engine and its nginx, if both were found.
    #[must_use]
    pub fn target(&self) -> Option<&Target<'c>> {
        self.target.as_ref()?.as_ref().ok()
    }

    /// The app as it is, if it could be looked at.
    #[must_use]
    pub fn observed(&self) -> Option<&Observed> {
        self.observed.as_ref()?.as_ref().ok()
    }

    /// Whether nginx serves the app.
    #[must_use]
    pub fn is_served(&self) -> bool {
        matches!(self.serving, Some(Serving::App { .. }))
    }

    /// Whether nginx serves what the file says, wherever it has that from.
    #[must_use]
    pub fn is_current(&self) -> bool {
        let Some(Serving::App { generation, .. }) = &self.serving else { return false };
        self.observed().is_some_and(|observed| observed.rendered.generation == *generation)
    }

    /// Whether the next deploy installs files of nginx's. It does unless it is known that it need not.
    #[must_use]
    pub fn installs(&self) -> bool {
        !self.observed().is_some_and(|observed| observed.world.edge_current)
    }
}

/// Bounded: what hangs is as good as down.
async fn within<T>(what: &str, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| {
        let words = format!("{what} did not answer within {} s", Duration::as_secs(&LIMIT));
        Err(Failure::new(Exit::Unreachable, words))
    };
    timeout(LIMIT, work).await.unwrap_or_else(late)
}
