//! What a pull consists of: manifests, and the blobs that they point at.

use std::collections::HashSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;

use crate::manifest::{self, Document};
use crate::registry::{DEPTH_MAX, Fetched, Selected};
use crate::{Descriptor, Digest, Error, ImageRef, Manifest, Platform, Platforms, Registry, Resolved, Result};

/// How long all manifests of one pull may be together, in bytes: they are in memory until all are known.
const MANIFESTS_MAX: u64 = 8 * 1024 * 1024;
/// How many manifests are asked for at once.
const AT_ONCE: usize = 4;

/// Everything that a pull brings.
pub(crate) struct Parts {
    /// What the layout's `index.json` will name.
    pub(crate) resolved: Resolved,
    /// The manifests and indexes with their bytes.
    pub(crate) documents: Vec<(Digest, Vec<u8>)>,
    /// Configurations and layers, each once.
    pub(crate) blobs: Vec<Descriptor>,
    /// How many of them are layers.
    pub(crate) layers: usize,
    /// The configuration of the image for a platform, to be looked into when it is there.
    pub(crate) config: Option<(Descriptor, Platform)>,
    seen: HashSet<Digest>,
}

impl Parts {
    pub(crate) async fn find(registry: &Registry, image: &ImageRef, platforms: &Platforms) -> Result<Self> {
        match platforms {
            Platforms::Only(platform) => {
                let Selected { resolved, bytes, manifest, .. } = registry.select(image, platform).await?;
                let digest = resolved.digest.clone();
                let mut parts = Self::of(resolved);
                parts.document(digest, bytes);
                parts.config = Some((manifest.config.clone(), platform.clone()));
                parts.image(&manifest);
                Ok(parts)
            }
            Platforms::All => Self::all(registry, image).await,
        }
    }

    /// How long the blobs are together, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).fold(0, u64::saturating_add)
    }

    fn of(resolved: Resolved) -> Self {
        Self {
            resolved,
            documents: Vec::new(),
            blobs: Vec::new(),
            layers: 0,
            config: None,
            seen: HashSet::new(),
        }
    }

    /// The index and all that it leads to, level by level.
    async fn all(registry: &Registry, image: &ImageRef) -> Result<Self> {
        let first = registry.fetch(image).await?;
        let mut parts = Self::of(first.resolved.clone());
        let mut next = parts.take(image, first)?;
        for _ in 1..DEPTH_MAX {
            let mut fetched = stream::iter(std::mem::take(&mut next))
                .map(|entry| async move {
                    let fetched = registry.fetch(&image.with_digest(entry.digest.clone())).await?;
                    if fetched.resolved.size == entry.size {
                        return Ok(fetched);
                    }
                    let (said, is) = (entry.size, fetched.resolved.size);
                    let detail = format!("{} is {is} bytes long, its index says {said}", entry.digest);
                    Err(Error::protocol(image.registry(), detail))
                })
                .buffered(AT_ONCE);
            while let Some(fetched) = fetched.try_next().await? {
                next.extend(parts.take(image, fetched)?);
            }
        }
        if next.is_empty() {
            return Ok(parts);
        }
        Err(Error::protocol(image.registry(), format!("{image} is an index nested deeper than {DEPTH_MAX}")))
    }

    /// Takes a manifest in; the manifests that it leads to and that are not known yet.
    fn take(&mut self, image: &ImageRef, fetched: Fetched) -> Result<Vec<Descriptor>> {
        self.document(fetched.resolved.digest, fetched.bytes);
        let length: u64 = self.documents.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        if length > MANIFESTS_MAX {
            return Err(Error::TooLarge { what: format!("all manifests of {image}"), limit: MANIFESTS_MAX });
        }
        let entries = match fetched.document {
            Document::Image(manifest) => {
                self.image(&manifest);
                return Ok(Vec::new());
            }
            Document::Index(entries) => entries,
        };
        let (manifests, others): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .filter(|entry| self.seen.insert(entry.digest.clone()))
            .partition(|entry| manifest::is_known(&entry.media_type));
        // Caches of builds are indexes that point at layers.
        self.layers += others.len();
        self.blobs.extend(others);
        Ok(manifests)
    }

    fn document(&mut self, digest: Digest, bytes: Vec<u8>) {
        self.seen.insert(digest.clone());
        self.documents.push((digest, bytes));
    }

    fn image(&mut self, manifest: &Manifest) {
        self.blob(&manifest.config);
        for layer in &manifest.layers {
            self.layers += usize::from(self.blob(layer));
        }
    }

    fn blob(&mut self, blob: &Descriptor) -> bool {
        let new = self.seen.insert(blob.digest.clone());
        if new {
            // Without what is not needed to fetch it: there may be tens of thousands.
            let Descriptor { media_type, digest, size, .. } = blob.clone();
            self.blobs.push(Descriptor::new(media_type, digest, size));
        }
        new
    }
}

/// The platform that an image's configuration names, which must be one that can run where `wanted` does. None where it
/// does not say.
pub(crate) fn platform_of(config: &[u8], image: &ImageRef, wanted: &Platform) -> Result<Option<Platform>> {
    #[derive(Deserialize)]
    struct Config {
        os: String,
        architecture: String,
        variant: Option<String>,
    }
    let Ok(Config { os, architecture, variant }) = serde_json::from_slice(config) else { return Ok(None) };
    if os.is_empty() || architecture.is_empty() {
        return Ok(None);
    }
    let own = Platform { os, architecture, variant: variant.filter(|variant| !variant.is_empty()) };
    match wanted.distance(&own) {
        Some(_) => Ok(Some(own)),
        None => Err(Error::PlatformMissing {
            image: Box::new(image.clone()),
            wanted: wanted.clone(),
            offered: vec![own],
        }),
    }
}
