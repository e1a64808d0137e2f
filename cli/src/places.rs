//! Where each slot's replicas are reached: addresses of the file's, or fixed ones on the network that cutover makes.
//!
//! An app's addresses on that network must stay the same from release to release, without a file that remembers them.
//! So they are a function of the app's name, moved on where another app's containers have them already; and an app
//! that has containers keeps the addresses these have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};

use cutover_proxyconf::{Address, AppName, BySlot, Slot};
use cutover_runtime::{Network, NetworkSpec};
use sha2::{Digest as _, Sha256};

use crate::config::app::App;
use crate::config::file;
use crate::effect::Hands;
use crate::failure::{Exit, Failure};
use crate::release::{Place, label};

/// The first subnet that is tried for cutover's own network; the following /16 come after it.
const FIRST_SUBNET: Ipv4Addr = Ipv4Addr::new(10, 213, 0, 0);

/// So many are tried.
const SUBNETS: u8 = 20;

/// The addresses before this one in a subnet are left to its gateway and to containers of others.
const FIRST_HOST: u32 = 16;

/// The networks that an app's containers join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks {
    /// The network that cutover makes for slots without addresses of the file's, and its subnet.
    pub own: Option<(String, Cidr)>,
    /// The app's network of the file.
    pub joined: Option<String>,
    /// Those of its compose file besides.
    pub besides: Vec<String>,
}

/// An IPv4 subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    base: u32,
    length: u8,
}

impl Cidr {
    /// Reads `10.213.0.0/16`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/')?;
        let length: u8 = length.parse().ok().filter(|length| *length <= 32)?;
        let address: Ipv4Addr = address.parse().ok()?;
        Some(Self { base: u32::from(address) & mask(length), length })
    }

    fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.length) == self.base
    }

    /// Whether any address is of both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let length = self.length.min(other.length);
        self.base & mask(length) == other.base & mask(length)
    }

    fn size(self) -> u32 {
        !mask(self.length)
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.length)
    }
}

fn mask(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0)
}

/// The labels of a container.
pub type Labels = BTreeMap<String, String>;

/// The places of an app's replicas in both slots, by what the file says, what there is (by its labels), and the engine's networks.
///
/// # Errors
/// When a slot's address belongs to a network on which it cannot be had.
pub fn places(
    name: &AppName,
    app: &App,
    own: Option<(&str, Cidr)>,
    all: &[Labels],
    networks: &[Network],
) -> Result<BySlot<Vec<Place>>, Failure> {
    let Some(slots) = &app.slots else {
        let (network, subnet) =
            own.ok_or_else(|| Failure::new(Exit::Fault, "no subnet was chosen for the slots"))?;
        return Ok(assign(name, usize::from(*app.replicas), app.port.get(), network, subnet, all));
    };
    let joined = app.network.as_ref().and_then(|wanted| networks.iter().find(|n| n.name == wanted.value));
    let of = |addresses: &[crate::config::value::Parsed<Address>]| {
        addresses.iter().map(|address| place(address.get(), app, joined)).collect::<Result<Vec<_>, _>>()
    };
    Ok(BySlot { blue: of(slots.blue.as_slice())?, green: of(slots.green.as_slice())? })
}

/// An address of the file: on the app's own network if it belongs to that, or else a published port.
fn place(address: &Address, app: &App, joined: Option<&Network>) -> Result<Place, Failure> {
    let socket = match address {
        Address::Name { host, port } => return Ok(Place::Named { host: host.clone(), port: *port }),
        Address::Socket(socket) => *socket,
    };
    let SocketAddr::V4(v4) = socket else { return Ok(Place::Published(socket)) };
    let on = joined.filter(|network| {
        network.subnets.iter().filter_map(|s| Cidr::parse(&s.cidr)).any(|cidr| cidr.contains(*v4.ip()))
    });
    match on {
        None => Ok(Place::Published(socket)),
        Some(network) if v4.port() != app.port.get() => {
            let words = format!(
                "the slot address {socket} is on the network {}, where the app listens on {}",
                network.name, app.port
            );
            Err(Failure::new(Exit::Usage, words).next("write the app's own port in `slots`"))
        }
        Some(network) => Ok(Place::Fixed { network: network.name.clone(), address: socket }),
    }
}

fn assign(
    name: &AppName,
    replicas: usize,
    port: u16,
    network: &str,
    subnet: Cidr,
    all: &[Labels],
) -> BySlot<Vec<Place>> {
    let of_app = |labels: &&Labels| labels.get(label::APP).map(String::as_str) == Some(name.as_str());
    let address = |labels: &Labels| -> Option<Ipv4Addr> {
        match labels.get(label::ADDRESS)?.parse().ok()? {
            Address::Socket(SocketAddr::V4(address)) => Some(*address.ip()).filter(|ip| subnet.contains(*ip)),
            _ => None,
        }
    };
    let taken: BTreeSet<u32> =
        all.iter().filter(|c| !of_app(c)).filter_map(address).map(|ip| u32::from(ip) - subnet.base).collect();
    let half = u32::try_from(replicas.next_power_of_two().max(4)).unwrap_or(64);
    let block = 2 * half;
    let start = all
        .iter()
        .filter(of_app)
        .find_map(|labels| {
            let offset = u32::from(address(labels)?) - subnet.base;
            Some(offset - (offset - FIRST_HOST) % block)
        })
        .filter(|start| taken.range(*start..start + block).next().is_none())
        .unwrap_or_else(|| free_block(name, block, subnet, &taken));
    let socket = |offset: u32| SocketAddr::from((Ipv4Addr::from(subnet.base + offset), port));
    BySlot::from_fn(|slot| {
        let first = if slot == Slot::Blue { start } else { start + half };
        (0..u32::try_from(replicas).unwrap_or(0))
            .map(|n| Place::Fixed { network: network.to_owned(), address: socket(first + n) })
            .collect()
    })
}

fn free_block(name: &AppName, block: u32, subnet: Cidr, taken: &BTreeSet<u32>) -> u32 {
    let blocks = ((subnet.size() - FIRST_HOST) / block).max(1);
    let hash = Sha256::digest(name.as_str().as_bytes());
    let wanted = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]) % blocks;
    (0..blocks)
        .map(|step| FIRST_HOST + (wanted + step) % blocks * block)
        .find(|start| taken.range(*start..start + block).next().is_none())
        .unwrap_or(FIRST_HOST)
}

/// The subnet of cutover's own network: the one it has, or else the file's, or else the first that is free.
#[must_use]
pub fn subnet(wanted: &file::Network, networks: &[Network]) -> Cidr {
    let cidrs =
        |network: &Network| network.subnets.iter().filter_map(|s| Cidr::parse(&s.cidr)).collect::<Vec<_>>();
    let there = networks.iter().find(|network| network.name == wanted.name);
    if let Some(cidr) = there.and_then(|network| cidrs(network).first().copied()) {
        return cidr;
    }
    if let Some(cidr) = wanted.subnet.as_ref().and_then(|text| Cidr::parse(text)) {
        return cidr;
    }
    let used: Vec<Cidr> = networks.iter().flat_map(cidrs).collect();
    let candidate = |n: u8| Cidr { base: u32::from(FIRST_SUBNET) + (u32::from(n) << 16), length: 16 };
    let free = (0..SUBNETS).map(candidate).find(|cidr| !used.iter().any(|other| cidr.overlaps(*other)));
    free.unwrap_or_else(|| candidate(0))
}

/// Makes the networks that are not there.
///
/// # Errors
/// When the engine cannot.
pub async fn ensure_networks(engine: &Hands, networks: &Networks) -> Result<(), cutover_runtime::Error> {
    let labels = [("cutover.network".to_owned(), "1".to_owned())].into();
    if let Some((name, subnet)) = &networks.own {
        let spec = NetworkSpec { name: name.clone(), subnet: Some(subnet.to_string()), labels };
        engine.ensure_network(&spec).await?;
    }
    for name in networks.joined.iter().chain(&networks.besides) {
        let spec = NetworkSpec { name: name.clone(), subnet: None, labels: [].into() };
        engine.ensure_network(&spec).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_holds_its_addresses_and_meets_its_neighbours() {
        let cidr = Cidr::parse("10.213.7.9/16").unwrap();
        assert_eq!(cidr.to_string(), "10.213.0.0/16");
        assert!(
            cidr.contains(Ipv4Addr::new(10, 213, 255, 1)) && !cidr.contains(Ipv4Addr::new(10, 214, 0, 1))
        );
        assert!(cidr.overlaps(Cidr::parse("10.0.0.0/8").unwrap()));
        assert!(cidr.overlaps(Cidr::parse("10.213.4.0/24").unwrap()));
        assert!(!cidr.overlaps(Cidr::parse("10.212.0.0/16").unwrap()));
        for text in ["10.0.0.0", "10.0.0/8", "10.0.0.0/33", "x/8"] {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
    }

    #[test]
    fn apps_get_addresses_of_their_own_that_do_not_depend_on_each_other() {
        let subnet = Cidr::parse("10.213.0.0/16").unwrap();
        let of = |name: &str| assign(&name.parse().unwrap(), 3, 80, "cutover", subnet, &[]);
        let (web, api) = (of("web"), of("api"));
        assert_eq!(web, of("web"));
        let all: BTreeSet<String> = [&web.blue, &web.green, &api.blue, &api.green]
            .into_iter()
            .flatten()
            .map(|place| place.address().to_string())
            .collect();
        assert_eq!(all.len(), 12);
    }

    #[test]
    fn a_taken_block_is_passed_over() {
        let subnet = Cidr::parse("10.213.0.0/16").unwrap();
        let name = "web".parse().unwrap();
        let first = free_block(&name, 8, subnet, &BTreeSet::new());
        assert_eq!(free_block(&name, 8, subnet, &[first + 3].into()), first + 8);
    }
}
