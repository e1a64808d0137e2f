//! Plans for an app whose releases are compared by the requests of their clients.

use super::*;
use crate::plan::Step::Hear;

fn compared(world: World) -> World {
    World { compared: true, ..world }
}

#[test]
fn the_live_release_is_heard_before_its_clients_leave_it_also_where_the_new_one_stands_by() {
    let steps = [Hear(Blue), GateThrough(Green), Switch(Green), Soak(Green)];
    leads(&compared(world(accepted("b"), accepted("a"))), &deploy("a"), &steps, Ending::Deployed);
    let waiting = compared(world(accepted("b"), slot(Some(("a", Stopped)), Some(("c", Healthy)))));
    let steps = [Gate(Green), Hear(Blue), GateThrough(Green), Switch(Green), Soak(Green), Accept(Green)];
    leads(&waiting, &Goal::Promote, &steps, Ending::Deployed);
}

#[test]
fn it_is_heard_once_nginx_has_the_configuration_by_which_it_tells() {
    let stale = World { edge_current: false, ..compared(world(accepted("b"), accepted("a"))) };
    let steps = [Install, Hear(Blue), GateThrough(Green), Switch(Green), Soak(Green)];
    leads(&stale, &deploy("a"), &steps, Ending::Deployed);
}

#[test]
fn where_there_is_nothing_to_compare_with_or_no_need_nothing_is_waited_for() {
    let hears = |world: World, goal: &Goal| {
        plan(&compared(world), goal).unwrap().steps.iter().any(|step| matches!(step, Hear(_)))
    };
    let canary = Goal::Deploy { release: release("c"), promote: true, canary: vec![5] };
    let down = || world(slot(Some(("b", Ailing)), None), empty());
    assert!(hears(world(accepted("b"), empty()), &deploy("c")));
    for (world, goal) in [
        (new_app(), &deploy("c")),
        (down(), &deploy("c")),
        (world(accepted("b"), empty()), &wait("c")),
        (world(accepted("b"), empty()), &canary),
        (world(accepted("b"), accepted("a")), &ROLLBACK),
        (world(accepted("b"), accepted("a")), &deploy("b")),
    ] {
        assert!(!hears(world, goal), "{goal:?}");
    }
}
