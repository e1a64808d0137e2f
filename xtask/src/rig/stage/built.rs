//! A stage's releases: how they are made, and what it keeps of them. Where the app's containers are.

use std::path::Path;

use super::Stage;
use crate::rig::error::Result;
use crate::rig::image::ServiceImage;

impl Stage {
    /// Builds a release of the example service with these settings besides its version, and pushes it under the
    /// version as its tag; the reference.
    ///
    /// # Errors
    /// When the image cannot be built or pushed.
    pub async fn release(&mut self, version: &str, settings: &[(&str, &str)]) -> Result<String> {
        self.release_with(version, settings, &[]).await
    }

    /// As [`Stage::release`], with these programs of the host in the image.
    ///
    /// # Errors
    /// As [`Stage::release`].
    pub async fn release_with(
        &mut self,
        version: &str,
        settings: &[(&str, &str)],
        programs: &[&Path],
    ) -> Result<String> {
        let settings: Vec<_> = [("VERSION", version)].into_iter().chain(settings.iter().copied()).collect();
        let name = format!("acme/{}", self.app);
        let image = ServiceImage::build_with(&name, version, &settings, programs).await?;
        self.registry.push(image.name()).await?;
        self.images.push(image);
        Ok(format!("{}:{version}", self.repository()))
    }

    /// With the app on another engine than the stage's own, by its address. What is there is not removed on drop.
    #[must_use]
    pub fn on_engine(mut self, address: String) -> Self {
        self.engine = Some(address);
        self
    }

    /// Lets go of the images that releases were built as. The registry has them, and that is where releases come from.
    pub fn forget_built(&mut self) {
        self.images.clear();
    }

    /// The name of the network that the app's containers are on.
    #[must_use]
    pub fn network(&self) -> &str {
        &self.network
    }
}
