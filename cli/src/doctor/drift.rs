//! Where what runs is not what the file says.

use super::finding::Finding;
use super::ground::Ground;
use crate::failure::Exit;
use crate::observe::Observed;
use crate::plan::Condition;
use crate::release::label;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let observed = match &ground.observed {
        Some(Ok(observed)) => observed,
        // Once: an nginx that is down, or whose control server is another's, is told of nginx.
        Some(Err(failure)) if failure.exit() == Exit::Unreachable && !ground.is_served() => {
            let found = format!("what runs cannot be held against the file: {}", failure.reason());
            return vec![Finding::note("drift", found, "mend the problems above first")];
        }
        Some(Err(failure)) => {
            return vec![Finding::failed("drift", failure, "mend the problems above first")];
        }
        None => return Vec::new(),
    };
    let mut findings = vec![nginx(ground, observed)];
    let Some(live) = observed.live() else {
        findings.push(Finding::note(
            "drift.release",
            "nothing is live yet",
            "`cutover deploy` makes a release live",
        ));
        return findings;
    };
    let state = observed.world.slots.get(live);
    findings.push(match state.occupant().map(|occupant| occupant.condition) {
        Some(Condition::Healthy) => {
            Finding::ok("drift.live", format!("{live} is live and answers as it should"))
        }
        _ => {
            let found = format!("the live slot {live} does not answer as it should");
            Finding::warning("drift.live", found, "`cutover status` and `cutover logs` show how it is")
        }
    });
    findings.extend(release(ground, observed));
    findings
}

fn nginx(ground: &Ground<'_>, observed: &Observed) -> Finding {
    if observed.world.edge_current {
        return Finding::ok("drift.nginx", "nginx serves what the file says");
    }
    if !ground.is_served() {
        return Finding::note(
            "drift.nginx",
            "nginx does not know the app yet",
            "the first deploy reloads it",
        );
    }
    Finding::note(
        "drift.nginx",
        "nginx does not serve what the file says",
        "the next deploy reloads it: `cutover plan` shows the change",
    )
}

/// The live release against the file's image and settings. What cannot be read or resolved is told of the release.
fn release(ground: &Ground<'_>, observed: &Observed) -> Option<Finding> {
    const NAME: &str = "drift.release";
    let live = observed.live()?;
    let running = observed.label(live, label::DIGEST)?;
    let release = ground.wanted.release.as_ref()?;
    if release.digest.to_string() != running {
        let found = format!("{} is {}, and {running} is live", release.image, release.digest);
        return Some(Finding::note(NAME, found, "`cutover deploy` makes it live"));
    }
    if observed.label(live, label::RELEASE) != Some(release.id.to_string().as_str()) {
        let found = "the settings of the file are not those that the live release runs with";
        return Some(Finding::note(NAME, found, "`cutover deploy` makes a release with them live"));
    }
    let containers = observed.standing.get(live).occupant();
    if !containers.iter().all(|container| release.secrets_are_in(container)) {
        let found = "a secret has another value than the live release runs with";
        return Some(Finding::note(NAME, found, "`cutover deploy` makes a release with it live"));
    }
    Some(Finding::ok(NAME, "what is live is what the file says"))
}
