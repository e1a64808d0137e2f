//! What was observed of an app: the slots, what they hold, and which of them is live.

use std::fmt;

use cutover_proxyconf::{BySlot, Slot};

/// What tells one release from another: an image's digest with the settings it is run with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReleaseId(pub String);

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an occupant of a slot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// All its replicas run and answer as they should.
    Healthy,
    /// All its replicas run, and not all answer as they should.
    Ailing,
    /// It was stopped, and could be started again.
    Stopped,
    /// Some of its replicas are missing, or died.
    Broken,
}

/// A release in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Occupant {
    /// Which.
    pub release: ReleaseId,
    /// How it is.
    pub condition: Condition,
}

impl Occupant {
    /// Whether all its replicas run.
    #[must_use]
    pub fn runs(&self) -> bool {
        matches!(self.condition, Condition::Healthy | Condition::Ailing)
    }
}

/// What a slot holds. Only one of the two runs: they share the slot's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SlotState {
    /// The release that the slot was given for good. Stopped, not removed, while a candidate is tried.
    pub accepted: Option<Occupant>,
    /// A release that is being tried, or waits for its promotion.
    pub candidate: Option<Occupant>,
}

impl SlotState {
    /// The one that has the slot's address: a candidate that runs, or else the accepted release.
    #[must_use]
    pub fn occupant(&self) -> Option<&Occupant> {
        match (&self.candidate, &self.accepted) {
            (Some(candidate), _) if candidate.runs() => Some(candidate),
            (_, Some(accepted)) => Some(accepted),
            (candidate, None) => candidate.as_ref(),
        }
    }

    /// A candidate that has the slot's address.
    #[must_use]
    pub fn trial(&self) -> Option<&Occupant> {
        self.candidate.as_ref().filter(|candidate| Some(*candidate) == self.occupant())
    }

    /// Whether a run that was cut short, or a machine that went down, left work here: a candidate, or an accepted
    /// release that is not all there.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.candidate.is_some() || self.accepted.as_ref().is_some_and(|accepted| !accepted.runs())
    }

    /// The slot's release, if it answers as it should.
    #[must_use]
    pub fn healthy(&self) -> Option<&ReleaseId> {
        self.occupant().filter(|o| o.condition == Condition::Healthy).map(|o| &o.release)
    }

    /// Whether the slot answers as it should with this release.
    #[must_use]
    pub fn serves(&self, release: &ReleaseId) -> bool {
        self.healthy() == Some(release)
    }
}

/// Which slot is live, by what the edge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Live {
    /// The edge sends the app's traffic to this slot.
    Serving(Slot),
    /// The edge knows nothing of the app yet; once it does, it will send traffic to this slot.
    Unserved {
        /// The slot that comes first.
        next: Slot,
    },
}

impl Live {
    /// The live slot, or the one that will be.
    #[must_use]
    pub fn slot(self) -> Slot {
        match self {
            Self::Serving(slot) | Self::Unserved { next: slot } => slot,
        }
    }
}

/// An app as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The live slot.
    pub live: Live,
    /// Whether the edge runs the configuration that is wanted.
    pub edge_current: bool,
    /// The slots.
    pub slots: BySlot<SlotState>,
    /// How many of a hundred clients are marked for each slot. The marks for the slot that is not live count, those for
    /// the live one are void.
    pub shares: BySlot<u8>,
    /// Whether two releases are compared by the requests of their clients, of which the edge then tells.
    pub compared: bool,
}

impl World {
    /// What the live slot holds.
    #[must_use]
    pub fn live_slot(&self) -> &SlotState {
        self.slots.get(self.live.slot())
    }

    /// What the other slot holds.
    #[must_use]
    pub fn standby_slot(&self) -> &SlotState {
        self.slots.get(self.live.slot().other())
    }
}
