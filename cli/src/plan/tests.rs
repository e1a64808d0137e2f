//! Plans as values, for the situations that have a name.

mod canary;
mod compared;

use cutover_proxyconf::{BySlot, Slot};

use super::Condition::{Ailing, Broken, Healthy, Stopped};
use super::Step::{
    Accept, Create, Discard, Drain, Gate, GateThrough, Install, Network, Place, Pull, Reinstate, Retire,
    Soak, Switch, Withdraw,
};
use super::{
    Condition, Ending, Goal, Live, Occupant, Plan, Refusal, ReleaseId, SlotState, Step, World, plan,
};
use cutover_proxyconf::Slot::{Blue, Green};

fn release(id: &str) -> ReleaseId {
    ReleaseId(id.to_owned())
}

fn occupant((id, condition): (&str, Condition)) -> Occupant {
    Occupant { release: release(id), condition }
}

type Role<'r> = Option<(&'r str, Condition)>;

/// A slot's accepted release and its candidate.
fn slot(accepted: Role<'_>, candidate: Role<'_>) -> SlotState {
    SlotState { accepted: accepted.map(occupant), candidate: candidate.map(occupant) }
}

fn accepted(id: &str) -> SlotState {
    slot(Some((id, Healthy)), None)
}

fn empty() -> SlotState {
    slot(None, None)
}

/// Blue is live and nginx is current.
fn world(blue: SlotState, green: SlotState) -> World {
    World {
        live: Live::Serving(Blue),
        edge_current: true,
        slots: BySlot { blue, green },
        shares: BySlot::default(),
        compared: false,
    }
}

fn new_app() -> World {
    World {
        live: Live::Unserved { next: Blue },
        edge_current: false,
        slots: BySlot { blue: empty(), green: empty() },
        shares: BySlot::default(),
        compared: false,
    }
}

fn deploy(id: &str) -> Goal {
    Goal::Deploy { release: release(id), promote: true, canary: Vec::new() }
}

fn wait(id: &str) -> Goal {
    Goal::Deploy { release: release(id), promote: false, canary: Vec::new() }
}

fn backup(id: &str) -> Goal {
    Goal::Backup { release: release(id) }
}

fn to(id: &str) -> Goal {
    Goal::Rollback { to: Some(release(id)) }
}

const ABORT: Goal = Goal::Abort { withdraw: false };
const ROLLBACK: Goal = Goal::Rollback { to: None };

#[track_caller]
fn leads(world: &World, goal: &Goal, steps: &[Step], ending: Ending) {
    assert_eq!(plan(world, goal), Ok(Plan { steps: steps.to_vec(), ending }));
}

#[track_caller]
fn refuses(world: &World, goal: &Goal, refusal: Refusal) {
    assert_eq!(plan(world, goal), Err(refusal));
}

fn create(slot: Slot, id: &str) -> Step {
    Create(slot, release(id))
}

fn place(slot: Slot, id: &str) -> Step {
    Place(slot, release(id))
}

#[test]
fn the_first_deploy_reloads_once_and_needs_no_switch() {
    let steps = [
        Network,
        Pull,
        create(Blue, "a"),
        place(Blue, "a"),
        Gate(Blue),
        Install,
        GateThrough(Blue),
        Soak(Blue),
        Accept(Blue),
    ];
    leads(&new_app(), &deploy("a"), &steps, Ending::Deployed);
}

#[test]
fn the_second_deploy_reloads_nothing_and_leaves_the_old_release_running() {
    let steps = [
        Network,
        Pull,
        create(Green, "b"),
        place(Green, "b"),
        Gate(Green),
        GateThrough(Green),
        Switch(Green),
        Soak(Green),
        Accept(Green),
    ];
    leads(&world(accepted("a"), empty()), &deploy("b"), &steps, Ending::Deployed);
}

#[test]
fn a_standby_that_runs_is_drained_and_kept_and_one_that_is_stopped_just_kept() {
    let tail =
        [place(Green, "c"), Gate(Green), GateThrough(Green), Switch(Green), Soak(Green), Accept(Green)];
    let steps = [&[Network, Pull, create(Green, "c"), Drain(Green), Retire(Green)], &tail[..]].concat();
    leads(&world(accepted("b"), accepted("a")), &deploy("c"), &steps, Ending::Deployed);
    let steps = [&[Network, Pull, create(Green, "c")], &tail[..]].concat();
    leads(&world(accepted("b"), slot(Some(("a", Stopped)), None)), &deploy("c"), &steps, Ending::Deployed);
}

#[test]
fn a_release_that_stands_by_already_goes_live_as_it_is() {
    let steps = [GateThrough(Green), Switch(Green), Soak(Green)];
    leads(&world(accepted("a"), accepted("b")), &deploy("b"), &steps, Ending::Deployed);
}

#[test]
fn a_release_that_is_live_already_is_left_alone() {
    leads(&world(accepted("a"), empty()), &deploy("a"), &[], Ending::Unchanged);
    leads(&world(accepted("a"), empty()), &wait("a"), &[], Ending::Unchanged);
}

#[test]
fn a_changed_configuration_is_installed_and_looked_at() {
    let stale = World { edge_current: false, ..world(accepted("a"), accepted("a")) };
    leads(&stale, &deploy("a"), &[Install, GateThrough(Blue)], Ending::Unchanged);
    leads(&stale, &backup("a"), &[Install, GateThrough(Green)], Ending::Unchanged);
}

#[test]
fn a_release_that_is_not_promoted_waits_as_a_candidate() {
    let steps = [Network, Pull, create(Green, "b"), place(Green, "b"), Gate(Green), GateThrough(Green)];
    leads(&world(accepted("a"), empty()), &wait("b"), &steps, Ending::Waiting);
    let waiting = world(accepted("a"), slot(None, Some(("b", Healthy))));
    leads(&waiting, &wait("b"), &[GateThrough(Green)], Ending::Waiting);
    // What was accepted there could not be promoted.
    let steps = [
        Network,
        Pull,
        create(Green, "b"),
        Drain(Green),
        Retire(Green),
        place(Green, "b"),
        Gate(Green),
        GateThrough(Green),
    ];
    leads(&world(accepted("a"), accepted("b")), &wait("b"), &steps, Ending::Waiting);
}

#[test]
fn a_promotion_gates_again_before_it_switches() {
    let waiting = world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy))));
    let steps = [Gate(Green), GateThrough(Green), Switch(Green), Soak(Green), Accept(Green)];
    leads(&waiting, &Goal::Promote, &steps, Ending::Deployed);
}

#[test]
fn a_promotion_killed_after_the_switch_is_watched_to_its_end() {
    let killed = world(slot(None, Some(("b", Healthy))), accepted("a"));
    leads(&killed, &Goal::Promote, &[Soak(Blue), Accept(Blue)], Ending::Deployed);
}

#[test]
fn an_abort_removes_what_waits_and_starts_what_was_stopped_for_it() {
    let waiting = world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy))));
    leads(&waiting, &ABORT, &[Drain(Green), Discard(Green), Reinstate(Green)], Ending::Aborted);
    let half_stopped = world(accepted("b"), slot(Some(("a", Broken)), None));
    leads(&half_stopped, &ABORT, &[Reinstate(Green)], Ending::Aborted);
}

#[test]
fn a_release_that_fails_the_soak_is_left_before_it_is_removed() {
    let failed = world(slot(Some(("a", Stopped)), Some(("c", Ailing))), accepted("b"));
    let steps = [GateThrough(Green), Switch(Green), Drain(Blue), Discard(Blue), Reinstate(Blue)];
    leads(&failed, &ABORT, &steps, Ending::Aborted);
    let accepted_before = world(slot(Some(("b", Ailing)), None), accepted("a"));
    leads(&accepted_before, &ABORT, &[GateThrough(Green), Switch(Green)], Ending::Aborted);
}

#[test]
fn a_first_release_that_fails_is_withdrawn() {
    let failed = world(slot(None, Some(("a", Ailing))), empty());
    let steps = [Withdraw, Drain(Blue), Discard(Blue)];
    leads(&failed, &Goal::Abort { withdraw: true }, &steps, Ending::Aborted);
    refuses(&failed, &ABORT, Refusal::NothingBehind);
}

#[test]
fn a_backup_brings_the_standby_up_to_the_live_release() {
    let steps = [
        Network,
        Pull,
        create(Green, "b"),
        Drain(Green),
        Retire(Green),
        place(Green, "b"),
        Gate(Green),
        GateThrough(Green),
        Accept(Green),
    ];
    leads(&world(accepted("b"), accepted("a")), &backup("b"), &steps, Ending::BackedUp);
    leads(&world(accepted("b"), accepted("b")), &backup("b"), &[], Ending::Unchanged);
    let killed = world(accepted("b"), slot(Some(("a", Stopped)), Some(("b", Healthy))));
    leads(&killed, &backup("b"), &[GateThrough(Green), Accept(Green)], Ending::BackedUp);
}

#[test]
fn a_warm_rollback_starts_nothing() {
    let deployed = world(accepted("b"), accepted("a"));
    leads(&deployed, &ROLLBACK, &[GateThrough(Green), Switch(Green)], Ending::RolledBack);
    leads(&deployed, &to("a"), &[GateThrough(Green), Switch(Green)], Ending::RolledBack);
    leads(&deployed, &to("b"), &[], Ending::Unchanged);
}

#[test]
fn a_rollback_past_a_release_that_waits_starts_what_stood_there() {
    let waiting = world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy))));
    let steps =
        [Drain(Green), Discard(Green), Reinstate(Green), Gate(Green), GateThrough(Green), Switch(Green)];
    leads(&waiting, &ROLLBACK, &steps, Ending::RolledBack);
}

#[test]
fn a_cold_rollback_places_the_release_anew() {
    let steps = [
        Network,
        Pull,
        create(Green, "a"),
        Drain(Green),
        Retire(Green),
        place(Green, "a"),
        Gate(Green),
        GateThrough(Green),
        Switch(Green),
        Accept(Green),
    ];
    leads(&world(accepted("b"), accepted("b")), &to("a"), &steps, Ending::RolledBack);
}

#[test]
fn a_deploy_killed_after_the_switch_is_watched_to_its_end() {
    let killed = world(slot(None, Some(("b", Healthy))), accepted("a"));
    leads(&killed, &deploy("b"), &[GateThrough(Blue), Soak(Blue), Accept(Blue)], Ending::Deployed);
}

#[test]
fn where_the_live_slot_is_dead_the_standby_is_made_live_before_the_dead_slot_is_used() {
    let dead = world(slot(Some(("b", Broken)), None), accepted("a"));
    let steps = [
        GateThrough(Green),
        Switch(Green),
        Network,
        Pull,
        Drain(Blue),
        Retire(Blue),
        create(Blue, "c"),
        place(Blue, "c"),
        Gate(Blue),
        GateThrough(Blue),
        Switch(Blue),
        Soak(Blue),
        Accept(Blue),
    ];
    leads(&dead, &deploy("c"), &steps, Ending::Deployed);
    leads(&dead, &deploy("a"), &[GateThrough(Green), Switch(Green), Soak(Green)], Ending::Deployed);
}

#[test]
fn a_dead_candidate_beside_what_serves_is_removed_and_never_accepted() {
    let leftover = || slot(Some(("a", Healthy)), Some(("b", Stopped)));
    leads(&world(leftover(), empty()), &deploy("a"), &[Discard(Blue)], Ending::Unchanged);
    let steps = [GateThrough(Green), Switch(Green), Soak(Green), Discard(Green)];
    leads(&world(accepted("c"), leftover()), &deploy("a"), &steps, Ending::Deployed);
    refuses(&world(accepted("c"), leftover()), &Goal::Promote, Refusal::NothingWaits);
}

#[test]
fn a_run_killed_once_it_had_made_its_containers_is_taken_up_or_back_with_nothing_drained_for_it() {
    let killed = world(accepted("b"), slot(Some(("a", Healthy)), Some(("c", Stopped))));
    leads(&killed, &ABORT, &[Discard(Green), Reinstate(Green)], Ending::Aborted);
    let steps = |id: &str, discard: &[Step]| {
        let begin = [&[Network, Pull], discard, &[create(Green, id), Drain(Green), Retire(Green)]].concat();
        let end =
            [place(Green, id), Gate(Green), GateThrough(Green), Switch(Green), Soak(Green), Accept(Green)];
        [begin, end.to_vec()].concat()
    };
    leads(&killed, &deploy("c"), &steps("c", &[]), Ending::Deployed);
    leads(&killed, &deploy("d"), &steps("d", &[Discard(Green)]), Ending::Deployed);
}

#[test]
fn what_cannot_be_reached_is_refused_before_anything_is_touched() {
    let ailing = || slot(Some(("b", Ailing)), None);
    let waiting = world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy))));
    refuses(&new_app(), &Goal::Promote, Refusal::NothingLive);
    refuses(&new_app(), &backup("a"), Refusal::NothingLive);
    refuses(&new_app(), &ROLLBACK, Refusal::NothingLive);
    refuses(&new_app(), &to("a"), Refusal::NothingLive);
    refuses(&new_app(), &ABORT, Refusal::NothingWaits);
    refuses(&world(accepted("a"), empty()), &Goal::Promote, Refusal::NothingWaits);
    refuses(&world(accepted("a"), empty()), &ABORT, Refusal::NothingWaits);
    refuses(&world(accepted("a"), empty()), &ROLLBACK, Refusal::NothingBehind);
    refuses(&world(accepted("a"), accepted("a")), &ROLLBACK, Refusal::NothingBehind);
    refuses(&world(ailing(), accepted("a")), &backup("b"), Refusal::LiveAiling(Blue));
    refuses(&world(accepted("a"), empty()), &backup("b"), Refusal::SettingsChanged);
    refuses(&waiting, &backup("b"), Refusal::Waits(Green));
    refuses(
        &World { slots: BySlot { blue: ailing(), ..waiting.slots }, ..waiting },
        &ROLLBACK,
        Refusal::Waits(Green),
    );
}
