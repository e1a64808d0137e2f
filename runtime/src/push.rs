//! Putting an image into its registry.

use hyper::HeaderMap;
use url::form_urlencoded::byte_serialize;

use crate::credentials::header;
use crate::error::{self, Error, Result};
use crate::image::split;
use crate::pull::registry;
use crate::wire::{self, Line};
use crate::{Credentials, Engine};

/// A step of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushProgress {
    /// The layer concerned, as the engine abbreviates it; `None` when it is about the whole image.
    pub layer: Option<String>,
    /// What happens, in the engine's words, such as `Pushing`.
    pub status: String,
    /// Bytes done.
    pub current: Option<u64>,
    /// Bytes in all.
    pub total: Option<u64>,
}

/// What a registry has now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pushed {
    /// The digest of the manifest, `sha256:…`: with it the registry knows the image for ever.
    pub digest: String,
    /// The size of the manifest, in bytes.
    pub size: u64,
}

impl Engine {
    /// Pushes what the reference leads to, and returns the digest it has in the registry. Without a tag, `latest` is meant.
    ///
    /// Layers that the registry has are not sent again.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchImage`] when the reference leads nowhere, or has a digest, which cannot be pushed to;
    /// [`Error::PushUnauthorized`] and [`Error::PushDenied`] as the registry has it.
    pub async fn push(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &mut (dyn FnMut(PushProgress) + Send),
    ) -> Result<Pushed> {
        if reference.contains('@') {
            return Err(Error::NoSuchImage { image: reference.to_owned() });
        }
        let doing = format!("push `{reference}`");
        let broken = |source| Error::Exchange { doing: doing.clone(), source };
        let (repository, tag) = split(reference);
        let tag: String = byte_serialize(tag.unwrap_or("latest").as_bytes()).collect();
        let path = format!("/images/{repository}/push?tag={tag}");
        let headers = authorized(credentials, registry(repository)).map_err(broken)?;
        let answer = self.post(&doing, &path, headers, wire::empty()).await?;
        let mut lines = match answer.lines().await {
            Ok(lines) => lines,
            Err((status, message)) => return Err(error::push(reference, status, &message)),
        };
        let mut pushed = None;
        while let Some(line) = lines.next::<Line>().await.map_err(broken)? {
            if let Some(message) = line.failure() {
                return Err(error::push(reference, 0, message));
            }
            if let Some(digest) = line.aux("Digest") {
                let size = line.aux.as_ref().and_then(|aux| aux.get("Size")?.as_u64()).unwrap_or_default();
                pushed = Some(Pushed { digest: digest.to_owned(), size });
            }
            if let Some(step) = told(line) {
                progress(step);
            }
        }
        pushed.ok_or_else(|| broken("it ended without a digest and without an error".into()))
    }
}

/// The engine wants the header of anonymous pushes too.
fn authorized(credentials: Option<&Credentials>, registry: &str) -> Result<HeaderMap, error::Source> {
    let value = match credentials {
        Some(known) => header(&known.shown(registry))?,
        None => header(&serde_json::json!({}))?,
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-registry-auth", value);
    Ok(headers)
}

pub(crate) fn told(line: Line) -> Option<PushProgress> {
    let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let detail = line.detail.unwrap_or_default();
    Some(PushProgress {
        layer: line.id.filter(|id| id.len() == 12),
        status: line.status?,
        current: bytes(detail.current),
        total: bytes(detail.total).filter(|&total| total > 0),
    })
}
