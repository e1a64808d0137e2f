//! The edge: the nginx that an app stands behind, on this host or in a container, and how we reach it.

mod container;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use cutover_proxyconf::{
    Address, AppName, BySlot, Dump, Error, HostNginx, Inherited, Nginx, NginxVersion, Rendered, Surface,
    render,
};
use cutover_runtime::Engine;
use tokio::net::UnixDatagram;

pub use self::container::ContainerNginx;
use crate::config::app::App;
use crate::config::file::Proxy;
use crate::config::nginx;
use crate::effect::{Told, Watched};
use crate::failure::{Exit, Failure};

/// Where nginx runs.
#[derive(Clone, Debug)]
pub enum Place {
    /// On this host.
    Host(HostNginx),
    /// In a container.
    Container(Box<ContainerNginx>),
}

/// One nginx.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The nginx, and how it is reached.
    pub nginx: Nginx<Watched<Place>>,
    listen: SocketAddr,
    allow: Vec<IpAddr>,
    networks: Vec<String>,
}

impl Edge {
    /// The edge that the file names, with a witness of what is changed there.
    ///
    /// # Errors
    /// When its container is not there or does not run.
    pub async fn connect(proxy: &Proxy, engine: &Engine, witness: &Told) -> Result<Self, Failure> {
        match &proxy.nginx.container {
            None => Ok(Self::on_host(proxy, witness)),
            Some(name) => Ok(Self::at(proxy, contained(name, proxy.control, engine).await?, witness)),
        }
    }

    /// The nginx of this host, which needs no engine to be reached.
    #[must_use]
    pub fn on_host(proxy: &Proxy, witness: &Told) -> Self {
        let binary = proxy.nginx.binary.clone().unwrap_or_else(|| "/usr/sbin/nginx".into());
        let place = Place::Host(HostNginx { binary, conf: proxy.nginx.conf.clone() });
        Self::at(proxy, (place, proxy.control, Vec::new(), Vec::new()), witness)
    }

    fn at(proxy: &Proxy, (place, reached, allow, networks): Contained, witness: &Told) -> Self {
        let nginx = Nginx {
            surface: Watched::new(place, witness),
            conf_dir: proxy.conf_dir.value.clone(),
            state_dir: proxy.state_dir.value.clone(),
            control: reached,
        };
        // In a container loopback is the container's own: the control server listens on all of its addresses, and
        // answers this host's alone.
        let listen = match nginx.surface.place() {
            Place::Host(_) => proxy.control,
            Place::Container(_) => SocketAddr::from(([0, 0, 0, 0], proxy.control.port())),
        };
        Self { nginx, listen, allow, networks }
    }

    /// What nginx is to serve of an app whose slots are at these addresses.
    ///
    /// # Errors
    /// A value that nginx would not take as it is meant.
    pub fn render(
        &self,
        name: &AppName,
        app: &App,
        proxy: &Proxy,
        slots: BySlot<Vec<Address>>,
        (version, inherited): (NginxVersion, &Inherited),
    ) -> Result<Rendered, Error> {
        let mut model = nginx::model(name, app, proxy, (self.listen, &self.allow), slots)?;
        model.inherited = inherited.clone();
        render(&model, version)
    }

    /// The networks that nginx's own container is on; none for an nginx of the host, which reaches all.
    #[must_use]
    pub fn networks(&self) -> Option<&[String]> {
        matches!(self.nginx.surface.place(), Place::Container(_)).then_some(&self.networks)
    }

    /// The address of nginx's own container, where it has one that is not this host's.
    #[must_use]
    pub fn container_address(&self) -> Option<IpAddr> {
        let own = self.networks()?.iter().all(|network| network != "host");
        own.then_some(self.nginx.control.ip())
    }

    /// The folder of the markers as a folder of this machine, where it is one.
    #[must_use]
    pub fn local_state_dir(&self) -> Option<PathBuf> {
        match self.nginx.surface.place() {
            Place::Host(_) => Some(self.nginx.state_dir.clone()),
            Place::Container(container) => container.on_this_machine(&self.nginx.state_dir),
        }
    }
}

type Contained = (Place, SocketAddr, Vec<IpAddr>, Vec<String>);

async fn contained(name: &str, control: SocketAddr, engine: &Engine) -> Result<Contained, Failure> {
    let missing = |what: &str| {
        Failure::new(Exit::Unreachable, format!("the nginx container {name} {what}"))
            .serves("nothing was changed")
            .next(format!("start it: `docker start {name}`, or `docker compose up -d`"))
    };
    let container = engine.observe_container(name).await?.ok_or_else(|| missing("is not there"))?;
    if !container.state.is_running() {
        return Err(missing("does not run"));
    }
    let place = Place::Container(Box::new(ContainerNginx::new(engine, &container)));
    if container.networks.iter().any(|network| network.network == "host") {
        return Ok((place, control, Vec::new(), vec!["host".to_owned()]));
    }
    let address = container.networks.iter().find_map(|network| network.address);
    let address = address.ok_or_else(|| missing("has no address on any network"))?;
    let gateways = container.networks.iter().filter_map(|network| network.gateway).collect();
    let networks = container.networks.iter().map(|network| network.network.clone()).collect();
    Ok((place, SocketAddr::new(address, control.port()), gateways, networks))
}

/// Passes each call on to where nginx runs.
macro_rules! each {
    ($self:ident, $place:ident => $call:expr) => {
        match $self {
            Place::Host($place) => $call,
            Place::Container($place) => $call,
        }
    };
}

impl Surface for Place {
    async fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        each!(self, place => place.read(path).await)
    }

    async fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        each!(self, place => place.write(path, text).await)
    }

    async fn remove(&self, path: &Path) -> Result<(), Error> {
        each!(self, place => place.remove(path).await)
    }

    async fn marker_present(&self, path: &Path) -> Result<bool, Error> {
        each!(self, place => place.marker_present(path).await)
    }

    async fn set_marker(&self, path: &Path, present: bool) -> Result<(), Error> {
        each!(self, place => place.set_marker(path, present).await)
    }

    async fn markers(&self, folder: &Path) -> Result<Vec<String>, Error> {
        each!(self, place => place.markers(folder).await)
    }

    async fn bind(&self, path: &Path) -> Result<UnixDatagram, Error> {
        each!(self, place => place.bind(path).await)
    }

    async fn version(&self) -> Result<NginxVersion, Error> {
        each!(self, place => place.version().await)
    }

    async fn test(&self) -> Result<(), Error> {
        each!(self, place => place.test().await)
    }

    async fn dump(&self) -> Result<Dump, Error> {
        each!(self, place => place.dump().await)
    }

    async fn reload(&self) -> Result<(), Error> {
        each!(self, place => place.reload().await)
    }

    async fn running(&self) -> Result<bool, Error> {
        each!(self, place => place.running().await)
    }
}
