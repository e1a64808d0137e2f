//! Images that the engine holds.

use std::collections::BTreeMap;

use bollard::models::ImageInspect;
use bollard::query_parameters::{ListImagesOptions, RemoveImageOptions, TagImageOptions};
use futures_util::future::try_join_all;

use crate::Engine;
use crate::error::{self, Error, Result};

/// An image that the engine holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Image {
    /// The engine's own name for it, `sha256:…`. It is not the digest that a registry knows.
    pub id: String,
    /// The references with digests that it was pulled or pushed by.
    pub repo_digests: Vec<String>,
    /// The references with tags that lead to it.
    pub repo_tags: Vec<String>,
    /// What it takes on the disk, in bytes, layers shared with others included.
    pub size: u64,
    /// When it was made, as RFC 3339 has it.
    pub created: Option<String>,
    /// The TCP ports that it says it listens on, in order.
    pub exposed_ports: Vec<u16>,
    /// Whether it brings a HEALTHCHECK.
    pub has_healthcheck: bool,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What became of an image that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// A container uses it, or other references lead to it. It stays.
    InUse,
    /// It was not there.
    Absent,
}

impl Engine {
    /// The image of that reference or id, if the engine holds it. No registry is asked.
    ///
    /// # Errors
    ///
    /// When the engine does not answer, or the reference is not one.
    pub async fn observe_image(&self, reference: &str) -> Result<Option<Image>> {
        match self.docker().inspect_image(&local_name(reference)).await {
            Ok(inspected) => Ok(Some(inspected.into())),
            Err(e) if error::is_absent(&e) => Ok(None),
            Err(e) => Err(error::engine(format!("inspect the image `{reference}`"), e)),
        }
    }

    /// All images of a repository, such as `ghcr.io/acme/web`, the newest first.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_images(&self, repository: &str) -> Result<Vec<Image>> {
        let listed = self.docker().list_images(None::<ListImagesOptions>).await;
        let listed = listed.map_err(|e| error::engine("list its images", e))?;
        let wanted = familiar(repository);
        let ours = listed.into_iter().filter(|image| {
            let mut names = image.repo_tags.iter().chain(&image.repo_digests);
            names.any(|name| familiar(split(name).0) == wanted)
        });
        let ids: Vec<String> = ours.map(|image| image.id).collect();
        let found = try_join_all(ids.iter().map(|id| self.observe_image(id))).await?;
        let mut found: Vec<Image> = found.into_iter().flatten().collect();
        found.sort_by(|a, b| (&b.created, &b.id).cmp(&(&a.created, &a.id)));
        Ok(found)
    }

    /// Makes the reference lead to the image, wherever it led before. Without a tag, `latest` is meant.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchImage`] when there is no such image, [`Error::Refused`] when the reference is none, or has a digest.
    pub async fn tag(&self, image: &str, reference: &str) -> Result<()> {
        let doing = format!("tag `{image}` as `{reference}`");
        if reference.contains('@') {
            return Err(Error::Refused {
                doing,
                status: 400,
                source: "a reference with a digest is no tag".into(),
            });
        }
        let (repository, tag) = split(reference);
        let options = TagImageOptions {
            repo: Some(repository.to_owned()),
            tag: Some(tag.unwrap_or("latest").to_owned()),
        };
        match self.docker().tag_image(&local_name(image), Some(options)).await {
            Ok(()) => Ok(()),
            Err(e) if error::is_absent(&e) => Err(Error::NoSuchImage { image: image.to_owned() }),
            Err(e) => Err(error::engine(doing, e)),
        }
    }

    /// Removes the reference, and the image with it where no other leads to it. Never by force.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn remove_image(&self, reference: &str) -> Result<Removal> {
        let options = Some(RemoveImageOptions::default());
        match self.docker().remove_image(&local_name(reference), options, None).await {
            Ok(_) => Ok(Removal::Removed),
            Err(e) if error::is_absent(&e) => Ok(Removal::Absent),
            Err(e) if error::refusal(&e).is_some_and(|(status, _)| status == 409) => Ok(Removal::InUse),
            Err(e) => Err(error::engine(format!("remove the image `{reference}`"), e)),
        }
    }
}

/// The repository, and what of it: a digest with its algorithm, or a tag.
///
/// Where a reference has both, the digest says it all, and engines disagree on what the two mean together.
pub(crate) fn split(reference: &str) -> (&str, Option<&str>) {
    let (named, digest) = match reference.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    let after_host = named.rfind('/').map_or(0, |slash| slash + 1);
    match named[after_host..].split_once(':') {
        Some((name, tag)) => (&named[..after_host + name.len()], digest.or(Some(tag))),
        None => (named, digest),
    }
}

/// The form under which the engine knows a reference; ids stay as they are.
fn local_name(reference: &str) -> String {
    match split(reference) {
        (repository, Some(digest)) if reference.contains('@') => format!("{repository}@{digest}"),
        _ => reference.to_owned(),
    }
}

/// The engine leaves Docker Hub's name out of what it lists.
fn familiar(repository: &str) -> &str {
    let hub = ["docker.io/", "index.docker.io/"].iter().find_map(|host| repository.strip_prefix(host));
    hub.map_or(repository, |path| path.strip_prefix("library/").unwrap_or(path))
}

/// True for a HEALTHCHECK that asks something. `NONE` takes away one inherited.
pub(crate) fn is_healthcheck(test: &[String]) -> bool {
    test.first().is_some_and(|first| first != "NONE")
}

impl From<ImageInspect> for Image {
    fn from(seen: ImageInspect) -> Self {
        let config = seen.config.unwrap_or_default();
        let port = |port: String| port.strip_suffix("/tcp").and_then(|port| port.parse().ok());
        let mut exposed_ports: Vec<u16> =
            config.exposed_ports.unwrap_or_default().into_iter().filter_map(port).collect();
        exposed_ports.sort_unstable();
        let test = config.healthcheck.and_then(|check| check.test).unwrap_or_default();
        Self {
            id: seen.id.unwrap_or_default(),
            repo_digests: seen.repo_digests.unwrap_or_default(),
            repo_tags: seen.repo_tags.unwrap_or_default(),
            size: seen.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
            created: seen.created.filter(|at| !at.is_empty()),
            exposed_ports,
            has_healthcheck: is_healthcheck(&test),
            labels: config.labels.unwrap_or_default().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_of_the_registry_is_not_taken_for_a_tag() {
        assert_eq!(split("localhost:5000/a/b"), ("localhost:5000/a/b", None));
        assert_eq!(split("localhost:5000/a/b:v1"), ("localhost:5000/a/b", Some("v1")));
        assert_eq!(split("nginx:1.22"), ("nginx", Some("1.22")));
        assert_eq!(split("nginx"), ("nginx", None));
    }

    #[test]
    fn a_digest_outweighs_the_tag_beside_it() {
        assert_eq!(split("ghcr.io/a/b:v1@sha256:ab"), ("ghcr.io/a/b", Some("sha256:ab")));
        assert_eq!(local_name("ghcr.io/a/b:v1@sha256:ab"), "ghcr.io/a/b@sha256:ab");
        assert_eq!(local_name("sha256:ab"), "sha256:ab");
    }

    #[test]
    fn docker_hub_is_known_by_all_its_names() {
        for name in ["nginx", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/library/nginx"] {
            assert_eq!(familiar(name), "nginx", "{name}");
        }
        assert_eq!(familiar("ghcr.io/library/nginx"), "ghcr.io/library/nginx");
    }

    #[test]
    fn a_healthcheck_of_none_is_none() {
        assert!(!is_healthcheck(&[]) && !is_healthcheck(&["NONE".to_owned()]));
        assert!(is_healthcheck(&["CMD".to_owned(), "/ok".to_owned()]));
    }
}
