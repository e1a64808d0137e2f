//! One app with the engine it runs on and the edge it stands behind: what every command that looks or acts starts from.

use std::path::PathBuf;

use cutover_proxyconf::{AppName, BySlot, Inherited, NginxVersion, Surface as _};
use cutover_runtime::{Check, Endpoint, Engine, Network};

use crate::config::Config;
use crate::config::app::{App, HealthCheck};
use crate::edge::Edge;
use crate::effect::{Hands, Told};
use crate::failure::{Exit, Failure};
use crate::places::{self, Networks};
use crate::release::{Place, label};

/// Where locks and history are kept when the markers' folder is not of this machine.
const DATA_DIR: &str = "/var/lib/cutover";

/// One app with its engine and its edge.
#[derive(Debug)]
pub struct Target<'c> {
    /// The file.
    pub config: &'c Config,
    /// The app's name.
    pub name: AppName,
    /// Its table.
    pub app: &'c App,
    /// The engine.
    pub engine: Hands,
    /// The edge.
    pub edge: Edge,
    /// The version of nginx.
    pub nginx_version: NginxVersion,
    /// What the app's `server` block would not inherit any more, where it says more of the kind itself.
    pub inherited: Inherited,
    /// Where the replicas of each slot are reached.
    pub places: BySlot<Vec<Place>>,
    /// The networks that the app's containers join.
    pub networks: Networks,
}

impl<'c> Target<'c> {
    /// Connects to the engine and to the edge, with a witness of what is changed on them.
    ///
    /// # Errors
    /// When either cannot be reached, or the file's addresses cannot be had.
    pub async fn connect(
        config: &'c Config,
        name: &AppName,
        app: &'c App,
        witness: &Told,
    ) -> Result<Self, Failure> {
        let engine = connect_engine(config).await?;
        let edge = Edge::connect(&config.file.proxy, &engine, witness).await?;
        let of_nginx = async {
            let version = edge.nginx.surface.version().await?;
            // Only the `server` block of an app whose requests are told says more than others.
            let told = app.rule().is_some();
            let inherited = if told { edge.nginx.inherited(name).await? } else { Inherited::default() };
            Ok::<_, Failure>((version, inherited))
        };
        let on_engine = async {
            let labels = [(label::APP, "")];
            Ok(tokio::try_join!(engine.observe_networks(), engine.observe_labels(&labels))?)
        };
        let ((nginx_version, inherited), (networks, labels)) = tokio::try_join!(of_nginx, on_engine)?;
        let own = own_network(config, app, &networks);
        let places = {
            let own = own.as_ref().map(|(name, subnet)| (name.as_str(), *subnet));
            places::places(name, app, own, &labels, &networks)?
        };
        let joined = app.network.as_ref().map(|network| network.value.clone());
        let besides = app.service.iter().flat_map(|service| service.networks.iter().skip(1));
        let besides = besides.map(|joined| joined.network.clone()).collect();
        let target = Self {
            config,
            name: name.clone(),
            app,
            engine: Hands::new(engine, witness),
            edge,
            nginx_version,
            inherited,
            places,
            networks: Networks { own, joined, besides },
        };
        target.check_reach()?;
        Ok(target)
    }

    /// An nginx in a container reaches only the networks that it is on.
    fn check_reach(&self) -> Result<(), Failure> {
        let Some(on) = self.edge.networks() else { return Ok(()) };
        let needed = self.places.blue.iter().filter_map(|place| match place {
            Place::Fixed { network, .. } => Some(network.as_str()),
            Place::Named { .. } => self.networks.joined.as_deref(),
            Place::Published(_) => None,
        });
        let host = on.iter().any(|network| network == "host");
        match needed.into_iter().find(|network| !host && !on.iter().any(|there| there == network)) {
            None => Ok(()),
            Some(network) => Err(Failure::new(
                Exit::Unreachable,
                format!("the nginx container is not on the network {network}, where the slots are"),
            )
            .serves("nothing was changed")
            .next(format!(
                "`docker network connect {network} CONTAINER`, or name a network in `slots` that it is on"
            ))),
        }
    }

    /// The folder where locks and history are kept.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.config).or_else(|| self.edge.local_state_dir()).unwrap_or_else(|| DATA_DIR.into())
    }

    /// The app's health check.
    #[must_use]
    pub fn check(&self) -> Check {
        let health = &self.app.health;
        match health.check.unwrap_or_default() {
            HealthCheck::Http => Check::Http {
                path: health.path.clone().unwrap_or_else(|| "/".to_owned()),
                host: health.host.clone(),
                expect: health.expect.as_ref().map(|expect| expect.get().clone()).unwrap_or_default(),
            },
            HealthCheck::Tcp => Check::Tcp,
            HealthCheck::Image => Check::Image,
        }
    }

    /// How the preview route is asked: the release that is not live, through nginx.
    #[must_use]
    pub fn preview(&self) -> String {
        format!("http://{}.cutover.localhost:{}/", self.name, self.edge.nginx.control.port())
    }
}

/// The folder where locks and history are kept, as far as the file alone says it: for an nginx in a container that
/// depends on what is mounted.
#[must_use]
pub fn data_dir(config: &Config) -> Option<PathBuf> {
    let proxy = &config.file.proxy;
    let of_host = proxy.nginx.container.is_none().then(|| proxy.state_dir.value.clone());
    config.file.data_dir.clone().or(of_host)
}

/// Connects to the engine that the file names, or else the environment, or else this machine's.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect_engine(config: &Config) -> Result<Engine, Failure> {
    let endpoint = match (&config.file.engine.host, std::env::var("DOCKER_HOST")) {
        (Some(endpoint), _) => endpoint.get().clone(),
        (None, Ok(text)) if !text.is_empty() => text.parse().map_err(|error: cutover_runtime::Error| {
            Failure::from_error(Exit::Usage, &error).next("mend DOCKER_HOST")
        })?,
        _ => Endpoint::default(),
    };
    let connected = Engine::connect(&endpoint).await;
    connected.map_err(|error| Failure::from(error).serves("nothing was changed"))
}

fn own_network(config: &Config, app: &App, networks: &[Network]) -> Option<(String, places::Cidr)> {
    let wanted = &config.file.network;
    app.slots.is_none().then(|| (wanted.name.clone(), places::subnet(wanted, networks)))
}
