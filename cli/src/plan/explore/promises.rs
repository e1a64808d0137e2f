//! What must be true once a run is over, and after the same command again.

use cutover_proxyconf::{BySlot, Slot};

use super::super::Goal;
use super::model::{Edge, Group, Model, Release, Replica};
use super::run::{Broken, Health, Planner, Ran, Run};

/// So many runs of one command are enough to reach its end from anywhere.
const RUNS: usize = 3;

/// A run of a goal, from its beginning to its end.
pub(super) struct Story<'g> {
    pub(super) planner: Planner,
    pub(super) goal: &'g Goal,
    pub(super) health: Health,
    pub(super) start: Model,
}

impl Story<'_> {
    /// Holds the promises against how the run ended.
    pub(super) fn hold(&self, ran: &Ran, end: Model) -> Result<(), Broken> {
        match ran {
            Ran::Refused if self.may_be_refused() => Ok(()),
            Ran::Refused => Err(Broken("a goal was refused that can be reached")),
            Ran::Done => self.done(end),
            Ran::Failed if self.health == Health::Good && self.places() => self.ends_well(end),
            Ran::Failed => self.rejected(end),
        }
    }

    fn may_be_refused(&self) -> bool {
        let (live, standby) =
            (self.start.slots[self.start.marker], self.start.slots[self.start.marker.other()]);
        match self.goal {
            Goal::Deploy { .. } => false,
            Goal::Backup { .. } => !(self.serves_new(&self.start) && standby.candidate.is_empty()),
            Goal::Rollback { to: Some(_) } => !self.start.served(),
            Goal::Abort { .. } => {
                let clients = self.start.clients(self.start.marker.other()) > 0;
                !(clients && self.start.is_well(self.start.marker) && live.candidate.is_empty())
            }
            Goal::Promote | Goal::Rollback { to: None } => true,
        }
    }

    /// Whether the goal may be reached with containers made anew. The others live on what there is, well or not.
    fn places(&self) -> bool {
        matches!(self.goal, Goal::Deploy { .. } | Goal::Backup { .. } | Goal::Rollback { to: Some(_) })
    }

    fn done(&self, end: Model) -> Result<(), Broken> {
        if !self.is_wanted(&end) {
            return Err(Broken("the plan was done and did not lead to the goal"));
        }
        if end.shares != BySlot::default() {
            return Err(Broken("the plan was done, and marks are left that share out clients"));
        }
        // To go back twice is to go forth.
        let toggles = matches!(self.goal, Goal::Rollback { to: None });
        // Where a standby slot gets well beside a live one that is down, nginx answers from it, and the next run makes
        // it the live one.
        let rescues = !end.is_well(end.marker);
        // A trial that was ill while live stands by as a candidate; to promote it is refused by its gate.
        let leaves_ill = *self.goal == Goal::Promote && !self.start.is_well(self.start.marker);
        if !(toggles || rescues || leaves_ill || self.rests(&end)) {
            return Err(Broken("the goal was reached, and asked for again it changes something"));
        }
        Ok(())
    }

    /// A run may trip over what another left half made, and clear it away; then the same command leads to the goal.
    fn ends_well(&self, mut end: Model) -> Result<(), Broken> {
        for _ in 1..RUNS {
            match self.again(&mut end)? {
                Ran::Done => return self.done(end),
                Ran::Refused => return Ok(()),
                Ran::Failed => {}
            }
        }
        Err(Broken("the same command again and again does not lead to the goal"))
    }

    /// The release is bad: what was good serves as before.
    fn rejected(&self, end: Model) -> Result<(), Broken> {
        let start = &self.start;
        let live = start.marker;
        // What answers when asked directly looks well from where cutover stands.
        let misled = self.health == Health::NotThrough && start.is_well(live) && !self.is_good(start, live);
        let some_good =
            start.served() && !misled && Slot::ALL.into_iter().any(|slot| self.is_good(start, slot));
        if some_good && !(end.served() && self.is_good(&end, end.marker)) {
            return Err(Broken("a release was rejected, and the live slot is not one that answers well"));
        }
        let serving = |model: &Model| model.slots.get(model.marker).occupant().release;
        if start.served() && self.is_good(start, live) && serving(start) != serving(&end) {
            return Err(Broken("a release was rejected, and another is live than before"));
        }
        // Where the live slot is down, nothing good is there to send clients back to.
        let serves = !end.served() || self.is_good(&end, end.marker);
        if serves && end.shares != BySlot::default() {
            return Err(Broken("a release was rejected, and marks are left that share out clients"));
        }
        if self.is_settled()
            && (self.blurred(start).slots, start.marker) != (self.blurred(&end).slots, end.marker)
        {
            return Err(Broken("a release was rejected, and the slots are not as they were"));
        }
        if !some_good && self.health == Health::UntilSwitch {
            // With nothing to go back to, each run tries the other slot.
            return Ok(());
        }
        let (mut before, mut after) = (end, end);
        for _ in 0..RUNS {
            self.again(&mut after)?;
            if self.blurred(&before) == self.blurred(&after) {
                return Ok(());
            }
            before = after;
        }
        Err(Broken("a release is rejected again and again, and each time something else is left"))
    }

    fn again(&self, model: &mut Model) -> Result<Ran, Broken> {
        let mut see = |_| {};
        let mut run = Run::new(*model, self.planner, self.health, &mut see);
        let ran = run.go(self.goal);
        *model = run.model;
        ran
    }

    fn is_wanted(&self, end: &Model) -> bool {
        let standby = end.slots.get(end.marker.other());
        let live = end.slots.get(end.marker);
        let accepted = |group: &Group, release: Release| group.release == release && group.all_well();
        let left = self.start.slots.get(self.start.marker).occupant();
        match self.goal {
            Goal::Deploy { promote: true, .. } => self.serves_new(end),
            Goal::Deploy { promote: false, .. } => {
                let waits = standby.candidate.release == Release::New && standby.roles().1.all_well();
                self.serves_new(end) || (end.edge == Edge::Current && waits)
            }
            Goal::Promote => end.served() && end.is_well(end.marker) && live.candidate.is_empty(),
            Goal::Abort { .. } => standby.candidate.is_empty() && (!self.start.served() || end.served()),
            Goal::Backup { .. } => {
                self.serves_new(end)
                    && accepted(&standby.accepted, Release::New)
                    && standby.candidate.is_empty()
            }
            Goal::Rollback { to: None } => {
                end.marker != self.start.marker
                    && accepted(&live.accepted, self.start.slots.get(end.marker).accepted.release)
                    && live.candidate.is_empty()
                    && (left.is_empty() || live.accepted.release != left.release)
            }
            Goal::Rollback { to: Some(_) } => {
                accepted(&live.accepted, Release::New) && live.candidate.is_empty()
            }
        }
    }

    /// The new release is live and accepted, nothing is left beside it, and nginx runs what it should.
    fn serves_new(&self, model: &Model) -> bool {
        let live = model.slots.get(model.marker);
        let accepted = live.accepted.release == Release::New && live.accepted.all_well();
        model.edge == Edge::Current && accepted && live.candidate.is_empty()
    }

    /// Whether the same goal asked for again changes nothing.
    fn rests(&self, model: &Model) -> bool {
        let mut touched = false;
        let mut see = |_| touched = true;
        let ran = Run::new(*model, self.planner, self.health, &mut see).go(self.goal);
        ran.is_ok() && !touched
    }

    /// Whether the slot answers well, and goes on doing so.
    fn is_good(&self, model: &Model, slot: Slot) -> bool {
        let lasts = !matches!(self.health, Health::UntilSwitch | Health::NotThrough);
        model.is_well(slot) && (lasts || model.slots.get(slot).occupant().release != Release::New)
    }

    /// Whether nothing is half made at the start, and no slot holds the new release.
    fn is_settled(&self) -> bool {
        let settled = |slot: Slot| {
            let containers = self.start.slots.get(slot);
            let holds = containers.accepted.all_well() && containers.accepted.release != Release::New;
            containers.candidate.is_empty() && (holds || containers.accepted.is_empty())
        };
        let empty = |slot: Slot| self.start.slots.get(slot).accepted.is_empty();
        let served = self.start.served();
        Slot::ALL.into_iter().all(settled)
            && if served { !empty(self.start.marker) } else { Slot::ALL.into_iter().all(empty) }
    }

    /// The world, with no eye for how well a release that goes bad in time is just now.
    fn blurred(&self, model: &Model) -> Model {
        let mut model = *model;
        if self.health != Health::UntilSwitch {
            return model;
        }
        for slot in Slot::ALL {
            let containers = model.slots.get_mut(slot);
            for group in [&mut containers.accepted, &mut containers.candidate] {
                let bad = group.release == Release::New;
                for replica in group.replicas.iter_mut().filter(|replica| bad && replica.runs()) {
                    *replica = Replica::Well;
                }
            }
        }
        model
    }
}
