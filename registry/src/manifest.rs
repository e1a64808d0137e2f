//! Image manifests and indexes, as registries serve them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Digest, Platform};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";

/// Points at content: what it is, how long, and its digest (`descriptor.md` of the OCI image specification).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// The content's media type.
    pub media_type: String,
    /// The content's digest.
    pub digest: Digest,
    /// The content's length in bytes.
    pub size: u64,
    /// What kind of artifact it is, where it is no image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Which platform it is for, in an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Anything else said about it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Says no more than what must be said.
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            platform: None,
            annotations: BTreeMap::new(),
        }
    }

    pub(crate) fn is_image_config(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_CONFIG | DOCKER_CONFIG)
    }
}

/// One image: its configuration and its layers, lowest first (`manifest.md` of the OCI image specification, and
/// Docker's image manifest version 2, schema 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The image's configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// Anything said about the image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// The sum of the configuration's and the layers' lengths in bytes, as compressed for transport.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).fold(self.config.size, u64::saturating_add)
    }
}

/// What a manifest's bytes turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Document {
    Image(Box<Manifest>),
    Index(Vec<Descriptor>),
}

/// Whether this is the media type of a manifest or an index that can be read.
pub(crate) fn is_known(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | OCI_MANIFEST | DOCKER_INDEX | DOCKER_MANIFEST)
}

/// Reads a manifest or an index.
///
/// The media type in the document counts, then the one it was served with. A document that could be either is refused:
/// two readers would see two images in the same bytes (CVE-2021-41190).
pub(crate) fn read(bytes: &[u8], served: &str) -> Result<(String, Document), String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        schema_version: Option<u64>,
        media_type: Option<String>,
        manifests: Option<Vec<Descriptor>>,
        layers: Option<serde::de::IgnoredAny>,
        config: Option<serde::de::IgnoredAny>,
    }
    let shape: Shape = serde_json::from_slice(bytes).map_err(|error| format!("not a manifest: {error}"))?;
    if shape.schema_version != Some(2) {
        return Err("only manifests of schema version 2 can be read".to_owned());
    }
    let media_type = match shape.media_type {
        Some(own) if is_known(served) && own != served => {
            return Err(format!("a manifest that calls itself {own} was served as {served}"));
        }
        Some(own) => own,
        None if is_known(served) => served.to_owned(),
        None if shape.manifests.is_some() => OCI_INDEX.to_owned(),
        None => OCI_MANIFEST.to_owned(),
    };
    let image_like = shape.layers.is_some() || shape.config.is_some();
    match (media_type.as_str(), shape.manifests) {
        (OCI_INDEX | DOCKER_INDEX, Some(entries)) if !image_like => {
            Ok((media_type, Document::Index(entries)))
        }
        (OCI_MANIFEST | DOCKER_MANIFEST, None) => {
            let manifest =
                serde_json::from_slice(bytes).map_err(|error| format!("not an image manifest: {error}"))?;
            Ok((media_type, Document::Image(Box::new(manifest))))
        }
        (OCI_INDEX | DOCKER_INDEX | OCI_MANIFEST | DOCKER_MANIFEST, _) => {
            Err(format!("the content does not fit its media type {media_type}"))
        }
        _ => Err(format!("{media_type} is not a manifest's media type")),
    }
}
