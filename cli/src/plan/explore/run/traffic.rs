//! What nginx does: the steps that send clients from slot to slot, and what is promised of them.

use cutover_proxyconf::Slot;

use super::super::super::Goal;
use super::super::model::{Edge, Model, Release, Replica, SHARES};
use super::{Broken, Done, Health, Run, Stop};

/// What is promised.
impl Run<'_> {
    /// Whether the new release is to have all clients in the end. Void marks would have to be removed first, and with them
    /// goes every share.
    pub(super) fn goes_live(&self, goal: &Goal) -> bool {
        let live = self.model.marker;
        let goes = match goal {
            Goal::Deploy { promote, .. } => *promote,
            Goal::Promote => {
                let (_, waits) = self.model.slots[live.other()].roles();
                waits.release == Release::New && waits.replicas.iter().all(|replica| replica.runs())
            }
            Goal::Rollback { to } => to.is_some(),
            Goal::Abort { .. } | Goal::Backup { .. } => false,
        };
        goes && self.model.shares[live] == 0
    }

    /// Holds the promises over one change.
    pub(super) fn holds_since(&self, before: &Model) -> Result<(), Broken> {
        let now = &self.model;
        if (before.edge, before.marker, before.shares) != (now.edge, now.marker, now.shares) {
            self.moves_from(before)?;
        }
        if self.answers(before) && !self.answers(now) {
            return Err(Broken("nginx had a slot that answers well, and has none any more"));
        }
        Ok(())
    }

    /// Holds what is promised of clients that are sent to another slot.
    fn moves_from(&self, before: &Model) -> Result<(), Broken> {
        let now = &self.model;
        for slot in Slot::ALL {
            // What goes back to the live slot goes where the others are, and the app's first release has no others.
            let was_live = now.marker == slot && (before.marker == slot || !before.served());
            if now.clients(slot) > before.clients(slot) && !was_live && !self.proven[slot] {
                return Err(Broken("traffic was sent to a slot that nginx had no good answer from"));
            }
        }
        if self.keeps && now.with_new() < before.with_new() {
            return Err(Broken("clients that the new release answered were sent back to another"));
        }
        Ok(())
    }

    /// Whether nginx gets good answers for every client: from the slot it is sent to, or where that is down, from its
    /// backup.
    fn answers(&self, model: &Model) -> bool {
        let answered = |slot: Slot| {
            let from = if model.is_well(slot) { slot } else { slot.other() };
            model.clients(slot) == 0 || (model.is_well(from) && self.is_let_through(model, from))
        };
        model.served() && Slot::ALL.into_iter().all(answered)
    }

    fn is_let_through(&self, model: &Model, slot: Slot) -> bool {
        self.health != Health::NotThrough || model.slots.get(slot).occupant().release != Release::New
    }
}

/// The steps.
impl Run<'_> {
    pub(super) fn gate_through(&mut self, slot: Slot) -> Done {
        let occupant = self.model.slots.get(slot).occupant();
        if !self.model.served() {
            return Err(Broken("nginx was asked for an app that it does not know").into());
        }
        if !(occupant.all_well() && self.is_let_through(&self.model, slot)) {
            return Err(Stop::Unhealthy);
        }
        self.proven[slot] = true;
        Ok(())
    }

    pub(super) fn drain(&self, slot: Slot) -> Done {
        if self.model.clients(slot) > 0 {
            return Err(Broken("a slot was drained that has clients").into());
        }
        Ok(())
    }

    pub(super) fn switch(&mut self, slot: Slot) -> Done {
        if self.model.marker != slot && self.model.shares[self.model.marker] > 0 {
            return Err(Broken("a slot was left, and marks that were void send clients there").into());
        }
        self.touch(|model| model.marker = slot)
    }

    /// The marks are made one by one, and removed so: the run may be killed between.
    pub(super) fn share(&mut self, slot: Slot, percent: u8) -> Done {
        if self.model.marker == slot || self.model.edge != Edge::Current {
            return Err(Broken("a share was sent to the live slot, or by an edge that is not current").into());
        }
        for share in SHARES.into_iter().filter(|share| *share <= percent) {
            if share > self.model.shares[slot] {
                self.touch(|model| model.shares[slot] = share)?;
            }
        }
        Ok(())
    }

    pub(super) fn unshare(&mut self) -> Done {
        for slot in Slot::ALL {
            for share in SHARES.into_iter().rev().chain([0]) {
                if share < self.model.shares[slot] {
                    self.touch(|model| model.shares[slot] = share)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn stage(&mut self, slot: Slot) -> Done {
        if self.model.marker == slot || self.model.clients(slot) == 0 {
            return Err(Broken("a slot was watched for a share that it has not").into());
        }
        self.watch(slot)
    }

    pub(super) fn hear(&self, slot: Slot) -> Done {
        if !self.model.served() || self.model.marker != slot || self.model.edge != Edge::Current {
            return Err(Broken("requests were waited for of which the edge does not tell").into());
        }
        Ok(())
    }

    pub(super) fn soak(&mut self, slot: Slot) -> Done {
        if !self.model.served() || self.model.marker != slot {
            return Err(Broken("a slot was watched that is not live").into());
        }
        self.watch(slot)
    }

    fn watch(&mut self, slot: Slot) -> Done {
        let containers = self.model.slots.get_mut(slot);
        if self.health == Health::UntilSwitch && containers.occupant().release == Release::New {
            let groups = [&mut containers.accepted, &mut containers.candidate];
            for replica in
                groups.into_iter().flat_map(|group| &mut group.replicas).filter(|replica| replica.runs())
            {
                *replica = Replica::Ill;
            }
            // This is the world's doing and no step's: only what follows it is held to the promises.
            (self.seen)(self.model);
        }
        self.gate_through(slot)
    }
}
