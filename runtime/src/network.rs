//! Networks that containers meet on.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bollard::models::{Ipam, IpamConfig, Network as Listed, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptions;

use crate::error::{self, Error, Result};
use crate::{Engine, words};

/// A network as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Network {
    /// The engine's own name for it. Unlike [`name`](Self::name) it stands for one network only.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its driver, such as `bridge`.
    pub driver: String,
    /// Its address ranges.
    pub subnets: Vec<Subnet>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A range of addresses of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subnet {
    /// In CIDR notation, such as `172.20.0.0/16`.
    pub cidr: String,
    /// The host's own address in it.
    pub gateway: Option<IpAddr>,
}

/// A bridge network as wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkSpec {
    /// Its name.
    pub name: String,
    /// Its range in CIDR notation. Left out, the engine takes a free one; containers can have fixed addresses only
    /// on a network whose range was given.
    pub subnet: Option<String>,
    /// Its labels. Those of a network that is there already are left as they are.
    pub labels: BTreeMap<String, String>,
}

/// How long a network that is being made may take to be listed.
const LISTED_WITHIN: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(20);

impl Engine {
    /// All networks, by name.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_networks(&self) -> Result<Vec<Network>> {
        let listed = self.docker().list_networks(None::<ListNetworksOptions>).await;
        let listed = listed.map_err(|e| error::engine("list its networks", e))?;
        let mut networks: Vec<Network> = listed.into_iter().map(Network::from).collect();
        networks.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(networks)
    }

    /// The network of that name, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::AmbiguousNetwork`] when several networks have the name: the engine allows that.
    pub async fn observe_network(&self, name: &str) -> Result<Option<Network>> {
        let mut named = self.observe_networks().await?;
        named.retain(|network| network.name == name);
        match named.len() {
            0 | 1 => Ok(named.pop()),
            _ => {
                let ids = named.into_iter().map(|network| network.id).collect();
                Err(Error::AmbiguousNetwork { name: name.to_owned(), ids })
            }
        }
    }

    /// Makes sure that there is one network of that name, with that subnet where one is given.
    ///
    /// # Errors
    ///
    /// [`Error::SubnetMismatch`] when it is there with another subnet, [`Error::SubnetTaken`] when another network
    /// has the range, [`Error::AmbiguousNetwork`] when several have the name.
    pub async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Network> {
        // The engine would make a second network of the same name, so look first.
        if let Some(network) = self.observe_network(&spec.name).await? {
            return match &spec.subnet {
                Some(wanted) if !network.subnets.iter().any(|subnet| &subnet.cidr == wanted) => {
                    Err(mismatch(&network, wanted))
                }
                _ => Ok(network),
            };
        }
        let ipam = spec.subnet.clone().map(|subnet| Ipam {
            config: Some(vec![IpamConfig { subnet: Some(subnet), ..IpamConfig::default() }]),
            ..Ipam::default()
        });
        let request = NetworkCreateRequest {
            name: spec.name.clone(),
            driver: Some("bridge".to_owned()),
            ipam,
            labels: Some(spec.labels.clone().into_iter().collect::<HashMap<_, _>>()),
            ..NetworkCreateRequest::default()
        };
        let created = match self.docker().create_network(request).await {
            Ok(created) => created,
            Err(e) => return self.made_meanwhile(spec, refused(spec, e)).await,
        };
        tracing::debug!(network = spec.name, id = created.id, "network created");
        let made = self.observe_networks().await?.into_iter().find(|network| network.id == created.id);
        made.ok_or_else(|| Error::NoSuchNetwork {
            doing: format!("keep the network `{}`", spec.name),
            source: "it vanished as soon as it was made".into(),
        })
    }

    /// The network that somebody else made between our look and our try, where that is why ours was refused. The
    /// engine reserves a range a moment before it lists the network.
    async fn made_meanwhile(&self, spec: &NetworkSpec, refused: Error) -> Result<Network> {
        let (Error::SubnetTaken { .. }, Some(wanted)) = (&refused, &spec.subnet) else { return Err(refused) };
        let began = Instant::now();
        loop {
            match self.observe_network(&spec.name).await? {
                Some(network) if network.subnets.iter().any(|subnet| &subnet.cidr == wanted) => {
                    return Ok(network);
                }
                None if began.elapsed() < LISTED_WITHIN => tokio::time::sleep(PAUSE).await,
                _ => return Err(refused),
            }
        }
    }

    /// Removes the network. One that is not there is fine.
    ///
    /// # Errors
    ///
    /// [`Error::NetworkInUse`] while a container is attached to it.
    pub async fn remove_network(&self, id: &str) -> Result<()> {
        match self.docker().remove_network(id).await {
            Ok(()) => Ok(()),
            Err(e) if error::is_absent(&e) => Ok(()),
            Err(e) if error::refusal(&e).is_some_and(|(_, message)| words::network_in_use(message)) => {
                Err(Error::NetworkInUse { network: id.to_owned(), source: e.into() })
            }
            Err(e) => Err(error::engine(format!("remove the network `{id}`"), e)),
        }
    }
}

fn mismatch(network: &Network, wanted: &str) -> Error {
    let found: Vec<&str> = network.subnets.iter().map(|subnet| subnet.cidr.as_str()).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    Error::SubnetMismatch { name: network.name.clone(), wanted: wanted.to_owned(), found }
}

fn refused(spec: &NetworkSpec, error: bollard::errors::Error) -> Error {
    match (error::refusal(&error), &spec.subnet) {
        (Some((_, message)), Some(subnet)) if words::subnet_taken(message) => Error::SubnetTaken {
            name: spec.name.clone(),
            subnet: subnet.clone(),
            source: message.to_owned().into(),
        },
        _ => error::engine(format!("create the network `{}`", spec.name), error),
    }
}

impl From<Listed> for Network {
    fn from(listed: Listed) -> Self {
        let ranges = listed.ipam.and_then(|ipam| ipam.config).unwrap_or_default();
        let subnet = |range: IpamConfig| {
            let gateway = range.gateway.and_then(|gateway| gateway.parse().ok());
            range.subnet.map(|cidr| Subnet { cidr, gateway })
        };
        Self {
            id: listed.id.unwrap_or_default(),
            name: listed.name.unwrap_or_default(),
            driver: listed.driver.unwrap_or_default(),
            subnets: ranges.into_iter().filter_map(subnet).collect(),
            labels: listed.labels.unwrap_or_default().into_iter().collect(),
        }
    }
}
