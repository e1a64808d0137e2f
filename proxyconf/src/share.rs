//! Shares of the clients: each client falls into one of 100 buckets, and a marker sends a bucket to the slot that is not live.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tracing::debug;

use crate::app::folder;
use crate::{AppName, BySlot, Error, Nginx, Slot, Surface};

/// How many buckets there are: one for each percent.
pub(crate) const BUCKETS: u8 = 100;

impl<S: Surface> Nginx<S> {
    /// Sends this share of the clients to a slot while it is not the live one, without a reload. Clients that were sent there
    /// stay there while the share grows. The app must be rendered with [`App::canary`](crate::App::canary).
    ///
    /// # Errors
    /// When a marker cannot be made or removed.
    pub async fn share(&self, app: &AppName, to: Slot, percent: u8) -> Result<(), Error> {
        let wanted: BTreeSet<u8> = (0..percent.min(BUCKETS)).collect();
        let mut marked = self.marked(app).await?;
        let marked = std::mem::take(marked.get_mut(to));
        for bucket in wanted.difference(&marked) {
            self.surface.set_marker(&self.bucket(app, to, *bucket), true).await?;
        }
        for bucket in marked.difference(&wanted) {
            self.surface.set_marker(&self.bucket(app, to, *bucket), false).await?;
        }
        debug!(%app, %to, percent, "shared");
        Ok(())
    }

    /// How many percent of the clients are marked for each slot. Of the live slot's, nginx takes no notice.
    ///
    /// # Errors
    /// When the markers cannot be looked at.
    pub async fn shares(&self, app: &AppName) -> Result<BySlot<u8>, Error> {
        // There are no more than 100 of them.
        Ok(self.marked(app).await?.map(|buckets| u8::try_from(buckets.len()).unwrap_or(BUCKETS)))
    }

    /// Sends all clients to the live slot.
    ///
    /// # Errors
    /// When a marker cannot be removed.
    pub async fn unshare(&self, app: &AppName) -> Result<(), Error> {
        let marked = self.marked(app).await?;
        for slot in Slot::ALL {
            for bucket in &marked[slot] {
                self.surface.set_marker(&self.bucket(app, slot, *bucket), false).await?;
            }
        }
        Ok(())
    }

    /// The buckets that are marked for each slot.
    async fn marked(&self, app: &AppName) -> Result<BySlot<BTreeSet<u8>>, Error> {
        let names = self.surface.markers(&folder(&self.state_dir, app)).await?;
        Ok(BySlot::from_fn(|slot| {
            (0..BUCKETS).filter(|bucket| names.contains(&marker(slot, bucket))).collect()
        }))
    }

    fn bucket(&self, app: &AppName, slot: Slot, bucket: u8) -> PathBuf {
        folder(&self.state_dir, app).join(marker(slot, bucket))
    }
}

/// The name of the marker that sends a bucket to a slot. Both may be variables of nginx's.
pub(crate) fn marker(slot: impl std::fmt::Display, bucket: impl std::fmt::Display) -> String {
    format!("{slot}-{bucket}")
}
