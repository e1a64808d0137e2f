//! One run of a command upon the model: the steps as `apply` does them, one touch of the engine or of nginx at a time,
//! and the way back as `run` goes it. After each touch the promises are held against what there is then.

mod traffic;

use cutover_proxyconf::{BySlot, Slot};

use super::super::{Goal, Live, Plan, Refusal, Step, World};
use super::model::{Edge, Group, Model, Name, REPLICAS, Release, Replica};

/// A planner: the real one, or one that was broken on purpose.
pub(super) type Planner = fn(&World, &Goal) -> Result<Plan, Refusal>;

/// What the new release does when it is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Health {
    Good,
    /// It never gets well.
    Never,
    /// It is well until it is watched with clients.
    UntilSwitch,
    /// It answers when asked directly, and not through nginx.
    NotThrough,
}

/// A promise that was not kept.
#[derive(Debug)]
pub(super) struct Broken(pub(super) &'static str);

/// Why a step was not done.
enum Stop {
    Unhealthy,
    Engine,
    Broken(Broken),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ran {
    Done,
    Refused,
    Failed,
}

/// A run as it goes.
pub(super) struct Run<'t> {
    pub(super) model: Model,
    planner: Planner,
    health: Health,
    /// Which slots nginx answered from since anything was started there in this run.
    proven: BySlot<bool>,
    /// Whose candidate this run has made.
    made: BySlot<bool>,
    /// Whether the run is on its way back from the app's first release.
    withdraws: bool,
    /// Whether each client that is with the new release is to stay there.
    keeps: bool,
    /// Called with what there is after each touch: the run may be killed there.
    seen: &'t mut dyn FnMut(Model),
}

type Done = Result<(), Stop>;

impl<'t> Run<'t> {
    pub(super) fn new(
        model: Model,
        planner: Planner,
        health: Health,
        seen: &'t mut dyn FnMut(Model),
    ) -> Self {
        let (proven, made) = Default::default();
        Self { model, planner, health, proven, made, withdraws: false, keeps: false, seen }
    }

    /// As `Run::go` does it.
    pub(super) fn go(&mut self, goal: &Goal) -> Result<Ran, Broken> {
        let before = self.model.observe();
        let Ok(plan) = (self.planner)(&before, goal) else { return Ok(Ran::Refused) };
        self.keeps = self.goes_live(goal);
        match self.steps(&plan) {
            Ok(()) => return Ok(Ran::Done),
            Err(Stop::Broken(broken)) => return Err(broken),
            Err(Stop::Unhealthy | Stop::Engine) => {}
        }
        if matches!(goal, Goal::Abort { .. }) {
            return Ok(Ran::Failed);
        }
        let first = matches!(before.live, Live::Unserved { .. }) && before.live_slot().healthy().is_none();
        self.withdraws = first;
        self.keeps = false;
        if let Ok(back) = (self.planner)(&self.model.observe(), &Goal::Abort { withdraw: first })
            && let Err(Stop::Broken(broken)) = self.steps(&back)
        {
            return Err(broken);
        }
        Ok(Ran::Failed)
    }

    fn steps(&mut self, plan: &Plan) -> Done {
        plan.steps.iter().try_for_each(|step| self.step(step))
    }

    fn step(&mut self, step: &Step) -> Done {
        match step {
            Step::Network | Step::Pull => Ok(()),
            Step::Drain(slot) => self.drain(*slot),
            Step::Retire(slot) => self.retire(*slot),
            Step::Discard(slot) => self.discard(*slot),
            Step::Create(slot, release) => self.create(*slot, *release == Release::New.id()),
            Step::Place(slot, _) => self.place(*slot),
            Step::Gate(slot) => self.gate(*slot),
            Step::Hear(slot) => self.hear(*slot),
            Step::Install => self.edge(Edge::Current),
            Step::GateThrough(slot) => self.gate_through(*slot),
            Step::Switch(slot) => self.switch(*slot),
            Step::Share(slot, percent) => self.share(*slot, *percent),
            Step::Stage(slot) => self.stage(*slot),
            Step::Unshare => self.unshare(),
            Step::Soak(slot) => self.soak(*slot),
            Step::Accept(slot) => self.accept(*slot),
            Step::Reinstate(slot) => self.reinstate(*slot),
            Step::Withdraw => self.withdraw(),
        }
    }

    /// Makes one change. Traffic goes on through it.
    fn touch(&mut self, change: impl FnOnce(&mut Model)) -> Done {
        let before = self.model;
        change(&mut self.model);
        Slot::ALL.into_iter().for_each(|slot| self.model.slots.get_mut(slot).forget());
        self.holds_since(&before)?;
        (self.seen)(self.model);
        Ok(())
    }

    /// Stops or removes a container, or starts or makes one.
    fn set(&mut self, slot: Slot, name: Name, n: usize, to: Replica) -> Done {
        let containers = self.model.slots.get_mut(slot);
        let was = containers.group(name).replicas[n];
        let live = self.model.served() && self.model.marker == slot;
        let has_clients = self.model.clients(slot) > 0;
        if live && was.runs() {
            return Err(Broken("a container that runs in the live slot was touched").into());
        }
        if has_clients && was.runs() {
            return Err(
                Broken("a container that runs in a slot with a share of the clients was touched").into()
            );
        }
        if has_clients && (to.runs() || was == Replica::Absent) && self.model.is_well(slot) {
            return Err(Broken("a container was started in a slot that has clients and is well").into());
        }
        if to.runs() {
            self.proven[slot] = false;
        }
        self.touch(|model| model.slots.get_mut(slot).group(name).replicas[n] = to)
    }

    fn start(&mut self, slot: Slot, name: Name, n: usize) -> Done {
        let other = if name == Name::Accepted { Name::Candidate } else { Name::Accepted };
        let containers = self.model.slots.get_mut(slot);
        if containers.group(name).replicas[n].runs() {
            return Ok(());
        }
        if containers.group(other).replicas[n].runs() {
            return Err(Stop::Engine);
        }
        let ill = containers.group(name).release == Release::New && self.health == Health::Never;
        self.set(slot, name, n, if ill { Replica::Ill } else { Replica::Well })
    }

    fn stop(&mut self, slot: Slot, name: Name, n: usize) -> Done {
        if self.model.slots.get_mut(slot).group(name).replicas[n].runs() {
            self.set(slot, name, n, Replica::Stopped)
        } else {
            Ok(())
        }
    }

    fn stop_and_remove(&mut self, slot: Slot, name: Name) -> Done {
        for n in self.there(slot, name) {
            self.stop(slot, name, n)?;
            self.set(slot, name, n, Replica::Absent)?;
        }
        *self.model.slots.get_mut(slot).group(name) = Group::EMPTY;
        Ok(())
    }

    fn there(&mut self, slot: Slot, name: Name) -> Vec<usize> {
        let group = *self.model.slots.get_mut(slot).group(name);
        (0..REPLICAS).filter(|n| group.replicas[*n] != Replica::Absent).collect()
    }

    /// What does not run is made anew: a run that was killed may have left it half made.
    fn create(&mut self, slot: Slot, new: bool) -> Done {
        assert!(new, "goals name no other release");
        for n in 0..REPLICAS {
            let there = self.model.slots.get(slot).candidate.replicas[n];
            if there == Replica::Stopped {
                self.set(slot, Name::Candidate, n, Replica::Absent)?;
            }
            if !there.runs() {
                self.model.slots.get_mut(slot).candidate.release = Release::New;
                self.set(slot, Name::Candidate, n, Replica::Stopped)?;
            }
        }
        self.made[slot] = true;
        Ok(())
    }

    fn place(&mut self, slot: Slot) -> Done {
        if !self.made[slot] {
            return Err(Broken("a release was started that this run has not made").into());
        }
        (0..REPLICAS).try_for_each(|n| self.start(slot, Name::Candidate, n))
    }

    fn retire(&mut self, slot: Slot) -> Done {
        if self.model.slots.get(slot).half_renamed() {
            return Ok(());
        }
        (0..REPLICAS).try_for_each(|n| self.stop(slot, Name::Accepted, n))
    }

    fn discard(&mut self, slot: Slot) -> Done {
        let half_renamed = self.model.slots.get(slot).half_renamed();
        self.stop_and_remove(slot, Name::Candidate)?;
        if half_renamed { self.stop_and_remove(slot, Name::Accepted) } else { Ok(()) }
    }

    fn accept(&mut self, slot: Slot) -> Done {
        let half_renamed = self.model.slots.get(slot).half_renamed();
        if self.model.slots.get(slot).candidate.is_empty() {
            return Ok(());
        }
        if !half_renamed {
            self.stop_and_remove(slot, Name::Accepted)?;
        }
        for n in self.there(slot, Name::Candidate) {
            self.touch(|model| {
                let containers = model.slots.get_mut(slot);
                containers.accepted.release = containers.candidate.release;
                containers.accepted.replicas[n] = containers.candidate.replicas[n];
                containers.candidate.replicas[n] = Replica::Absent;
            })?;
        }
        self.model.slots.get_mut(slot).candidate = Group::EMPTY;
        Ok(())
    }

    fn reinstate(&mut self, slot: Slot) -> Done {
        if self.model.slots.get(slot).half_renamed() {
            return Ok(());
        }
        self.there(slot, Name::Accepted).into_iter().try_for_each(|n| self.start(slot, Name::Accepted, n))
    }

    fn gate(&self, slot: Slot) -> Done {
        if self.model.slots.get(slot).occupant().all_well() { Ok(()) } else { Err(Stop::Unhealthy) }
    }

    fn edge(&mut self, edge: Edge) -> Done {
        self.touch(|model| model.edge = edge)
    }

    fn withdraw(&mut self) -> Done {
        if !self.withdraws {
            return Err(Broken("an app was withdrawn that was served before").into());
        }
        self.model.edge = Edge::Unserved;
        (self.seen)(self.model);
        Ok(())
    }
}
