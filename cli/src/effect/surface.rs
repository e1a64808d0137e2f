//! An nginx whose changes are told.

use std::path::Path;

use cutover_proxyconf::{Dump, Error, NginxVersion, Surface};
use tokio::net::UnixDatagram;

use super::{Effect, Told, around};

/// Where nginx runs, with a witness of what is changed there.
#[derive(Clone, Debug)]
pub struct Watched<S> {
    place: S,
    witness: Told,
}

impl<S> Watched<S> {
    /// The surface, with this witness.
    pub(crate) fn new(place: S, witness: &Told) -> Self {
        Self { place, witness: witness.clone() }
    }

    /// Where nginx runs, to look at.
    pub fn place(&self) -> &S {
        &self.place
    }
}

impl<S: Surface> Surface for Watched<S> {
    async fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        self.place.read(path).await
    }

    async fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        around(&self.witness, Effect::WriteFile(path.to_owned()), self.place.write(path, text)).await
    }

    async fn remove(&self, path: &Path) -> Result<(), Error> {
        around(&self.witness, Effect::RemoveFile(path.to_owned()), self.place.remove(path)).await
    }

    async fn marker_present(&self, path: &Path) -> Result<bool, Error> {
        self.place.marker_present(path).await
    }

    async fn set_marker(&self, path: &Path, present: bool) -> Result<(), Error> {
        let named = if present { Effect::MakeMarker } else { Effect::RemoveMarker };
        around(&self.witness, named(path.to_owned()), self.place.set_marker(path, present)).await
    }

    async fn markers(&self, folder: &Path) -> Result<Vec<String>, Error> {
        self.place.markers(folder).await
    }

    async fn bind(&self, path: &Path) -> Result<UnixDatagram, Error> {
        around(&self.witness, Effect::Listen(path.to_owned()), self.place.bind(path)).await
    }

    async fn version(&self) -> Result<NginxVersion, Error> {
        self.place.version().await
    }

    async fn test(&self) -> Result<(), Error> {
        self.place.test().await
    }

    async fn dump(&self) -> Result<Dump, Error> {
        self.place.dump().await
    }

    async fn reload(&self) -> Result<(), Error> {
        around(&self.witness, Effect::Reload, self.place.reload()).await
    }

    async fn running(&self) -> Result<bool, Error> {
        self.place.running().await
    }
}
