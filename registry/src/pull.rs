//! Pulling an image into an OCI image layout.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use crate::layout::{Incoming, Layout};
use crate::registry::Selected;
use crate::transport::{Ask, Patience, failed};
use crate::{Descriptor, Digest, Error, ImageRef, Platform, Registry, Resolved, Result};

/// How many blobs come in at once.
const AT_ONCE: usize = 4;
/// How often progress is told, in bytes.
const STRIDE: u64 = 256 * 1024;
/// How long an image's configuration may be, in bytes, for it to be looked into.
const CONFIG_MAX: u64 = 4 * 1024 * 1024;

/// What happens during a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullProgress {
    /// The image was found.
    Resolved {
        /// What the reference stands for.
        resolved: Resolved,
        /// How many layers it has.
        layers: usize,
        /// How long its configuration and layers are together, in bytes.
        total: u64,
    },
    /// A layer comes in; `done` begins at 0, again when the layer has to be begun again, and ends at `total` once
    /// it is verified.
    Layer {
        /// The layer.
        digest: Digest,
        /// How much has come, in bytes.
        done: u64,
        /// How long it is, in bytes.
        total: u64,
    },
    /// A layer was there already.
    Kept {
        /// The layer.
        digest: Digest,
        /// How long it is, in bytes.
        total: u64,
    },
}

/// What a pull came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    /// The image's own manifest, for its platform.
    pub resolved: Resolved,
    /// The layout's directory.
    pub output: PathBuf,
    /// How many bytes of configuration and layers were fetched.
    pub fetched: u64,
    /// How many bytes of configuration and layers were there already.
    pub kept: u64,
}

impl Registry {
    /// Pulls the image for this platform into the OCI image layout at `output`, which is made if it is not there.
    ///
    /// Blobs stream to disk, several at once, are hashed on the way and get their name once they are verified.
    /// Blobs that are there already are verified and kept. The image is entered into `index.json` last, under its
    /// tag and its whole name.
    ///
    /// # Errors
    ///
    /// As [`manifest`](Self::manifest), [`Error::BlobMissing`], [`Error::Truncated`], [`Error::LayoutInvalid`]
    /// when `output` holds something else, and [`Error::PlatformMissing`] when the image is for another platform
    /// by its own configuration.
    pub async fn pull(
        &self,
        image: &ImageRef,
        platform: &Platform,
        output: &Path,
        progress: &mut (dyn FnMut(PullProgress) + Send),
    ) -> Result<Pulled> {
        let selected = self.select(image, platform).await?;
        let Selected { resolved, manifest, .. } = &selected;
        let layout = Layout::open(output).await?;
        progress(PullProgress::Resolved {
            resolved: resolved.clone(),
            layers: manifest.layers.len(),
            total: manifest.size(),
        });
        let pull =
            Pull { registry: self, image: &resolved.image, layout: &layout, progress: Mutex::new(progress) };

        let (mut fetched, mut kept) = pull.blob(&manifest.config, false).await?.split();
        let own = pull.check_platform(&manifest.config, platform).await?;
        let mut seen = HashSet::new();
        let layers: Vec<_> = manifest.layers.iter().filter(|layer| seen.insert(&layer.digest)).collect();
        let mut arrivals = stream::iter(layers).map(|layer| pull.blob(layer, true)).buffer_unordered(AT_ONCE);
        while let Some(arrival) = arrivals.try_next().await? {
            let (new, old) = arrival.split();
            fetched += new;
            kept += old;
        }
        drop(arrivals);

        pull.manifest(&selected).await?;
        let entry = Descriptor {
            media_type: resolved.media_type.clone(),
            digest: resolved.digest.clone(),
            size: resolved.size,
            artifact_type: None,
            platform: own,
            annotations: std::collections::BTreeMap::new(),
        };
        layout.enter(image, entry).await?;
        Ok(Pulled { resolved: resolved.clone(), output: output.to_owned(), fetched, kept })
    }
}

/// Where a blob came from, and how long it is.
enum Arrival {
    Fetched(u64),
    Kept(u64),
}

impl Arrival {
    fn split(&self) -> (u64, u64) {
        match *self {
            Self::Fetched(bytes) => (bytes, 0),
            Self::Kept(bytes) => (0, bytes),
        }
    }
}

type Progress<'a> = Mutex<&'a mut (dyn FnMut(PullProgress) + Send)>;

struct Pull<'a> {
    registry: &'a Registry,
    image: &'a ImageRef,
    layout: &'a Layout,
    progress: Progress<'a>,
}

impl Pull<'_> {
    async fn blob(&self, blob: &Descriptor, told: bool) -> Result<Arrival> {
        if self.layout.holds(blob).await? {
            if told {
                self.tell(PullProgress::Kept { digest: blob.digest.clone(), total: blob.size });
            }
            return Ok(Arrival::Kept(blob.size));
        }
        let mut patience = Patience::default();
        loop {
            let incoming = self.layout.write(&blob.digest).await?;
            match self.fetch(blob, incoming, told).await {
                Ok(()) => return Ok(Arrival::Fetched(blob.size)),
                Err(error @ Error::Truncated { .. }) => patience.pause(None, error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn fetch(&self, blob: &Descriptor, mut incoming: Incoming, told: bool) -> Result<()> {
        let Descriptor { digest, size, .. } = blob;
        let layer = |done| PullProgress::Layer { digest: digest.clone(), done, total: *size };
        let path = format!("blobs/{digest}");
        let ask = Ask { image: self.image, path, accept: "*/*", small: false };
        let mut response = self.registry.transport.get(&ask).await.map_err(|error| match error {
            Error::NotFound { image } => Error::BlobMissing { image, digest: digest.clone() },
            other => other,
        })?;
        if told {
            self.tell(layer(0));
        }
        let host = crate::endpoint::authority(response.url());
        let (mut done, mut last) = (0, 0);
        let truncated = |received| Error::Truncated {
            image: Box::new(self.image.clone()),
            digest: digest.clone(),
            received,
            expected: *size,
        };
        while let Some(chunk) =
            response.chunk().await.map_err(|error| match failed(&host, &ask.path, error) {
                Error::Unreachable { .. } => truncated(done),
                other => other,
            })?
        {
            done += chunk.len() as u64;
            if done > *size {
                return Err(Error::TooLarge { what: format!("{digest} from {host}"), limit: *size });
            }
            incoming.write(&chunk).await?;
            if told && done - last >= STRIDE && done < *size {
                last = done;
                self.tell(layer(done));
            }
        }
        if done < *size {
            return Err(truncated(done));
        }
        incoming.keep().await?;
        if told {
            self.tell(layer(*size));
        }
        Ok(())
    }

    async fn manifest(&self, selected: &Selected) -> Result<()> {
        let mut incoming = self.layout.write(&selected.resolved.digest).await?;
        incoming.write(&selected.bytes).await?;
        incoming.keep().await
    }

    /// The platform that the image's configuration names, which must be one that can run where `wanted` does.
    async fn check_platform(&self, config: &Descriptor, wanted: &Platform) -> Result<Option<Platform>> {
        if !config.is_image_config() || config.size > CONFIG_MAX {
            return Ok(None);
        }
        let path = self.layout.blob(&config.digest);
        let bytes = tokio::fs::read(&path).await.map_err(Error::io(path))?;
        match platform_of(&bytes) {
            Some(own) if wanted.distance(&own).is_none() => Err(Error::PlatformMissing {
                image: Box::new(self.image.clone()),
                wanted: wanted.clone(),
                offered: vec![own],
            }),
            own => Ok(own),
        }
    }

    fn tell(&self, event: PullProgress) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress(event);
    }
}

fn platform_of(config: &[u8]) -> Option<Platform> {
    #[derive(Deserialize)]
    struct Config {
        os: String,
        architecture: String,
        variant: Option<String>,
    }
    let Config { os, architecture, variant } = serde_json::from_slice(config).ok()?;
    let variant = variant.filter(|variant| !variant.is_empty());
    (!os.is_empty() && !architecture.is_empty()).then_some(Platform { os, architecture, variant })
}
