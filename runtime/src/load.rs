//! Images from an archive.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};

use crate::Engine;
use crate::error::{self, Error, Result, Source};
use crate::wire::{self, Line};

impl Engine {
    /// Loads the images of an archive as `docker save` makes it, compressed or not, while it comes. Returns the
    /// references that lead to them, and the ids (`sha256:…`) of those without one, in the archive's order.
    ///
    /// # Errors
    ///
    /// [`Error::Load`] with the stream's own error when it fails: nothing is loaded then. [`Error::Refused`] when it is
    /// no such archive, [`Error::NoSpace`] when the engine's disk is full.
    pub async fn load<E: Into<Source>>(
        &self,
        archive: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<Vec<String>> {
        let failed = Arc::new(Mutex::new(None));
        let kept = Arc::clone(&failed);
        // The request must break off with it: what came so far may look like a whole archive.
        let parts = archive.map(move |part| {
            part.map_err(|e| {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(e.into());
                Source::from("the archive broke off")
            })
        });
        let loaded = self.load_parts(wire::streamed(parts)).await;
        let failed = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failed {
            Some(source) => Err(Error::Load { source }),
            None => loaded,
        }
    }

    async fn load_parts(&self, body: wire::Body) -> Result<Vec<String>> {
        const DOING: &str = "load an archive of images";
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"))]);
        let answer = self.post(DOING, "/images/load?quiet=1", headers, body).await?;
        let mut lines = match answer.lines().await {
            Ok(lines) => lines,
            Err((status, message)) => return Err(error::said_while(DOING, status, &message)),
        };
        let mut loaded = Vec::new();
        while let Some(line) = lines
            .next::<Line>()
            .await
            .map_err(|source| Error::Exchange { doing: DOING.to_owned(), source })?
        {
            if let Some(message) = line.failure() {
                return Err(error::said_while(DOING, 0, message));
            }
            loaded.extend(line.stream.as_deref().and_then(image));
        }
        Ok(loaded)
    }
}

/// `Loaded image: a/b:c` and `Loaded image ID: sha256:…`.
pub(crate) fn image(told: &str) -> Option<String> {
    let rest = told.trim().strip_prefix("Loaded image")?;
    rest.split_once(": ").map(|(_, image)| image.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_ids_are_read_from_what_the_engine_says() {
        assert_eq!(image("Loaded image: localhost:5000/a/b:v1\n").as_deref(), Some("localhost:5000/a/b:v1"));
        assert_eq!(image("Loaded image ID: sha256:ab\n").as_deref(), Some("sha256:ab"));
        assert_eq!(image("something else"), None);
    }
}
