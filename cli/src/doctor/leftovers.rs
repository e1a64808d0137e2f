//! What broken deploys leave: candidates, stopped slots, kept files, the words of a lock.

use std::path::PathBuf;

use cutover_proxyconf::{Slot, marker};

use super::finding::Finding;
use super::ground::Ground;
use crate::edge::Edge;
use crate::lock::{self, Held};
use crate::observe::Observed;
use crate::plan::Condition;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(observed) = ground.observed() {
        findings.extend(Slot::ALL.iter().flat_map(|slot| slot_of(observed, *slot)));
        findings.extend(shares(observed));
    }
    if let Some(edge) = ground.nginx() {
        findings.extend(kept(ground, edge).await);
    }
    findings.extend(locked(ground));
    if findings.is_empty() {
        findings.push(Finding::ok("leftovers", "no deploy left anything behind"));
    }
    findings
}

fn slot_of(observed: &Observed, slot: Slot) -> Vec<Finding> {
    let state = observed.world.slots.get(slot);
    let mut findings = Vec::new();
    let names = |containers: &[cutover_runtime::Container]| {
        containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if let Some(candidate) = &state.candidate {
        let names = names(&observed.standing.get(slot).candidate);
        let mend = "`cutover promote` takes it live, `cutover abort` drops it";
        findings.push(if candidate.condition == Condition::Healthy {
            Finding::note("leftovers.candidate", format!("{names} waits in {slot} for its promotion"), mend)
        } else {
            let found = format!("{names} is in {slot} as a candidate that was never accepted");
            Finding::warning(
                "leftovers.candidate",
                found,
                "`cutover abort` drops it; the next release does too",
            )
        });
    }
    if let Some(accepted) =
        state.accepted.as_ref().filter(|accepted| !accepted.runs() && state.candidate.is_none())
    {
        let names = names(&observed.standing.get(slot).accepted);
        let how = if accepted.condition == Condition::Stopped { "is stopped" } else { "is not all there" };
        let mend = "`cutover backup` gives the standby slot the live release";
        findings.push(Finding::warning("leftovers.slot", format!("{names} in {slot} {how}"), mend));
    }
    findings
}

/// Shares of the clients that a run which was killed has sent to the slot that is not live.
fn shares(observed: &Observed) -> Option<Finding> {
    let (slot, percent) = observed.canary()?;
    let found = format!("{percent} % of the clients are sent to {slot}, which is not live");
    let mend = "the same deploy again goes on from there, `cutover abort` takes them back";
    Some(Finding::warning("leftovers.canary", found, mend))
}

/// Files that nginx's installation keeps until it has ended.
async fn kept(ground: &Ground<'_>, edge: &Edge) -> Vec<Finding> {
    let mend = "the next deploy ends that installation, or takes it back";
    let left: Vec<PathBuf> = match edge.nginx.left(ground.name).await {
        Ok(left) => left,
        Err(error) => {
            return vec![Finding::failed(
                "leftovers.files",
                &error.into(),
                "let this user read the folder `conf_dir`",
            )];
        }
    };
    let told = |path: PathBuf| {
        let found = format!("{} was kept by an installation that never ended", path.display());
        Finding::warning("leftovers.files", found, mend)
    };
    let mut findings: Vec<Finding> = left.into_iter().map(told).collect();
    let marker = marker(&edge.nginx.state_dir, ground.name);
    let marked = edge.local_state_dir().map(|state| state.join(ground.name.as_str()).join("green"));
    if !ground.is_served() && marked.is_some_and(|marked| marked.is_file()) {
        let found = format!("the marker {} is there, and nginx does not serve the app", marker.display());
        findings.push(Finding::note("leftovers.marker", found, "the first release goes to green then"));
    }
    findings
}

fn locked(ground: &Ground<'_>) -> Option<Finding> {
    const NAME: &str = "leftovers.lock";
    let folder = ground
        .target()
        .map(crate::target::Target::data_dir)
        .or_else(|| crate::target::data_dir(ground.config))?;
    match lock::observe(&folder, ground.name) {
        Held::By(holder) => {
            let holder =
                holder.map_or_else(|| "a run that has just begun".to_owned(), |holder| holder.to_string());
            let found = format!("the app's lock is held: {holder}");
            Some(Finding::problem(NAME, found, "wait for it to end: `--wait` does"))
        }
        Held::Left(holder) => {
            let found = format!("a run was killed: {holder}; its lock is free");
            Some(Finding::note(NAME, found, "the same command again ends well"))
        }
        Held::Free => None,
    }
}
