//! An image as a stream that `docker load` takes, straight from the registry.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use serde_json::json;

use crate::digest::Hasher;
use crate::download::Download;
use crate::parts::platform_of;
use crate::registry::Selected;
use crate::transfer::Events;
use crate::{Descriptor, Digest, Error, ImageRef, Platform, Registry, Resolved, Result};

/// How long an image's configuration may be, in bytes.
const CONFIG_MAX: u64 = 4 * 1024 * 1024;
/// What a tar consists of, in bytes.
const BLOCK: u64 = 512;
/// How long a name in it is at most here: enough of a digest to tell one from the other.
const NAME: usize = 64;

/// An image as a docker-archive: a tar of its configuration, its layers as the registry has them, and last a `manifest.json`.
///
/// Nothing is on disk, and memory is bounded whatever the image. A connection that breaks is taken up where it ended.
/// Each blob is hashed while it passes; the stream ends with an error, and without the `manifest.json`, before an
/// engine could take an image that is not the one asked for.
pub struct Archive {
    resolved: Resolved,
    size: u64,
    stream: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl Archive {
    /// The image's own manifest, for its platform.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// How long the whole archive is, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Stream for Archive {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        self.get_mut().stream.as_mut().poll_next(context)
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("resolved", &self.resolved).finish_non_exhaustive()
    }
}

impl Registry {
    /// The image for this platform as an [`Archive`]. It is named in the engine by the tag of the reference, if it has one.
    ///
    /// # Errors
    ///
    /// As [`manifest`](Self::manifest), and [`Error::PlatformMissing`] when the image is for another platform by its
    /// own configuration. The stream ends with what can befall a blob: see [`pull`](Self::pull).
    pub async fn archive(&self, image: &ImageRef, platform: &Platform) -> Result<Archive> {
        let Selected { resolved, manifest, .. } = self.select(image, platform).await?;
        let config = self.config(&resolved.image, &manifest.config).await?;
        if manifest.config.is_image_config() {
            platform_of(&config, image, platform)?;
        }
        let mut layers: Vec<Descriptor> = Vec::new();
        for layer in &manifest.layers {
            if layers.iter().all(|known| known.digest != layer.digest) {
                layers.push(layer.clone());
            }
        }
        let names: Vec<_> = manifest.layers.iter().map(|layer| file(&layer.digest, "tar")).collect();
        let tags: Vec<_> = tag_of(image).into_iter().collect();
        let config_file = file(&manifest.config.digest, "json");
        let last = json!([{"Config": config_file, "RepoTags": tags, "Layers": names}]).to_string();

        let sizes = layers.iter().map(|layer| layer.size).chain([config.len() as u64, last.len() as u64]);
        let size = sizes.map(|size| BLOCK + size + padding(size)).sum::<u64>() + 2 * BLOCK;
        let writing = Writing {
            registry: self.clone(),
            image: resolved.image.clone(),
            ready: entry(&config_file, &config),
            layers: layers.into_iter(),
            layer: None,
            last: Some(last),
        };
        let stream = Box::pin(stream::try_unfold(writing, async |mut writing: Writing| {
            Ok(writing.next().await?.map(|bytes| (bytes, writing)))
        }));
        Ok(Archive { resolved, size, stream })
    }

    /// A configuration, verified.
    async fn config(&self, image: &ImageRef, config: &Descriptor) -> Result<Vec<u8>> {
        if config.size > CONFIG_MAX {
            return Err(Error::TooLarge { what: format!("the configuration of {image}"), limit: CONFIG_MAX });
        }
        let mut download = Download::new(self, image, config, 0, ignored());
        let mut bytes = Vec::new();
        while let Some(chunk) = download.chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        config.digest.verify(&bytes)?;
        Ok(bytes)
    }
}

struct Writing {
    registry: Registry,
    image: ImageRef,
    /// What comes next, when it is not empty.
    ready: Bytes,
    layers: std::vec::IntoIter<Descriptor>,
    layer: Option<Layer>,
    /// `manifest.json`, until it is written.
    last: Option<String>,
}

struct Layer {
    download: Download,
    hasher: Hasher,
    descriptor: Descriptor,
}

impl Writing {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if !self.ready.is_empty() {
                return Ok(Some(std::mem::take(&mut self.ready)));
            }
            if let Some(layer) = &mut self.layer
                && let Some(chunk) = layer.download.chunk().await?
            {
                layer.hasher.update(&chunk);
                return Ok(Some(chunk));
            }
            if let Some(Layer { hasher, descriptor, .. }) = self.layer.take() {
                descriptor.digest.expect(hasher.finish())?;
                self.ready = zeros(padding(descriptor.size));
            } else if let Some(descriptor) = self.layers.next() {
                self.ready = header(&file(&descriptor.digest, "tar"), descriptor.size);
                let download = Download::new(&self.registry, &self.image, &descriptor, 0, ignored());
                let hasher = Hasher::new(descriptor.digest.algorithm());
                self.layer = Some(Layer { download, hasher, descriptor });
            } else if let Some(last) = self.last.take() {
                let mut end = BytesMut::from(&entry("manifest.json", last.as_bytes())[..]);
                end.extend_from_slice(&zeros(2 * BLOCK));
                self.ready = end.freeze();
            } else {
                return Ok(None);
            }
        }
    }
}

/// Nobody takes the events of an archive.
fn ignored() -> Events {
    let events = Events::default();
    events.ignore();
    events
}

/// The name that the engine is to give it: without a digest, which it does not take.
fn tag_of(image: &ImageRef) -> Option<String> {
    let tagged = image.with_tag(image.tag()?).ok()?;
    Some(tagged.to_string())
}

fn file(digest: &Digest, ending: &str) -> String {
    format!("{}.{ending}", &digest.hex()[..NAME])
}

/// A file of a tar with its header and what fills its last block.
fn entry(name: &str, content: &[u8]) -> Bytes {
    let size = content.len() as u64;
    let mut bytes = BytesMut::from(&header(name, size)[..]);
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(&zeros(padding(size)));
    bytes.freeze()
}

fn header(name: &str, size: u64) -> Bytes {
    let mut header = tar::Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    header.set_cksum();
    Bytes::copy_from_slice(header.as_bytes())
}

fn padding(size: u64) -> u64 {
    size.next_multiple_of(BLOCK) - size
}

fn zeros(length: u64) -> Bytes {
    const ZEROS: [u8; 1024] = [0; 1024];
    Bytes::from_static(&ZEROS).slice(..usize::try_from(length).unwrap_or(0).min(ZEROS.len()))
}
