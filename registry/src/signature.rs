//! Signatures by key, as cosign keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::manifest::Document;
use crate::{Descriptor, Digest, Error, ImageRef, PublicKey, Registry, Result};

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const TYPE: &str = "cosign container image signature";
const PAYLOAD_MAX: u64 = 64 * 1024;
/// How many signatures of an image are looked at.
const SIGNATURES_MAX: usize = 100;

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The image that is signed, by its digest.
    pub image: ImageRef,
    /// Which of the keys given it is by, counted from 0.
    pub key: usize,
    /// What the image was called when it was signed. Nothing is made of it here, as cosign makes nothing of it: a copy
    /// in another registry has the same signature.
    pub reference: String,
}

/// What is signed (`SIGNATURE_SPEC.md` of cosign, "Payload"; the format is that of containers/image).
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    #[serde(rename = "type")]
    kind: String,
    image: Signed,
    identity: Identity,
}

#[derive(Deserialize)]
struct Signed {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference", default)]
    reference: String,
}

impl Registry {
    /// Verifies that the image carries a signature by one of these keys, as `cosign sign --key` makes it: the tag
    /// `sha256-<hex>.sig` of the same repository, a payload for each signature.
    ///
    /// A reference without a digest is resolved first; what is signed is then [`Verified::image`], and only that is to be
    /// used. For an index, the index itself must be signed.
    ///
    /// Not covered: signatures without a key (certificates of Fulcio), proof of being in Rekor's log, and the bundles
    /// that cosign 3 attaches as referrers unless it is told `--new-bundle-format=false`. Whoever needs those runs
    /// `cosign verify`.
    ///
    /// # Errors
    ///
    /// [`Error::Unsigned`], [`Error::SignedByOthers`], [`Error::SignedAnother`] when a key given signed another image's
    /// digest, and what can happen on the way.
    pub async fn verify_signature(&self, image: &ImageRef, keys: &[PublicKey]) -> Result<Verified> {
        let image = self.pinned(image).await?;
        let unsigned = || Error::Unsigned { image: Box::new(image.clone()) };
        let Some(digest) = image.digest() else { return Err(unsigned()) };
        let tag = format!("{}-{}.sig", digest.algorithm().as_str(), digest.hex());
        let place = image.with_tag(&tag)?;
        let layers = match self.fetch(&place).await.map(|fetched| fetched.document) {
            Ok(Document::Image(manifest)) => manifest.layers,
            Ok(Document::Index(_)) | Err(Error::NotFound { .. }) => return Err(unsigned()),
            Err(error) => return Err(error),
        };
        let signatures: Vec<_> =
            layers.iter().filter(|layer| layer.media_type == SIMPLE_SIGNING).take(SIGNATURES_MAX).collect();
        if signatures.is_empty() {
            return Err(unsigned());
        }
        let found = signatures.len();
        let mut refused = Error::SignedByOthers { image: Box::new(image.clone()), found };
        for layer in signatures {
            let Some((key, payload)) = self.signed(&place, layer, keys).await? else { continue };
            match claim(&payload, digest) {
                Ok(reference) => return Ok(Verified { image, key, reference }),
                Err(signed) => refused = Error::SignedAnother { image: Box::new(image.clone()), signed },
            }
        }
        Err(refused)
    }

    /// The payload, and which key it is signed by. One that cannot be had does not stand in the way of others.
    async fn signed(
        &self,
        place: &ImageRef,
        layer: &Descriptor,
        keys: &[PublicKey],
    ) -> Result<Option<(usize, Vec<u8>)>> {
        let signature = layer.annotations.get(SIGNATURE).and_then(|text| STANDARD.decode(text).ok());
        let Some(signature) = signature else { return Ok(None) };
        let payload = match self.content(place, layer, PAYLOAD_MAX).await {
            Ok(payload) => payload,
            Err(
                error @ (Error::BlobMissing { .. } | Error::TooLarge { .. } | Error::DigestMismatch { .. }),
            ) => {
                tracing::warn!(%error, image = %place, "a signature is passed over");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let by = keys.iter().position(|key| key.verifies(&payload, &signature));
        Ok(by.map(|key| (key, payload)))
    }
}

/// What the image was called when it was signed; or else what it is that was signed.
pub(crate) fn claim(payload: &[u8], digest: &Digest) -> Result<String, String> {
    let Ok(Payload { critical }) = serde_json::from_slice(payload) else {
        return Err("something that is no image".to_owned());
    };
    if critical.kind != TYPE {
        return Err(format!("something of the kind {:?}", critical.kind));
    }
    match critical.image.digest.parse::<Digest>() {
        Ok(signed) if signed == *digest => Ok(critical.identity.reference),
        Ok(signed) => Err(signed.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
