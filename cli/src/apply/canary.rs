//! The steps that send a share of the clients to a slot that is not live.

use std::time::Instant;

use cutover_proxyconf::Slot;

use super::{Apply, Done};
use crate::config::guard::Canary;

impl Apply<'_> {
    /// Sends this share of the clients to the slot.
    pub(super) async fn share(&self, slot: Slot, percent: u8) -> Done {
        Ok(self.target.edge.nginx.share(&self.target.name, slot, percent).await?)
    }

    /// Watches the slot while it has a share of the clients.
    pub(super) async fn stage(&self, slot: Slot) -> Done {
        if let Some(hearing) = &self.hearing {
            hearing.heard().watch_share(slot, Instant::now());
        }
        let stage = self.target.app.canary.as_ref().map(Canary::stage).unwrap_or_default();
        self.watch(slot, stage).await
    }

    /// Sends all clients to the live slot.
    pub(super) async fn unshare(&self) -> Done {
        Ok(self.target.edge.nginx.unshare(&self.target.name).await?)
    }
}
