//! The steps that send a share of the clients to a slot that is not live.

use cutover_proxyconf::Slot;

use super::{Apply, Done};
use crate::failure::{Exit, Failure};

impl Apply<'_> {
    /// Sends this share of the clients to the slot.
    pub(super) async fn share(&mut self, _slot: Slot, _percent: u8) -> Done {
        Err(not_built("share").into())
    }

    /// Watches the slot while it has a share of the clients.
    pub(super) async fn stage(&self, _slot: Slot) -> Done {
        Err(not_built("stage").into())
    }

    /// Sends all clients to the live slot.
    pub(super) async fn unshare(&mut self) -> Done {
        Err(not_built("unshare").into())
    }
}

fn not_built(step: &str) -> Failure {
    Failure::new(Exit::Fault, format!("the step {step} is not built yet"))
}
