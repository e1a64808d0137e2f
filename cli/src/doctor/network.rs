//! The networks that the app's containers join.

use cutover_runtime::Network;

use super::finding::Finding;
use super::ground::Ground;
use crate::places::Cidr;
use crate::target::Target;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let target = match &ground.target {
        Some(Ok(target)) => target,
        // What cannot be reached is told of engine and nginx; what is left is where the slots are to be.
        Some(Err(failure)) if failure.exit() == crate::failure::Exit::Usage || ground.nginx().is_some() => {
            return vec![Finding::failed("network.places", failure, "mend `slots`, or leave them out")];
        }
        _ => return Vec::new(),
    };
    let networks = match target.engine.observe_networks().await {
        Ok(networks) => networks,
        Err(error) => return vec![Finding::failed("network", &error.into(), "see the engine's log")],
    };
    let mut findings: Vec<Finding> = own(target, &networks).into_iter().collect();
    for name in target.networks.joined.iter().chain(&target.networks.besides) {
        findings.push(match networks.iter().filter(|network| network.name == *name).count() {
            0 => Finding::note(
                "network.joined",
                format!("the network {name} is not there"),
                "the next deploy makes it",
            ),
            1 => Finding::ok("network.joined", format!("the network {name} is there")),
            _ => {
                let found = format!("several networks are called {name}");
                Finding::problem("network.joined", found, "remove all but one: `docker network ls`")
            }
        });
    }
    findings
}

fn own(target: &Target<'_>, networks: &[Network]) -> Option<Finding> {
    const NAME: &str = "network.own";
    let (name, subnet) = target.networks.own.as_ref()?;
    if networks.iter().any(|network| network.name == *name) {
        return Some(Finding::ok(NAME, format!("the network {name} has {subnet}")));
    }
    let cidrs = |network: &Network| -> Vec<Cidr> {
        network.subnets.iter().filter_map(|subnet| Cidr::parse(&subnet.cidr)).collect()
    };
    let mend = "give [network] a subnet that is free";
    if let Some(other) =
        networks.iter().find(|network| cidrs(network).iter().any(|cidr| cidr.overlaps(*subnet)))
    {
        let found = format!("{subnet}, for the network {name}, belongs to the network {}", other.name);
        return Some(Finding::problem(NAME, found, mend));
    }
    if target.engine.is_local()
        && let Some((route, device)) = routes().into_iter().find(|(route, _)| route.overlaps(*subnet))
    {
        let found = format!("{subnet}, for the network {name}, overlaps the route to {route} by {device}");
        return Some(Finding::warning(NAME, found, mend));
    }
    Some(Finding::note(
        NAME,
        format!("the network {name} is not there; {subnet} is free"),
        "the next deploy makes it",
    ))
}

/// The routes of this machine but the default one, with their devices.
fn routes() -> Vec<(Cidr, String)> {
    let table = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    table.lines().filter_map(route).collect()
}

/// A line of `/proc/net/route`: its numbers are words of this machine's byte order.
fn route(line: &str) -> Option<(Cidr, String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let address = |at: usize| {
        let word = u32::from_str_radix(words.get(at)?, 16).ok()?;
        Some(std::net::Ipv4Addr::from(word.to_ne_bytes()))
    };
    let length = u32::from(address(7)?).leading_ones();
    let cidr = Cidr::parse(&format!("{}/{length}", address(1)?))?;
    (length > 0).then(|| (cidr, words.first().map(|device| (*device).to_owned()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_but_for_the_default_one() {
        let little = cfg!(target_endian = "little");
        let line = if little {
            "eth0 0000D50A 00000000 0001 0 0 0 0000FFFF 0 0 0"
        } else {
            "eth0 0AD50000 00000000 0001 0 0 0 FFFF0000 0 0 0"
        };
        let (cidr, device) = route(line).unwrap();
        assert_eq!((cidr.to_string().as_str(), device.as_str()), ("10.213.0.0/16", "eth0"));
        assert!(route("eth0 00000000 0100A8C0 0003 0 0 0 00000000 0 0 0").is_none());
        assert!(route("Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT").is_none());
    }
}
