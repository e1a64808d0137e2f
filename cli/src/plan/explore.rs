//! Every world, every command upon it, killed after every touch, with good releases and bad: what a plan promises holds
//! at every one of these points, and plan after plan leads to what was wanted.

mod model;
mod promises;
mod run;

use std::collections::{HashSet, VecDeque};

use self::model::{Edge, Model, Release, STAGES};
use self::promises::Story;
use self::run::{Broken, Health, Planner, Run};
use super::{Goal, Plan, Refusal, Step, World, plan};

/// How much was seen.
#[derive(Debug, Default)]
struct Explored {
    /// Worlds, with blue and green taken as one.
    worlds: usize,
    /// A world, a goal, and how the new release behaves.
    runs: usize,
    /// Touches of the engine or of nginx. The run may be killed after each: the world then is one of `worlds`.
    transitions: usize,
}

/// The goals, each with the ways in which a release that it starts may behave.
fn goals() -> Vec<(Goal, Vec<Health>)> {
    use Health::{Good, Never, NotThrough, UntilSwitch};
    let release = || Release::New.id();
    let canary = STAGES.to_vec();
    vec![
        (
            Goal::Deploy { release: release(), promote: true, canary: Vec::new() },
            vec![Good, Never, UntilSwitch, NotThrough],
        ),
        (Goal::Deploy { release: release(), promote: false, canary: Vec::new() }, vec![Good, Never]),
        (
            Goal::Deploy { release: release(), promote: true, canary },
            vec![Good, Never, UntilSwitch, NotThrough],
        ),
        (Goal::Promote, vec![Good, UntilSwitch]),
        (Goal::Abort { withdraw: false }, vec![Good]),
        (Goal::Backup { release: release() }, vec![Good, Never]),
        (Goal::Rollback { to: None }, vec![Good]),
        (Goal::Rollback { to: Some(release()) }, vec![Good, Never]),
    ]
}

/// A deploy with stages as it would be without.
fn plain(goal: &Goal) -> Option<Goal> {
    match goal {
        Goal::Deploy { release, promote, canary } if !canary.is_empty() => {
            Some(Goal::Deploy { release: release.clone(), promote: *promote, canary: Vec::new() })
        }
        _ => None,
    }
}

fn same(planner: Planner, start: &Model, one: &Goal, other: &Goal) -> bool {
    let world = start.observe();
    planner(&world, one) == planner(&world, other)
}

/// Breadth first from every world that can be observed. Whatever a run leaves behind when it is killed is a world to
/// begin from with every goal, not only with the one it was killed at.
fn explore(planner: Planner) -> Result<Explored, String> {
    let goals = goals();
    let mut explored = Explored::default();
    let mut seen = HashSet::new();
    let mut queue: VecDeque<Model> = Model::every().filter(|model| seen.insert(*model)).collect();
    while let Some(start) = queue.pop_front() {
        for (goal, healths) in &goals {
            // Then it is the same run.
            if plain(goal).is_some_and(|plain| same(planner, &start, goal, &plain)) {
                continue;
            }
            for health in healths {
                explored.runs += 1;
                let mut see = |model: Model| {
                    explored.transitions += 1;
                    let model = model.canonical();
                    if seen.insert(model) {
                        queue.push_back(model);
                    }
                };
                let mut run = Run::new(start, planner, *health, &mut see);
                let ran = run.go(goal);
                let end = run.model;
                let story = Story { planner, goal, health: *health, start };
                ran.and_then(|ran| story.hold(&ran, end)).map_err(|Broken(promise)| {
                    let plan = planner(&start.observe(), goal);
                    format!("{promise}\n{goal:?}, {health:?}\nfrom {start:?}\nto   {end:?}\nby   {plan:?}")
                })?;
            }
        }
    }
    explored.worlds = seen.len();
    Ok(explored)
}

#[test]
fn from_every_world_killed_anywhere_traffic_goes_on_and_the_same_command_ends_well() {
    let explored = explore(plan).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{explored:?}");
    assert!(explored.worlds > 70_000 && explored.transitions > 6_000_000, "{explored:?}");
}

/// The search takes blue and green as one.
#[test]
fn blue_and_green_are_planned_for_alike() {
    let slots = |plan: Result<Plan, Refusal>| {
        let words = format!("{plan:?}").replace("Blue", "-").replace("Green", "Blue");
        words.replace('-', "Green")
    };
    for model in Model::every().filter(|model| model.edge == Edge::Current) {
        for (goal, _) in goals() {
            let (here, there) = (plan(&model.observe(), &goal), plan(&model.mirrored().observe(), &goal));
            assert_eq!(slots(here), format!("{there:?}"), "{goal:?} {model:?}");
        }
    }
}

/// A planner with a fault: the search must find it.
#[track_caller]
fn finds(planner: Planner, promise: &str) {
    let broken = explore(planner).expect_err("a planner with a fault was not found out");
    assert!(broken.starts_with(promise), "{broken}");
}

fn without(world: &World, goal: &Goal, left_out: fn(&Step) -> bool) -> Result<Plan, Refusal> {
    let mut plan = plan(world, goal)?;
    plan.steps.retain(|step| !left_out(step));
    Ok(plan)
}

#[test]
fn the_search_finds_a_switch_without_a_gate() {
    finds(
        |world, goal| without(world, goal, |step| matches!(step, Step::GateThrough(_))),
        "traffic was sent to a slot that nginx had no good answer from",
    );
}

#[test]
fn the_search_finds_a_release_that_is_started_and_was_not_made() {
    finds(
        |world, goal| without(world, goal, |step| matches!(step, Step::Create(..))),
        "a release was started that this run has not made",
    );
}

#[test]
fn the_search_finds_a_live_slot_that_is_stopped() {
    finds(
        |world, goal| {
            let mut plan = plan(world, goal)?;
            if let Some(Step::Switch(slot)) = plan.steps.iter().find(|step| matches!(step, Step::Switch(_))) {
                plan.steps.insert(0, Step::Retire(slot.other()));
            }
            Ok(plan)
        },
        "a container that runs in the live slot was touched",
    );
}

#[test]
fn the_search_finds_a_release_that_is_never_accepted() {
    finds(
        |world, goal| without(world, goal, |step| matches!(step, Step::Accept(_))),
        "the plan was done and did not lead to the goal",
    );
}

#[test]
fn the_search_finds_a_standby_that_is_not_put_back() {
    finds(
        |world, goal| without(world, goal, |step| matches!(step, Step::Reinstate(_))),
        "a release was rejected, and the slots are not as they were",
    );
}

#[test]
fn the_search_finds_a_canary_whose_marks_are_left() {
    finds(
        |world, goal| {
            let mut plan = plan(world, goal)?;
            let tried = plan.steps.iter().any(|step| matches!(step, Step::Share(..)));
            plan.steps.retain(|step| !(tried && *step == Step::Unshare));
            Ok(plan)
        },
        "the plan was done, and marks are left that share out clients",
    );
}

#[test]
fn the_search_finds_a_share_that_is_sent_before_the_gate() {
    finds(
        |world, goal| {
            let mut plan = plan(world, goal)?;
            if let Some(share) = plan.steps.iter().position(|step| matches!(step, Step::Share(..))) {
                plan.steps.swap(share - 1, share);
            }
            Ok(plan)
        },
        "traffic was sent to a slot that nginx had no good answer from",
    );
}

#[test]
fn the_search_finds_a_slot_that_is_drained_while_it_has_clients() {
    finds(|world, goal| unshared(world, goal, usize::MAX), "a slot was drained that has clients");
}

#[test]
fn the_search_finds_a_slot_that_is_emptied_while_it_has_clients() {
    finds(
        |world, goal| {
            let mut plan = unshared(world, goal, usize::MAX)?;
            plan.steps.retain(|step| !matches!(step, Step::Drain(_)));
            Ok(plan)
        },
        "a container that runs in a slot with a share of the clients was touched",
    );
}

#[test]
fn the_search_finds_clients_that_are_sent_back_and_forth() {
    finds(
        |world, goal| unshared(world, goal, 0),
        "clients that the new release answered were sent back to another",
    );
}

/// A plan that sends all clients to the live slot at another place than it should.
fn unshared(world: &World, goal: &Goal, at: usize) -> Result<Plan, Refusal> {
    let mut plan = plan(world, goal)?;
    if world.edge_current && plan.steps.contains(&Step::Unshare) {
        plan.steps.retain(|step| *step != Step::Unshare);
        plan.steps.insert(at.min(plan.steps.len()), Step::Unshare);
    }
    Ok(plan)
}
