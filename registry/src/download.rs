//! The bytes of one blob, over as many connections as it takes.

use std::time::Duration;

use bytes::{Buf, Bytes};
use reqwest::header::CONTENT_RANGE;
use reqwest::{Response, StatusCode};

use crate::endpoint::authority;
use crate::mirrors::FromMirror;
use crate::registry::header;
use crate::transfer::Events;
use crate::transport::{Ask, Patience, failed};
use crate::{Descriptor, Error, ImageRef, Progress, Registry, Result};

/// How many new bytes make a try worth its while, so that the patience begins anew: without this, a peer that breaks off
/// after each byte would keep us for ever.
const PROGRESS: u64 = 64 * 1024;

/// A blob on its way: from a position to the end that its descriptor names, no further, and not verified.
///
/// A connection that breaks or stalls is followed by another that asks for the rest (RFC 9110, section 14.2). Where the
/// registry sends the whole again, what is known of it is passed over.
pub(crate) struct Download {
    registry: Registry,
    image: ImageRef,
    blob: Descriptor,
    events: Events,
    position: u64,
    body: Option<Body>,
    /// The mirror that it comes from at the moment, if it is one.
    mirror: Option<ImageRef>,
    patience: Patience,
    /// Where the patience began.
    mark: u64,
}

struct Body {
    response: Response,
    /// How much of what comes is known already.
    known: u64,
}

impl Download {
    pub(crate) fn new(
        registry: &Registry,
        image: &ImageRef,
        blob: &Descriptor,
        from: u64,
        events: Events,
    ) -> Self {
        Self {
            registry: registry.clone(),
            image: image.clone(),
            blob: blob.clone(),
            events,
            position: from,
            body: None,
            mirror: None,
            patience: Patience::default(),
            mark: from,
        }
    }

    /// How many of the blob's bytes came, those before the beginning included.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The next bytes; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while self.position < self.blob.size {
            match self.step().await {
                Ok(chunk) if chunk.is_empty() => {}
                Ok(chunk) => return Ok(Some(chunk)),
                Err(error) => self.again(error).await?,
            }
        }
        Ok(None)
    }

    /// Some bytes, or none yet.
    async fn step(&mut self) -> Result<Bytes> {
        if self.body.is_none() {
            self.body = Some(self.open().await?);
        }
        let Some(body) = &mut self.body else { return Ok(Bytes::new()) };
        let mut chunk = match body.response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Err(self.truncated()),
            Err(error) => {
                let host = authority(body.response.url());
                return Err(match failed(&host, &self.path(), error) {
                    Error::Unreachable { .. } => self.truncated(),
                    other => other,
                });
            }
        };
        let known = body.known.min(chunk.len() as u64);
        body.known -= known;
        chunk.advance(usize::try_from(known).unwrap_or(chunk.len()));
        if chunk.len() as u64 > self.blob.size - self.position {
            return Err(self.too_large());
        }
        self.position += chunk.len() as u64;
        Ok(chunk)
    }

    async fn open(&mut self) -> Result<Body> {
        let digest = &self.blob.digest;
        let ask =
            Ask { image: &self.image, path: self.path(), accept: "*/*", small: false, from: self.position };
        let response = self.registry.transport.get(&ask).await.map_err(|error| match error {
            Error::NotFound { image } => Error::BlobMissing { image, digest: digest.clone() },
            other => other,
        })?;
        self.mirror = response.extensions().get().map(|FromMirror(mirror)| mirror.clone());
        let known = match response.status() {
            StatusCode::RANGE_NOT_SATISFIABLE => return Err(self.truncated()),
            StatusCode::PARTIAL_CONTENT => {
                let begins = begin_of(&header(response.headers(), CONTENT_RANGE.as_str()));
                if begins.is_some_and(|begins| begins != self.position) {
                    let detail = format!("asked for {digest} from byte {}, got another part", self.position);
                    return Err(Error::protocol(&authority(response.url()), detail));
                }
                0
            }
            _ => self.position,
        };
        let rest = self.blob.size - self.position + known;
        if response.content_length().is_some_and(|length| length > rest) {
            return Err(self.too_large());
        }
        Ok(Body { response, known })
    }

    /// Waits before another try, if there is one.
    async fn again(&mut self, error: Error) -> Result<()> {
        self.body = None;
        if let Some(mirror) = self.mirror.take() {
            self.registry.transport.mirrors.pass_over(&mirror, &error);
            return Ok(());
        }
        if !matches!(error, Error::Truncated { .. } | Error::Timeout { .. }) {
            return Err(error);
        }
        let pause = if self.position - self.mark >= PROGRESS {
            self.mark = self.position;
            self.patience = Patience::default();
            Duration::ZERO
        } else if let Some(pause) = self.patience.next(None) {
            pause
        } else {
            return Err(error);
        };
        tracing::debug!(%error, ?pause, "trying again");
        self.events.tell(Progress::Retrying {
            digest: Some(self.blob.digest.clone()),
            error: error.to_string(),
            pause,
        });
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn path(&self) -> String {
        format!("blobs/{}", self.blob.digest)
    }

    fn truncated(&self) -> Error {
        Error::Truncated {
            image: Box::new(self.image.clone()),
            digest: self.blob.digest.clone(),
            received: self.position,
            expected: self.blob.size,
        }
    }

    fn too_large(&self) -> Error {
        let what = format!("{} from {}", self.blob.digest, self.image.registry());
        Error::TooLarge { what, limit: self.blob.size }
    }
}

/// The first byte's place by `Content-Range: bytes 5-9/10`, where it is said.
pub(crate) fn begin_of(range: &str) -> Option<u64> {
    range.trim().strip_prefix("bytes ")?.split_once('-')?.0.parse().ok()
}
