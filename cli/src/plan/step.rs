//! The steps that plans are made of.

use std::fmt;

use cutover_proxyconf::Slot;

use super::ReleaseId;

/// One step. Each is idempotent: doing it again changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Make the networks that are not there.
    Network,
    /// Pull the release's image if the engine has it not.
    Pull,
    /// Wait until the slot has no open connection, or its time is up.
    Drain(Slot),
    /// Stop the slot's accepted release and keep it.
    Retire(Slot),
    /// Stop and remove the slot's candidate.
    Discard(Slot),
    /// Make the containers of the release, as the slot's candidate. What runs in the slot keeps its addresses meanwhile.
    Create(Slot, ReleaseId),
    /// Start the release that was made.
    Place(Slot, ReleaseId),
    /// Wait until every replica of the slot answers as it should, asked directly.
    Gate(Slot),
    /// Hear of the requests to the slot, which is live: what comes after it is compared with it.
    Hear(Slot),
    /// Give the edge the configuration that is wanted; this reloads it.
    Install,
    /// Wait until the slot answers as it should, asked through the edge.
    GateThrough(Slot),
    /// Send the traffic to the slot.
    Switch(Slot),
    /// Send this share of the clients, in percent, to the slot, which is not live.
    Share(Slot, u8),
    /// Watch the slot while it has a share of the clients.
    Stage(Slot),
    /// Send all clients to the live slot.
    Unshare,
    /// Watch the slot for the soak time.
    Soak(Slot),
    /// Make the slot's candidate its accepted release, and remove the one before.
    Accept(Slot),
    /// Start the slot's accepted release again.
    Reinstate(Slot),
    /// Make the edge forget the app.
    Withdraw,
}

impl Step {
    /// Whether the step may take a while, waiting for something else.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(
            self,
            Self::Pull
                | Self::Drain(_)
                | Self::Gate(_)
                | Self::Hear(_)
                | Self::GateThrough(_)
                | Self::Stage(_)
                | Self::Soak(_)
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network => f.write_str("make sure of the network"),
            Self::Pull => f.write_str("pull the image"),
            Self::Drain(slot) => write!(f, "drain {slot}"),
            Self::Retire(slot) => write!(f, "stop the old release in {slot} and keep it"),
            Self::Discard(slot) => write!(f, "remove the candidate from {slot}"),
            Self::Create(slot, release) => write!(f, "make the containers of release {release} in {slot}"),
            Self::Place(slot, release) => write!(f, "start release {release} in {slot}"),
            Self::Gate(slot) => write!(f, "gate {slot} directly"),
            Self::Hear(slot) => write!(f, "hear of the requests to {slot}"),
            Self::Install => f.write_str("install the nginx configuration (a reload)"),
            Self::GateThrough(slot) => write!(f, "gate {slot} through nginx"),
            Self::Switch(slot) => write!(f, "switch to {slot}"),
            Self::Share(slot, percent) => write!(f, "send {percent} % of the clients to {slot}"),
            Self::Stage(slot) => write!(f, "watch {slot} with its share of the clients"),
            Self::Unshare => f.write_str("send all clients to the live slot"),
            Self::Soak(slot) => write!(f, "watch {slot}"),
            Self::Accept(slot) => write!(f, "accept the release in {slot}"),
            Self::Reinstate(slot) => write!(f, "start the old release in {slot} again"),
            Self::Withdraw => f.write_str("take the app out of nginx"),
        }
    }
}
