//! Getting an image from its registry.

use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;

use crate::error::{self, Error, Result};
use crate::image::split;
use crate::{Credentials, Engine, Image};

/// How an image came to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pull {
    /// It was there before.
    AlreadyThere(Image),
    /// It was pulled.
    Pulled(Image),
}

impl Pull {
    /// The image, however it came.
    pub fn image(&self) -> &Image {
        match self {
            Self::AlreadyThere(image) | Self::Pulled(image) => image,
        }
    }
}

/// A step of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullProgress {
    /// The layer concerned, as the engine abbreviates it; `None` when it is about the whole image.
    pub layer: Option<String>,
    /// What happens, in the engine's words, such as `Downloading`.
    pub status: String,
    /// Bytes done.
    pub current: Option<u64>,
    /// Bytes in all.
    pub total: Option<u64>,
}

impl Engine {
    /// Makes sure that the engine holds the image, pulling it only when it does not.
    ///
    /// The reference is best one with a digest: a tag that the engine holds is taken as it is, whatever the registry
    /// has by now. Without tag and digest, `latest` is meant.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`], [`Error::Denied`] and [`Error::ImageNotFound`] as the registry has it,
    /// [`Error::NoSpace`] when the engine's disk is full.
    pub async fn ensure_image(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &mut (dyn FnMut(PullProgress) + Send),
    ) -> Result<Pull> {
        if let Some(image) = self.observe_image(reference).await? {
            return Ok(Pull::AlreadyThere(image));
        }
        tracing::debug!(reference, "pulling");
        let (repository, version) = split(reference);
        // Without a tag the engine would pull all of them.
        let options = CreateImageOptions {
            from_image: Some(repository.to_owned()),
            tag: Some(version.unwrap_or("latest").to_owned()),
            ..CreateImageOptions::default()
        };
        let credentials = credentials.map(|given| given.for_engine(registry(repository)));
        let mut steps = self.docker().create_image(Some(options), None, credentials);
        while let Some(step) = steps.next().await {
            if let Some(step) = told(step.map_err(|e| error::pull(reference, e))?) {
                progress(step);
            }
        }
        let image = self.observe_image(reference).await?;
        image.map(Pull::Pulled).ok_or_else(|| Error::NoSuchImage { image: reference.to_owned() })
    }
}

fn told(step: CreateImageInfo) -> Option<PullProgress> {
    let bytes = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok());
    let detail = step.progress_detail.unwrap_or_default();
    Some(PullProgress {
        layer: step.id.filter(|id| id.len() == 12),
        status: step.status?,
        current: bytes(detail.current),
        total: bytes(detail.total).filter(|&total| total > 0),
    })
}

/// The registry of a repository, by the rule that the first part is a host when it looks like one.
pub(crate) fn registry(repository: &str) -> &str {
    match repository.split_once('/') {
        Some((host, _)) if host == "localhost" || host.contains(['.', ':']) => host,
        _ => "https://index.docker.io/v1/",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_the_first_part_when_it_looks_like_a_host() {
        assert_eq!(registry("ghcr.io/acme/web"), "ghcr.io");
        assert_eq!(registry("localhost/web"), "localhost");
        assert_eq!(registry("127.0.0.1:5000/web"), "127.0.0.1:5000");
        assert_eq!(registry("acme/web"), "https://index.docker.io/v1/");
        assert_eq!(registry("web"), "https://index.docker.io/v1/");
    }
}
