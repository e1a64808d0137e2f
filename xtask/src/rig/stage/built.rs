//! What a stage keeps of its releases, and where the app's containers are.

use super::Stage;

impl Stage {
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
