//! From the world as observed and the world as wanted to the steps between them. Pure: nothing here has an effect.
//!
//! A plan holds for the world it was made from. Whatever comes between (a failed gate, a kill), the way on is always
//! the same: observe again, plan again. Going back after a failure is no second code path but the plan for [`Goal::Abort`].
//!
//! What every plan keeps, and the tests explore exhaustively: nothing that runs in a slot that has clients is stopped or
//! removed, and a [`Step::Switch`] or [`Step::Share`] follows a [`Step::GateThrough`] of the same slot with nothing started
//! in it since. A plan that ends leaves no shares; where it ends in a switch, the clients that are there already stay.

mod planner;
mod step;
mod world;

#[cfg(test)]
mod explore;
#[cfg(test)]
mod tests;

use cutover_proxyconf::Slot;

use self::planner::Planner;
pub use self::step::Step;
pub use self::world::{Condition, Live, Occupant, ReleaseId, SlotState, World};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// The release is live, or with `promote` unset waits in the standby slot.
    Deploy {
        /// Which release.
        release: ReleaseId,
        /// Whether it goes live by itself.
        promote: bool,
        /// The shares of the clients that it is tried with before it goes live: in percent, ascending, each from 1 to 99.
        canary: Vec<u8>,
    },
    /// The release that waits is live.
    Promote,
    /// The release that waits or was being tried is gone, and its slot is as it was.
    Abort {
        /// Whether the edge is to forget the app, because this was its first release.
        withdraw: bool,
    },
    /// The standby slot holds what the live one holds; `release` is that with the settings as they are now.
    Backup {
        /// Which release.
        release: ReleaseId,
    },
    /// An earlier release is live: this one, or else the one that stands by.
    Rollback {
        /// Which release.
        to: Option<ReleaseId>,
    },
}

/// How it ends if every step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The release was live already.
    Unchanged,
    /// The release is live.
    Deployed,
    /// The release waits in the standby slot.
    Waiting,
    /// An earlier release is live again.
    RolledBack,
    /// The slot is as it was.
    Aborted,
    /// The standby slot holds the live release.
    BackedUp,
}

/// Steps, and how they end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// What is true after the last.
    pub ending: Ending,
}

/// Why a goal cannot be reached from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// There is no candidate.
    #[error("no release waits for a promotion")]
    NothingWaits,
    /// There is no other release.
    #[error("there is no earlier release to go back to")]
    NothingBehind,
    /// The edge sends nothing to the app.
    #[error("nothing is live yet")]
    NothingLive,
    /// The live slot is not well.
    #[error("the live slot {0} does not answer as it should")]
    LiveAiling(Slot),
    /// A release waits in the slot that the goal needs.
    #[error("a release waits in {0}")]
    Waits(Slot),
    /// The settings are not those that the live release runs with.
    #[error("the settings have changed since the live release was deployed")]
    SettingsChanged,
}

/// The steps from the world to the goal.
///
/// # Errors
/// A [`Refusal`] where no steps lead there; nothing is to be touched then.
pub fn plan(world: &World, goal: &Goal) -> Result<Plan, Refusal> {
    let planner = Planner::new(world);
    match goal {
        Goal::Deploy { release, promote, canary } => Ok(planner.deploy(release, *promote, canary)),
        Goal::Promote => planner.promote(),
        Goal::Abort { withdraw } => planner.abort(*withdraw),
        Goal::Backup { release } => planner.backup(release),
        Goal::Rollback { to: None } => planner.rollback(),
        Goal::Rollback { to: Some(release) } => planner.rollback_to(release),
    }
}
