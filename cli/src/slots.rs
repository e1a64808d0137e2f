//! The containers of an app's slots: their names, and what stands in each slot by what the engine says.
//!
//! A replica is called `web-green-1`; while its release is only being tried, `web-green-1-next`. The name is the one
//! thing of a container that can change while it runs, so it carries the one fact that changes: whether the release
//! was accepted. The rest is in labels. No file of ours has a say in it.

use std::collections::BTreeSet;

use cutover_proxyconf::{Address, AppName, BySlot, Slot};
use cutover_runtime::{Container, State};

use crate::effect::Hands;
use crate::plan::{Condition, Occupant, ReleaseId};
use crate::release::label;

/// What the name of a replica that is being tried ends with.
const CANDIDATE: &str = "-next";

/// Whether a release is in its slot for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It is.
    Accepted,
    /// It is being tried, or waits for its promotion.
    Candidate,
}

/// The name of a replica, numbered from 1.
#[must_use]
pub fn container_name(app: &AppName, slot: Slot, replica: usize, role: Role) -> String {
    let end = if role == Role::Candidate { CANDIDATE } else { "" };
    format!("{app}-{slot}-{replica}{end}")
}

/// The containers of one slot.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Those of the accepted release, by replica.
    pub accepted: Vec<Container>,
    /// Those of the candidate, by replica.
    pub candidate: Vec<Container>,
}

impl Standing {
    /// The containers that have the slot's addresses: those of the candidate if it runs whole, or else the accepted.
    #[must_use]
    pub fn occupant(&self) -> &[Container] {
        if runs(&self.candidate) || self.accepted.is_empty() { &self.candidate } else { &self.accepted }
    }

    /// The containers that a gate or a soak is about: those that run, or else the candidate's, whose end is to be told.
    #[must_use]
    pub fn tried(&self) -> &[Container] {
        let accepted = self.candidate.is_empty() || (runs(&self.accepted) && !runs(&self.candidate));
        if accepted { &self.accepted } else { &self.candidate }
    }
}

/// Whether these are all the replicas of a release, and run.
fn runs(containers: &[Container]) -> bool {
    let wanted = containers.first().and_then(|c| c.labels.get(label::REPLICAS)?.parse().ok());
    wanted.is_some_and(|wanted: usize| containers.len() >= wanted)
        && containers.iter().all(|container| container.state.is_running())
}

/// Observes the containers of an app, by slot.
///
/// # Errors
/// When the engine cannot be asked.
pub async fn observe_standing(
    engine: &Hands,
    app: &AppName,
) -> Result<BySlot<Standing>, cutover_runtime::Error> {
    let containers = engine.observe_containers(&[(label::APP, app.as_str())]).await?;
    Ok(sort(containers))
}

/// Sorts an app's containers into its slots.
#[must_use]
pub fn sort(containers: Vec<Container>) -> BySlot<Standing> {
    let mut slots = BySlot { blue: Standing::default(), green: Standing::default() };
    for container in containers {
        let Some(slot) = container.labels.get(label::SLOT).and_then(|slot| slot.parse::<Slot>().ok()) else {
            continue;
        };
        let standing = slots.get_mut(slot);
        if container.name.ends_with(CANDIDATE) {
            standing.candidate.push(container);
        } else {
            standing.accepted.push(container);
        }
    }
    for standing in [&mut slots.blue, &mut slots.green] {
        pass_over_strangers(&mut standing.accepted, Role::Accepted);
        pass_over_strangers(&mut standing.candidate, Role::Candidate);
        settle(standing);
        standing.accepted.sort_by_key(replica);
        standing.candidate.sort_by_key(replica);
    }
    slots
}

/// The name that a container's labels ask for.
#[must_use]
pub fn proper_name(container: &Container, role: Role) -> Option<String> {
    let of = |name: &str| container.labels.get(name);
    let slot = of(label::SLOT)?.parse().ok()?;
    Some(container_name(&of(label::APP)?.parse().ok()?, slot, of(label::REPLICA)?.parse().ok()?, role))
}

/// Anybody can start a container with our labels. One that has not even all of them is none of the app's; of two that
/// say to be one replica, the one that has its name is, if either has.
fn pass_over_strangers(containers: &mut Vec<Container>, role: Role) {
    let named = |container: &Container| proper_name(container, role).as_ref() == Some(&container.name);
    let taken: BTreeSet<usize> = containers.iter().filter(|c| named(c)).map(replica).collect();
    containers.retain(|container| {
        let whole = release_label(container).is_some() && container.labels.contains_key(label::ADDRESS);
        whole && replica(container) > 0 && (named(container) || !taken.contains(&replica(container)))
    });
}

/// A run killed while it renamed the replicas of a candidate leaves some with each name: they are one candidate still.
fn settle(standing: &mut Standing) {
    let Some(release) = standing.candidate.first().and_then(release_label) else { return };
    let half_renamed = !standing.accepted.is_empty()
        && standing.accepted.iter().all(|accepted| {
            release_label(accepted).as_ref() == Some(&release)
                && standing.candidate.iter().all(|candidate| replica(candidate) != replica(accepted))
        });
    if half_renamed {
        standing.candidate.append(&mut standing.accepted);
    }
}

fn replica(container: &Container) -> usize {
    container.labels.get(label::REPLICA).and_then(|n| n.parse().ok()).unwrap_or_default()
}

fn release_label(container: &Container) -> Option<ReleaseId> {
    container.labels.get(label::RELEASE).cloned().map(ReleaseId)
}

/// The release that containers of one role make up, or none where there is no container. `well` tells whether all of
/// those that run answer as they should.
#[must_use]
pub fn occupant(containers: &[Container], well: bool) -> Option<Occupant> {
    let first = containers.first()?;
    let release = release_label(first)?;
    let wanted = first.labels.get(label::REPLICAS).and_then(|n| n.parse().ok()).unwrap_or(1);
    let whole =
        containers.len() == wanted && containers.iter().all(|c| release_label(c).as_ref() == Some(&release));
    let all = |test: fn(&State) -> bool| containers.iter().all(|container| test(&container.state));
    let condition = if !whole {
        Condition::Broken
    } else if all(State::is_running) {
        if well { Condition::Healthy } else { Condition::Ailing }
    } else if all(|state| matches!(state, State::Exited { .. } | State::Created)) {
        Condition::Stopped
    } else {
        Condition::Broken
    };
    Some(Occupant { release, condition })
}

/// Where the proxy reaches these containers, by their labels.
#[must_use]
pub fn addresses(containers: &[Container]) -> Vec<Address> {
    containers.iter().filter_map(|c| c.labels.get(label::ADDRESS)?.parse().ok()).collect()
}
