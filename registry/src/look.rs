//! Looking at what a repository holds.

use serde::Deserialize;

use crate::call::Ask;
use crate::manifest::{self, Document, OCI_INDEX};
use crate::mirrors::FromMirror;
use crate::pages::Pages;
use crate::registry::{Selected, header};
use crate::transport::read;
use crate::{Descriptor, Error, ImageConfig, ImageRef, Platform, Registry, Resolved, Result};

/// How long a configuration may be, in bytes.
const CONFIG_MAX: u64 = 4 * 1024 * 1024;

/// What an image is, without its layers' content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspected {
    /// What the reference stands for: the image, or the index that it is in.
    pub resolved: Resolved,
    /// The image's own manifest.
    pub image: Resolved,
    /// The platforms on offer, in the index's order; the image's own where there is no index.
    pub platforms: Vec<Platform>,
    /// What the image is made to do.
    pub config: ImageConfig,
    /// The layers, lowest first, with their lengths as they are sent.
    pub layers: Vec<Descriptor>,
    /// The sum of the configuration's and the layers' lengths in bytes, as they are sent.
    pub size: u64,
}

impl Registry {
    /// Says what the image for this platform is: three requests for an index, two for an image.
    ///
    /// # Errors
    ///
    /// As [`manifest`](Self::manifest), and [`Error::BlobMissing`] when its configuration is not there.
    pub async fn inspect(&self, image: &ImageRef, platform: &Platform) -> Result<Inspected> {
        let Selected { root, offered, resolved, manifest, .. } = self.select(image, platform).await?;
        let config = self.content(&resolved.image, &manifest.config, CONFIG_MAX).await?;
        let config = ImageConfig::read(&config)
            .map_err(|error| Error::protocol(image.registry(), format!("the configuration: {error}")))?;
        let own = || config.platform.clone().into_iter().collect();
        Ok(Inspected {
            resolved: root,
            platforms: if offered.is_empty() { own() } else { offered },
            size: manifest.size(),
            image: resolved,
            layers: manifest.layers,
            config,
        })
    }

    /// The tags of the reference's repository, in the registry's order, which is mostly that of the alphabet.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when there is no such repository, and what else can happen on the way.
    pub async fn tags(&self, image: &ImageRef) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Page {
            // docker-registry says null for none.
            tags: Option<Vec<String>>,
        }
        let path = "tags/list?n=1000".to_owned();
        let mut pages = Pages::new(&self.transport, image, path, "application/json");
        let mut tags = Vec::new();
        while let Some((_, body)) = pages.next().await? {
            let page: Page = serde_json::from_slice(&body)
                .map_err(|error| Error::protocol(image.registry(), format!("a list of tags: {error}")))?;
            tags.extend(page.tags.unwrap_or_default());
        }
        Ok(tags)
    }

    /// What refers to the image: signatures, attestations, bills of material, of one kind where it is said.
    ///
    /// A reference without a digest is resolved first. A registry that does not know the referrers API of the OCI
    /// distribution specification 1.1 is asked for the tag `sha256-<hex>`, where that specification has clients keep
    /// the list instead.
    ///
    /// # Errors
    ///
    /// As [`resolve`](Self::resolve). An image that nothing refers to is no error, and neither is one that is not there.
    pub async fn referrers(&self, image: &ImageRef, artifact_type: Option<&str>) -> Result<Vec<Descriptor>> {
        let image = self.pinned(image).await?;
        let Some(digest) = image.digest() else { return Ok(Vec::new()) };
        let found = match self.referrers_by_api(&image, artifact_type).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let tag = format!("{}-{}", digest.algorithm().as_str(), digest.hex());
                match self.fetch_from(&image.with_tag(&tag)?, false).await.map(|fetched| fetched.document) {
                    Ok(Document::Index(entries)) => entries,
                    Ok(Document::Image(_)) | Err(Error::NotFound { .. }) => Vec::new(),
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        };
        let wanted = |entry: &Descriptor| {
            artifact_type.is_none_or(|kind| entry.artifact_type.as_deref() == Some(kind))
        };
        Ok(found.into_iter().filter(wanted).collect())
    }

    /// Nothing where the answer is none of that API.
    async fn referrers_by_api(
        &self,
        image: &ImageRef,
        artifact_type: Option<&str>,
    ) -> Result<Option<Vec<Descriptor>>> {
        let mut path = format!("referrers/{}", image.manifest_name());
        if let Some(kind) = artifact_type {
            let mut query = reqwest::Url::parse("x:/")
                .map_err(|error| Error::protocol(image.registry(), format!("not an address: {error}")))?;
            query.query_pairs_mut().append_pair("artifactType", kind);
            path = format!("{path}?{}", query.query().unwrap_or_default());
        }
        let pages = Pages::new(&self.transport, image, path, OCI_INDEX);
        let mut pages = pages.unknown_as(&[400, 404, 405, 501]);
        let mut found = Vec::new();
        while let Some((headers, body)) = pages.next().await? {
            if !header(&headers, "content-type").starts_with(OCI_INDEX) {
                return Ok(None);
            }
            match manifest::read(&body, OCI_INDEX) {
                Ok((_, Document::Index(entries))) => found.extend(entries),
                _ => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    /// The reference with a digest, which is resolved where it has none.
    pub(crate) async fn pinned(&self, image: &ImageRef) -> Result<ImageRef> {
        match image.digest() {
            Some(digest) => Ok(image.with_digest(digest.clone())),
            None => Ok(self.resolve(image).await?.image),
        }
    }

    /// A small blob, whole and verified.
    pub(crate) async fn content(&self, image: &ImageRef, blob: &Descriptor, limit: u64) -> Result<Vec<u8>> {
        let what = format!("{} of {image}", blob.digest);
        if blob.size > limit {
            return Err(Error::TooLarge { what, limit });
        }
        let path = format!("blobs/{}", blob.digest);
        let ask = Ask { image, path, accept: "*/*", small: true, from: 0 };
        loop {
            let response = self.transport.get(&ask).await.map_err(|error| match error {
                Error::NotFound { image } => Error::BlobMissing { image, digest: blob.digest.clone() },
                other => other,
            })?;
            let mirror = response.extensions().get::<FromMirror>().cloned();
            let outcome = match read(response, blob.size, &what).await {
                Ok(bytes) => blob.digest.verify(&bytes).map(|()| bytes),
                Err(error) => Err(error),
            };
            match (outcome, mirror) {
                (Err(error), Some(FromMirror(mirror))) => self.transport.mirrors.pass_over(&mirror, &error),
                (outcome, _) => return outcome,
            }
        }
    }
}
