//! Containers that are not as cutover left them, and others where its own are to be: people's hands.

use std::net::IpAddr;

use cutover_proxyconf::{BySlot, Slot};
use cutover_runtime::Container;

use super::finding::Finding;
use super::ground::Ground;
use crate::observe::Observed;
use crate::release::{Place, label};
use crate::slots::{Role, Standing, container_name, proper_name};
use crate::target::Target;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let (Some(target), Some(observed)) = (ground.target(), ground.observed()) else { return Vec::new() };
    let all = match target.engine.observe_containers(&[]).await {
        Ok(all) => all,
        Err(error) => return vec![Finding::failed("containers", &error.into(), "see the engine's log")],
    };
    let own = own(&observed.standing);
    let is_own = |container: &&Container| own.iter().any(|(_, _, own)| own.id == container.id);
    let others: Vec<&Container> = all.iter().filter(|container| !is_own(container)).collect();
    let mut findings: Vec<Finding> = own.iter().filter_map(|(_, role, own)| renamed(own, *role)).collect();
    findings.extend(own.iter().filter_map(|(slot, _, own)| detached(target, *slot, own)));
    findings.extend(others.iter().filter_map(|other| stranger(target, other)));
    findings.extend(others.iter().filter_map(|other| in_the_way(target, other)));
    if findings.is_empty() {
        findings.push(Finding::ok("containers", found(observed)));
    }
    findings
}

fn found(observed: &Observed) -> String {
    match own(&observed.standing).len() {
        0 => "no container is in the way of the app's".to_owned(),
        count => format!("{count} of the app's are as cutover left them, and no other is in their way"),
    }
}

/// The app's own containers.
fn own(standing: &BySlot<Standing>) -> Vec<(Slot, Role, &Container)> {
    let of = |slot: Slot| {
        let standing = standing.get(slot);
        let accepted = standing.accepted.iter().map(move |container| (slot, Role::Accepted, container));
        accepted.chain(standing.candidate.iter().map(move |container| (slot, Role::Candidate, container)))
    };
    Slot::ALL.into_iter().flat_map(of).collect()
}

fn renamed(own: &Container, role: Role) -> Option<Finding> {
    let proper = proper_name(own, role)?;
    // A run that was killed in between left some of a candidate's replicas with their later names.
    let half_way = proper_name(own, Role::Accepted)? == own.name;
    (own.name != proper && !half_way).then(|| {
        let found = format!("{} was made as {proper}", own.name);
        Finding::warning("containers.name", found, format!("`docker rename {} {proper}`", own.name))
    })
}

/// One that runs and is not where nginx looks for it.
fn detached(target: &Target<'_>, slot: Slot, own: &Container) -> Option<Finding> {
    let number: usize = own.labels.get(label::REPLICA)?.parse().ok()?;
    let Place::Fixed { network, address } = target.places.get(slot).get(number.checked_sub(1)?)? else {
        return None;
    };
    let there = own.networks.iter().any(|at| at.network == *network && at.address == Some(address.ip()));
    (own.state.is_running() && !there).then(|| {
        let found = format!("{} is not at {} on the network {network}", own.name, address.ip());
        let mend =
            format!("`docker network connect --ip {} {network} {}`, or deploy", address.ip(), own.name);
        Finding::warning("containers.network", found, mend)
    })
}

fn stranger(target: &Target<'_>, other: &Container) -> Option<Finding> {
    let claims = other.labels.get(label::APP).map(String::as_str) == Some(target.name.as_str());
    claims.then(|| {
        let found = format!("{} bears the app's labels and is none of its replicas", other.name);
        Finding::warning(
            "containers.stranger",
            found,
            format!("`docker rm -f {}`, if it is nobody's", other.name),
        )
    })
}

/// One that has a name or an address that the next release needs.
fn in_the_way(target: &Target<'_>, other: &Container) -> Option<Finding> {
    let named = Slot::ALL.iter().any(|slot| {
        let numbers = 1..=target.places.get(*slot).len();
        numbers.into_iter().any(|number| {
            [Role::Accepted, Role::Candidate]
                .iter()
                .any(|role| container_name(&target.name, *slot, number, *role) == other.name)
        })
    });
    if named {
        let found = format!("{} has a name of the app's, and is another's", other.name);
        let mend = format!("`docker rename {} ANOTHER`, or remove it", other.name);
        return Some(Finding::problem("containers.taken", found, mend));
    }
    let has = |network: &str, address: IpAddr| {
        other.state.is_running()
            && other.networks.iter().any(|at| at.network == network && at.address == Some(address))
    };
    let places = Slot::ALL.iter().flat_map(|slot| target.places.get(*slot));
    let mut fixed = places.filter_map(|place| match place {
        Place::Fixed { network, address } => Some((network, address.ip())),
        Place::Published(_) | Place::Named { .. } => None,
    });
    let (network, address) = fixed.find(|(network, address)| has(network, *address))?;
    let found = format!(
        "{} has the address {address} on the network {network}, where a replica is to be",
        other.name
    );
    let mend = format!("`docker network disconnect {network} {}`, or remove it", other.name);
    Some(Finding::problem("containers.address", found, mend))
}
