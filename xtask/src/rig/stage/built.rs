//! What a stage keeps of its releases, and where its containers meet.

use super::Stage;

impl Stage {
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
