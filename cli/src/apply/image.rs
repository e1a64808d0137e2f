//! The step that pulls the release's image into the engine.

use cutover_runtime::PullProgress;

use super::{Apply, Done};
use crate::credentials;
use crate::report::Event;

impl Apply<'_> {
    /// Makes sure that the engine has the image, by its digest.
    pub(super) async fn pull(&self) -> Done {
        let release = self.release()?;
        let pinned = release.pinned();
        if self.target.engine.observe_image(&pinned).await?.is_some() {
            return Ok(());
        }
        let credentials = credentials::for_engine(self.target.config, release.image.registry()).await?;
        let report = self.report;
        let mut progress = move |progress: PullProgress| {
            if let (Some(layer), Some(done), Some(total)) =
                (&progress.layer, progress.current, progress.total)
            {
                report.tell(Event::Layer { layer, done, total });
            }
        };
        self.target.engine.ensure_image(&pinned, credentials.as_ref(), &mut progress).await?;
        Ok(())
    }
}
