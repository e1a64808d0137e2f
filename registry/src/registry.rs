//! The client, and how it finds the manifest of an image.

use std::sync::Arc;

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::call::{Ask, Call};
use crate::endpoint::registry_name;
use crate::manifest::{self, Document};
use crate::transport::{Transport, read};
use crate::{Credentials, Descriptor, Digest, Error, ImageRef, Manifest, Platform, RegistryBuilder, Result};

/// How long a manifest may be, in bytes: what the OCI distribution specification has registries take.
pub(crate) const MANIFEST_MAX: u64 = 4 * 1024 * 1024;
/// How many manifests may be gone through from the reference to the image.
pub(crate) const DEPTH_MAX: usize = 4;
pub(crate) const DIGEST_HEADER: &str = "docker-content-digest";
/// All that can be read: GHCR answers that it knows no manifest where it has one of a kind that is not named.
pub(crate) const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// Marks an entry that says something about another, such as who built it. It is no image.
const REFERENCE_TYPE: &str = "vnd.docker.reference.type";

/// A client for any number of registries. Cloning it is cheap, and the clones share connections and tokens.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) transport: Arc<Transport>,
}

/// What a reference stands for at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The image, pinned by its digest.
    pub image: ImageRef,
    /// The digest of the manifest or index, computed from its bytes.
    pub digest: Digest,
    /// The media type of the manifest or index.
    pub media_type: String,
    /// The length of the manifest or index in bytes.
    pub size: u64,
}

/// A manifest as served, checked.
pub(crate) struct Fetched {
    pub(crate) resolved: Resolved,
    pub(crate) bytes: Vec<u8>,
    pub(crate) document: Document,
}

impl Fetched {
    fn at_registry(mut self, registry: &str) -> Self {
        self.resolved.image = self.resolved.image.at_registry(registry);
        self
    }
}

/// The one image that a reference and a platform come to.
pub(crate) struct Selected {
    /// What the reference itself stands for.
    pub(crate) root: Resolved,
    /// The platforms of the indexes on the way.
    pub(crate) offered: Vec<Platform>,
    pub(crate) resolved: Resolved,
    pub(crate) bytes: Vec<u8>,
    pub(crate) manifest: Manifest,
}

impl Registry {
    /// Sets up a client.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::new()
    }

    /// Pins a reference: gets its manifest or index and computes the digest from the bytes.
    ///
    /// A digest in the reference must be met, and so must the one that the registry announces.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Unauthorized`], [`Error::Denied`], [`Error::DigestMismatch`], and what else
    /// can happen on the way.
    pub async fn resolve(&self, image: &ImageRef) -> Result<Resolved> {
        Ok(self.fetch(image).await?.resolved)
    }

    /// The manifest of the image for this platform, looked up in the index where the reference is to one.
    ///
    /// What is resolved is the image's own manifest. A reference to a single image is taken as it is; which
    /// platform it is for stands in its configuration, which [`pull`](Self::pull) looks at.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve), and [`Error::PlatformMissing`] with the platforms on offer.
    pub async fn manifest(&self, image: &ImageRef, platform: &Platform) -> Result<(Resolved, Manifest)> {
        let selected = self.select(image, platform).await?;
        Ok((selected.resolved, selected.manifest))
    }

    pub(crate) async fn select(&self, image: &ImageRef, platform: &Platform) -> Result<Selected> {
        let mut offered = Vec::new();
        let mut next = image.clone();
        let mut root = None;
        for _ in 0..DEPTH_MAX {
            let Fetched { resolved, bytes, document } = self.fetch(&next).await?;
            let root = root.get_or_insert_with(|| resolved.clone());
            let entries = match document {
                Document::Image(manifest) => {
                    return Ok(Selected {
                        root: root.clone(),
                        offered,
                        resolved,
                        bytes,
                        manifest: *manifest,
                    });
                }
                Document::Index(entries) => entries,
            };
            let images: Vec<_> = entries.iter().filter(|entry| is_image(entry)).collect();
            offered.extend(images.iter().filter_map(|entry| entry.platform.clone()));
            match choose(&images, platform) {
                Some(entry) => next = next.with_digest(entry.digest.clone()),
                None => {
                    let (image, wanted) = (Box::new(image.clone()), platform.clone());
                    return Err(Error::PlatformMissing { image, wanted, offered });
                }
            }
        }
        Err(Error::protocol(image.registry(), format!("{image} is an index nested deeper than {DEPTH_MAX}")))
    }

    /// Changes who to be at a registry, for this client and its clones, from the next request on. Tokens that were got
    /// for who it was before are forgotten.
    pub fn set_credentials(&self, registry: impl AsRef<str>, credentials: Credentials) {
        self.transport.set_credentials(registry_name(registry.as_ref()), credentials);
    }

    /// From the mirrors, or else from the registry itself.
    pub(crate) async fn fetch(&self, image: &ImageRef) -> Result<Fetched> {
        for mirror in self.transport.mirrors.of(image) {
            match self.fetch_from(&mirror, true).await {
                Ok(fetched) => return Ok(fetched.at_registry(image.registry())),
                Err(error) => self.transport.mirrors.pass_over(&mirror, &error),
            }
        }
        self.fetch_from(image, false).await
    }

    pub(crate) async fn fetch_from(&self, image: &ImageRef, once: bool) -> Result<Fetched> {
        let ask = Ask {
            image,
            path: format!("manifests/{}", image.manifest_name()),
            accept: MANIFESTS,
            small: true,
            from: 0,
        };
        let call = Call::get(&ask);
        let response = self.transport.send(&if once { call.once() } else { call }).await?;
        let served = header(response.headers(), CONTENT_TYPE.as_str());
        let served = served.split(';').next().unwrap_or_default().trim().to_owned();
        let announced = header(response.headers(), DIGEST_HEADER);
        let bytes = read(response, MANIFEST_MAX, &format!("the manifest of {image}")).await?;

        let digest = match image.digest() {
            Some(wanted) => {
                wanted.verify(&bytes)?;
                wanted.clone()
            }
            None if announced.is_empty() => Digest::of(&bytes),
            None => {
                let announced: Digest = announced.parse().map_err(|error| {
                    Error::protocol(image.registry(), format!("{DIGEST_HEADER}: {error}"))
                })?;
                announced.verify(&bytes)?;
                announced
            }
        };
        let (media_type, document) = manifest::read(&bytes, &served)
            .map_err(|detail| Error::protocol(image.registry(), format!("{image}: {detail}")))?;
        let resolved = Resolved {
            image: image.with_digest(digest.clone()),
            digest,
            media_type,
            size: bytes.len() as u64,
        };
        Ok(Fetched { resolved, bytes, document })
    }
}

fn is_image(entry: &Descriptor) -> bool {
    !entry.platform.as_ref().is_some_and(Platform::is_unknown)
        && !entry.annotations.contains_key(REFERENCE_TYPE)
}

/// The nearest platform, the first of equals; or else the first that names none and may be a nested index.
fn choose<'a>(entries: &[&'a Descriptor], wanted: &Platform) -> Option<&'a Descriptor> {
    let distance = |entry: &Descriptor| wanted.distance(entry.platform.as_ref()?);
    let nearest =
        entries.iter().filter_map(|entry| Some((distance(entry)?, *entry))).min_by_key(|(far, _)| *far);
    nearest.map(|(_, entry)| entry).or_else(|| entries.iter().find(|entry| entry.platform.is_none()).copied())
}

pub(crate) fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
