//! The way from a world to each goal, step by step.

use cutover_proxyconf::{BySlot, Slot};

use super::{Condition, Ending, Live, Occupant, Plan, Refusal, ReleaseId, SlotState, Step, World};

/// Collects steps. What it asks the world is as it was before the first of them; `live`, `installed` and
/// `shares` keep up.
pub(super) struct Planner<'w> {
    world: &'w World,
    /// The slot that is live once the steps so far are done.
    live: Slot,
    /// Whether the edge runs the configuration that is wanted once the steps so far are done.
    installed: bool,
    /// The clients that are marked for each slot once the steps so far are done.
    shares: BySlot<u8>,
    steps: Vec<Step>,
}

/// The parts that the goals share.
impl<'w> Planner<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let (live, installed, shares) = (world.live.slot(), world.edge_current, world.shares);
        Self { world, live, installed, shares, steps: Vec::new() }
    }

    fn slot(&self, slot: Slot) -> &'w SlotState {
        self.world.slots.get(slot)
    }

    fn is_well(&self, slot: Slot) -> bool {
        self.slot(slot).healthy().is_some()
    }

    fn served(&self) -> bool {
        matches!(self.world.live, Live::Serving(_))
    }

    fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    fn end(self, ending: Ending) -> Plan {
        Plan { steps: self.steps, ending }
    }

    fn install(&mut self) {
        if !self.installed {
            self.installed = true;
            self.push(Step::Install);
        }
    }

    /// Sends the clients that are with the standby to the live slot, and removes the marks that are void.
    fn unshare(&mut self) {
        if self.shares != BySlot::default() {
            self.shares = BySlot::default();
            self.push(Step::Unshare);
        }
    }

    /// Marks for the live slot would count once the other is live.
    fn drop_void(&mut self) {
        if self.shares[self.live] > 0 {
            self.unshare();
        }
    }

    /// Asks the slot through the edge and sends the traffic there. The clients that are with it already stay.
    fn switch(&mut self, to: Slot) {
        self.drop_void();
        self.install();
        self.push(Step::GateThrough(to));
        self.push(Step::Switch(to));
        self.live = to;
        self.unshare();
    }

    /// Hears of the requests to the live slot, while it has them, for what follows it to be compared with.
    fn hear(&mut self) {
        if self.world.compared && self.served() && self.is_well(self.live) {
            // Without its configuration the edge may not tell.
            self.drop_void();
            self.install();
            self.push(Step::Hear(self.live));
        }
    }

    /// Sends more and more of the clients to the standby, and watches it with each share. A share that is there already
    /// is kept, and watched if it is whole: one between two stages is what a killed run had sent of the next.
    fn try_out(&mut self, slot: Slot, stages: &[u8]) {
        if stages.is_empty() {
            return;
        }
        self.drop_void();
        self.install();
        self.push(Step::GateThrough(slot));
        let there = self.shares[slot];
        if there > 0 && (stages.contains(&there) || stages.iter().all(|stage| *stage < there)) {
            self.push(Step::Stage(slot));
        }
        for stage in stages.iter().filter(|stage| **stage > there) {
            self.push(Step::Share(slot, *stage));
            self.push(Step::Stage(slot));
            self.shares[slot] = *stage;
        }
    }

    /// Where nginx lives off its backup because the live slot is down, makes that the rule before its slot is needed.
    fn rescue(&mut self) {
        let standby = self.live.other();
        if self.served() && !self.is_well(self.live) && self.is_well(standby) {
            self.switch(standby);
        }
    }

    /// Leaves a slot that answers as it should with its occupant as its one release, and accepted.
    fn settle(&mut self, slot: Slot) {
        let state = self.slot(slot);
        if !self.is_well(slot) || state.candidate.is_none() {
            return;
        }
        // A candidate that is not the occupant is dead, so there is nothing to drain.
        self.push(if state.trial().is_some() { Step::Accept(slot) } else { Step::Discard(slot) });
    }

    /// Empties the slot of anything else, with its accepted release kept, and starts the release in it. All that can be
    /// got ready before comes before what runs there is drained, so that it can be done meanwhile.
    fn place(&mut self, slot: Slot, release: &ReleaseId) {
        self.unshare();
        self.push(Step::Network);
        self.push(Step::Pull);
        let state = self.slot(slot);
        if state.candidate.as_ref().is_some_and(|candidate| candidate.release != *release) {
            self.discard(slot);
        }
        let accepted = state.accepted.as_ref().map(|accepted| accepted.condition);
        // Of a broken one some containers may be the candidate's that another run was about to accept: they are to be told
        // apart before more are made.
        let last = accepted == Some(Condition::Broken);
        let create = Step::Create(slot, release.clone());
        if !last {
            self.push(create.clone());
        }
        if accepted.is_some_and(|condition| condition != Condition::Stopped) {
            self.push(Step::Drain(slot));
            self.push(Step::Retire(slot));
        }
        if last {
            self.push(create);
        }
        self.push(Step::Place(slot, release.clone()));
        self.push(Step::Gate(slot));
    }

    /// Removes the slot's candidate. One that does not run has no connections.
    fn discard(&mut self, slot: Slot) {
        if self.slot(slot).trial().is_some() {
            self.push(Step::Drain(slot));
        }
        self.push(Step::Discard(slot));
    }

    /// Removes the slot's candidate and has its accepted release run again.
    fn put_back(&mut self, slot: Slot) {
        self.unshare();
        if self.slot(slot).candidate.is_some() {
            self.discard(slot);
        }
        if self.slot(slot).accepted.is_some() {
            self.push(Step::Reinstate(slot));
        }
    }
}

/// The goals.
impl Planner<'_> {
    pub(super) fn deploy(mut self, release: &ReleaseId, promote: bool, canary: &[u8]) -> Plan {
        if !self.served() {
            self.unshare();
        }
        if self.slot(self.live).serves(release) {
            return self.keep();
        }
        if !self.served() && !self.is_well(self.live) {
            return self.first(release);
        }
        self.rescue();
        let (live, target) = (self.live, self.live.other());
        if self.slot(live).serves(release) {
            self.push(Step::Soak(live));
            self.settle(live);
            return self.end(Ending::Deployed);
        }
        self.settle(live);
        // To wait is to be a candidate: only that can be promoted or aborted.
        let stands = self.slot(target).serves(release) && (promote || self.slot(target).trial().is_some());
        if !stands {
            self.place(target, release);
        }
        if !promote {
            self.unshare();
            self.install();
            self.push(Step::GateThrough(target));
            return self.end(Ending::Waiting);
        }
        // Shares are told from what the live slot serves; with nothing there to keep, they only cost time.
        if self.served() && self.is_well(live) {
            self.try_out(target, canary);
        }
        // Shares are watched with both releases heard.
        if canary.is_empty() {
            self.hear();
        }
        self.switch(target);
        self.push(Step::Soak(target));
        if stands {
            self.settle(target);
        } else {
            self.push(Step::Accept(target));
        }
        self.end(Ending::Deployed)
    }

    /// The live slot holds the release already; what a killed run left undone is done.
    fn keep(mut self) -> Plan {
        self.unshare();
        let live = self.live;
        let tried = self.slot(live).trial().is_some();
        if !self.installed || tried {
            self.install();
            self.push(Step::GateThrough(live));
        }
        if tried {
            self.push(Step::Soak(live));
        }
        self.settle(live);
        let ending = if tried || !self.served() { Ending::Deployed } else { Ending::Unchanged };
        self.end(ending)
    }

    /// The app's first release: there is no traffic yet, and the slot that comes first is free.
    fn first(mut self, release: &ReleaseId) -> Plan {
        let target = self.live;
        self.place(target, release);
        self.install();
        self.push(Step::GateThrough(target));
        self.push(Step::Soak(target));
        self.push(Step::Accept(target));
        self.end(Ending::Deployed)
    }

    pub(super) fn promote(mut self) -> Result<Plan, Refusal> {
        if !self.served() {
            return Err(Refusal::NothingLive);
        }
        let (live, target) = (self.live, self.live.other());
        if self.slot(target).trial().is_some_and(Occupant::runs) {
            self.settle(live);
            self.push(Step::Gate(target));
            self.hear();
            self.switch(target);
        } else if self.slot(live).trial().is_none() {
            return Err(Refusal::NothingWaits);
        }
        self.unshare();
        self.push(Step::Soak(self.live));
        self.push(Step::Accept(self.live));
        Ok(self.end(Ending::Deployed))
    }

    /// A live slot that is ill, or whose release is on trial, is left for the standby; then what was tried is removed
    /// and what was stopped for it runs again.
    pub(super) fn abort(mut self, withdraw: bool) -> Result<Plan, Refusal> {
        let (live, standby) = (self.live, self.live.other());
        let on_trial = self.slot(live).trial().is_some();
        let unfinished = self.slot(standby).is_unfinished();
        if !self.served() {
            return self.clear();
        }
        if (on_trial || !self.is_well(live)) && self.is_well(standby) {
            self.switch(standby);
            self.settle(standby);
        } else if on_trial && withdraw {
            self.unshare();
            self.push(Step::Withdraw);
        } else if unfinished {
            self.put_back(standby);
            if !on_trial || self.slot(standby).accepted.is_none() {
                return Ok(self.end(Ending::Aborted));
            }
            self.push(Step::Gate(standby));
            self.switch(standby);
        } else if !on_trial && self.shares != BySlot::default() {
            self.unshare();
            return Ok(self.end(Ending::Aborted));
        } else {
            return Err(if on_trial { Refusal::NothingBehind } else { Refusal::NothingWaits });
        }
        if self.slot(live).is_unfinished() {
            self.put_back(live);
        }
        Ok(self.end(Ending::Aborted))
    }

    /// There is no traffic to mind.
    fn clear(mut self) -> Result<Plan, Refusal> {
        self.unshare();
        let unfinished =
            Slot::ALL.into_iter().filter(|slot| self.slot(*slot).is_unfinished()).collect::<Vec<_>>();
        unfinished.iter().for_each(|slot| self.put_back(*slot));
        if self.steps.is_empty() { Err(Refusal::NothingWaits) } else { Ok(self.end(Ending::Aborted)) }
    }

    pub(super) fn backup(mut self, release: &ReleaseId) -> Result<Plan, Refusal> {
        let (live, standby) = (self.live, self.live.other());
        if !self.served() {
            return Err(Refusal::NothingLive);
        }
        match self.slot(live).healthy() {
            None => return Err(Refusal::LiveAiling(live)),
            Some(serving) if serving != release => return Err(Refusal::SettingsChanged),
            Some(_) => {}
        }
        let stands = self.slot(standby).serves(release);
        if self.is_well(standby) && self.slot(standby).trial().is_some() && !stands {
            return Err(Refusal::Waits(standby));
        }
        self.unshare();
        self.settle(live);
        if !stands {
            self.place(standby, release);
            self.install();
            self.push(Step::GateThrough(standby));
            self.push(Step::Accept(standby));
            return Ok(self.end(Ending::BackedUp));
        }
        let settled = self.slot(standby).candidate.is_none();
        if !settled || !self.installed {
            self.install();
            self.push(Step::GateThrough(standby));
            self.settle(standby);
        }
        Ok(self.end(if settled { Ending::Unchanged } else { Ending::BackedUp }))
    }

    /// Goes back to what stands by, or stood there before a release that waits.
    pub(super) fn rollback(mut self) -> Result<Plan, Refusal> {
        if !self.served() {
            return Err(Refusal::NothingLive);
        }
        let (live, target) = (self.slot(self.live), self.live.other());
        let Some(behind) = &self.slot(target).accepted else { return Err(Refusal::NothingBehind) };
        if live.occupant().is_some_and(|occupant| occupant.release == behind.release) {
            return Err(Refusal::NothingBehind);
        }
        match behind.condition {
            Condition::Healthy => {}
            // The edge has no other slot to answer from than the one that would be emptied.
            Condition::Stopped if live.healthy().is_none() && self.is_well(target) => {
                return Err(Refusal::Waits(target));
            }
            Condition::Stopped => {
                self.put_back(target);
                self.push(Step::Gate(target));
            }
            Condition::Ailing | Condition::Broken => return Err(Refusal::NothingBehind),
        }
        self.switch(target);
        if behind.condition == Condition::Healthy {
            self.settle(target);
        }
        Ok(self.end(Ending::RolledBack))
    }

    /// Goes back to this release, which may have to be placed anew.
    pub(super) fn rollback_to(mut self, release: &ReleaseId) -> Result<Plan, Refusal> {
        if !self.served() {
            return Err(Refusal::NothingLive);
        }
        if self.slot(self.live).serves(release) {
            self.unshare();
            self.settle(self.live);
            return Ok(self.end(Ending::Unchanged));
        }
        if self.slot(self.live.other()).serves(release) {
            let target = self.live.other();
            self.switch(target);
            self.settle(target);
            return Ok(self.end(Ending::RolledBack));
        }
        self.rescue();
        self.settle(self.live);
        let target = self.live.other();
        self.place(target, release);
        self.switch(target);
        self.push(Step::Accept(target));
        Ok(self.end(Ending::RolledBack))
    }
}
