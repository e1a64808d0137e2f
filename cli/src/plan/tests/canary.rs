//! Plans in which a share of the clients is with a slot that is not live.

use super::*;
use crate::plan::Step::{Share, Stage, Unshare};

fn canary(id: &str) -> Goal {
    Goal::Deploy { release: release(id), promote: true, canary: vec![5, 25, 50] }
}

/// Blue is live with `b`, and `c` is tried in green, where `a` was, with this share of the clients.
fn tried(share: u8) -> World {
    marked(world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy)))), 0, share)
}

fn marked(world: World, blue: u8, green: u8) -> World {
    World { shares: BySlot { blue, green }, ..world }
}

#[test]
fn a_canary_is_watched_with_each_share_and_gated_again_before_the_switch() {
    let steps = [
        Network,
        Pull,
        create(Green, "c"),
        Drain(Green),
        Retire(Green),
        place(Green, "c"),
        Gate(Green),
        GateThrough(Green),
        Share(Green, 5),
        Stage(Green),
        Share(Green, 25),
        Stage(Green),
        Share(Green, 50),
        Stage(Green),
        GateThrough(Green),
        Switch(Green),
        Unshare,
        Soak(Green),
        Accept(Green),
    ];
    leads(&world(accepted("b"), accepted("a")), &canary("c"), &steps, Ending::Deployed);
}

#[test]
fn a_first_deploy_has_no_stages_and_neither_has_one_that_waits_or_finds_the_live_slot_down() {
    let shares = |world: &World, goal: &Goal| {
        let steps = plan(world, goal).unwrap().steps;
        steps.iter().filter(|step| matches!(step, Share(..) | Stage(_))).count()
    };
    let wait = Goal::Deploy { release: release("c"), promote: false, canary: vec![5] };
    assert_eq!(shares(&new_app(), &canary("c")), 0);
    assert_eq!(shares(&world(accepted("b"), empty()), &wait), 0);
    assert_eq!(shares(&world(slot(Some(("b", Ailing)), None), empty()), &canary("c")), 0);
    assert_eq!(shares(&world(accepted("b"), empty()), &canary("c")), 6);
}

#[test]
fn a_canary_needs_the_configuration_before_its_first_share() {
    let stale = World { edge_current: false, ..tried(0) };
    let steps = plan(&stale, &canary("c")).unwrap().steps;
    assert_eq!(steps[..3], [Install, GateThrough(Green), Share(Green, 5)]);
}

#[test]
fn a_canary_that_was_killed_goes_on_from_its_share() {
    let end = [GateThrough(Green), Switch(Green), Unshare, Soak(Green), Accept(Green)];
    let goes_on = |share: u8, stages: &[Step]| {
        let steps = [&[GateThrough(Green)], stages, &end].concat();
        leads(&tried(share), &canary("c"), &steps, Ending::Deployed);
    };
    // A share that is there may not have been watched to its end.
    goes_on(25, &[Stage(Green), Share(Green, 50), Stage(Green)]);
    goes_on(50, &[Stage(Green)]);
    goes_on(80, &[Stage(Green)]);
    // One between two stages was not yet sent to its end.
    goes_on(17, &[Share(Green, 25), Stage(Green), Share(Green, 50), Stage(Green)]);
    // Without stages, those who are there wait for the others.
    leads(&tried(25), &deploy("c"), &end, Ending::Deployed);
}

#[test]
fn a_canary_killed_after_its_switch_leaves_void_marks_that_are_removed_before_they_could_count() {
    let killed = marked(world(slot(None, Some(("b", Healthy))), accepted("a")), 50, 0);
    let steps = [Unshare, GateThrough(Blue), Soak(Blue), Accept(Blue)];
    leads(&killed, &canary("b"), &steps, Ending::Deployed);
    leads(&killed, &Goal::Promote, &[Unshare, Soak(Blue), Accept(Blue)], Ending::Deployed);
    let steps = [Unshare, GateThrough(Green), Switch(Green)];
    leads(&killed, &ROLLBACK, &steps, Ending::RolledBack);
    let steps = [&steps[..], &[Drain(Blue), Discard(Blue)]].concat();
    leads(&killed, &ABORT, &steps, Ending::Aborted);
}

#[test]
fn an_abort_sends_the_clients_back_before_it_removes_what_they_tried() {
    let steps = [Unshare, Drain(Green), Discard(Green), Reinstate(Green)];
    leads(&tried(25), &ABORT, &steps, Ending::Aborted);
    let accepted_before = marked(world(accepted("b"), accepted("a")), 0, 25);
    leads(&accepted_before, &ABORT, &[Unshare], Ending::Aborted);
    let ill = marked(world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Ailing)))), 0, 5);
    leads(&ill, &ABORT, &steps, Ending::Aborted);
}

#[test]
fn a_goal_that_ends_in_a_switch_to_the_canary_leaves_its_clients_there() {
    let steps = [Gate(Green), GateThrough(Green), Switch(Green), Unshare, Soak(Green), Accept(Green)];
    leads(&tried(25), &Goal::Promote, &steps, Ending::Deployed);
    let steps = [GateThrough(Green), Switch(Green), Unshare, Accept(Green)];
    leads(&tried(25), &to("c"), &steps, Ending::RolledBack);
    let down =
        World { slots: BySlot { blue: slot(Some(("b", Broken)), None), ..tried(25).slots }, ..tried(25) };
    let steps = [GateThrough(Green), Switch(Green), Unshare, Soak(Green), Accept(Green)];
    leads(&down, &canary("c"), &steps, Ending::Deployed);
}

#[test]
fn a_goal_that_needs_the_slot_of_a_canary_sends_its_clients_back_first() {
    for goal in [deploy("d"), canary("d"), to("d"), ROLLBACK] {
        assert_eq!(plan(&tried(25), &goal).unwrap().steps[0], Unshare, "{goal:?}");
    }
    refuses(&tried(25), &backup("b"), Refusal::Waits(Green));
    let ill = marked(world(accepted("b"), slot(None, Some(("c", Ailing)))), 0, 25);
    assert_eq!(plan(&ill, &backup("b")).unwrap().steps[0], Unshare);
}

#[test]
fn marks_that_are_left_are_removed_where_nothing_else_is_to_be_done() {
    let left = marked(world(accepted("b"), accepted("b")), 0, 25);
    for goal in [deploy("b"), canary("b"), backup("b"), to("b")] {
        leads(&left, &goal, &[Unshare], Ending::Unchanged);
    }
    leads(&tried(25), &wait("c"), &[Unshare, GateThrough(Green)], Ending::Waiting);
    let unserved = marked(new_app(), 5, 25);
    assert_eq!(plan(&unserved, &canary("a")).unwrap().steps[0], Unshare);
    leads(&unserved, &ABORT, &[Unshare], Ending::Aborted);
}
