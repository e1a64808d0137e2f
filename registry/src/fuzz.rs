//! What strangers may send, whatever it is: for libFuzzer (`fuzz/`), and over its corpus for the tests.
//!
//! A target fails by a panic, or where what it was told does not hold together.

use std::collections::HashSet;
use std::path::{Component, Path};
use std::time::{Instant, SystemTime};

use reqwest::Url;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

use crate::challenge::{self, Challenge};
use crate::manifest::{self, Document};
use crate::patience::Patience;
use crate::scope::Scope;
use crate::{Descriptor, Digest, DockerConfig, ImageConfig, ImageRef, Platform};
use crate::{answer, authorizer, download, endpoint, layout, pages, parts, signature, source, upload};

/// An image that is asked for while a stranger answers.
const ASKED: &str = "registry.example/acme/web:1";

/// Image references, digests and platforms: what is read is written, and read again the same.
pub fn reference(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>().as_ref(), Ok(&platform));
    }
    match text.parse::<ImageRef>() {
        Ok(image) => {
            for form in [image.to_string(), image.canonical()] {
                assert_eq!(form.parse::<ImageRef>().as_ref(), Ok(&image), "{form:?}");
            }
            let base = endpoint::base(image.registry(), false);
            if let Ok(base) = base {
                // No repository leads out of the API, or to another host.
                let path = format!("{}/manifests/{}", image.repository(), image.manifest_name());
                let url = base.join(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
                assert!(endpoint::same_origin(&base, &url), "{url}");
                assert_eq!(url.path(), format!("/v2/{path}"));
                assert_eq!((url.query(), url.fragment(), url.username()), (None, None, ""));
            }
        }
        Err(invalid) => assert!(text.get(..invalid.offset).is_some(), "{invalid}"),
    }
    if let Err(invalid) = text.parse::<Digest>() {
        assert!(text.get(..invalid.offset).is_some(), "{invalid}");
    }
}

/// What a registry answers with before its body: `WWW-Authenticate`, `Link`, `Retry-After`, `Content-Range`, `Range`.
pub fn registry_headers(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let image = asked();
    for challenge in challenge::parse(&text) {
        let Challenge::Bearer { realm, scope, .. } = challenge else { continue };
        drop(Url::parse(&realm));
        let scopes = Scope::pull(&image).to_ask(scope.as_deref());
        assert_eq!(scopes[0].split(':').next(), Some("repository"));
        assert!(scopes.iter().all(|scope| !scope.contains(|c: char| c.is_ascii_whitespace())), "{scopes:?}");
    }
    if let Some(next) = pages::next_link(&text) {
        assert!(text.contains(&format!("<{next}>")), "{next:?}");
        drop(endpoint::base(image.registry(), false).map(|base| base.join(&next)));
    }
    if let Some(at) = download::begin_of(&text).or_else(|| upload::received(&text)) {
        assert!(text.contains(|c: char| c.is_ascii_digit()), "{at}");
    }
    let mut lines = data.splitn(2, |byte| *byte == b'\n').map(HeaderValue::from_bytes);
    let mut headers = HeaderMap::new();
    for name in [RETRY_AFTER, DATE] {
        headers.extend(lines.next().and_then(Result::ok).map(|value| (name, value)));
    }
    let pause = answer::retry_after(&headers, SystemTime::UNIX_EPOCH);
    if let (Some(asked), Some(waited)) = (pause, Patience::default().next(pause)) {
        assert!(waited >= asked && asked.as_secs() <= 30, "{asked:?} {waited:?}");
    }
}

/// What a registry and its token server answer with: tokens, manifests, indexes, configurations, signatures, refusals.
pub fn registry_bodies(data: &[u8]) {
    let image = asked();
    if let Ok(grant) = authorizer::grant(data, Instant::now()) {
        assert!(grant.header.is_sensitive());
    }
    for served in ["", manifest::OCI_INDEX, manifest::OCI_MANIFEST, manifest::DOCKER_MANIFEST] {
        match manifest::read(data, served) {
            Ok((media_type, Document::Image(manifest))) => {
                assert!(media_type.contains("manifest.v"), "{media_type}");
                assert!(manifest.size() >= manifest.config.size);
            }
            Ok((media_type, Document::Index(entries))) => {
                assert!(media_type.contains("index") || media_type.contains("list"), "{media_type}");
                let platforms: HashSet<_> = entries.iter().filter_map(|e| e.platform.as_ref()).collect();
                let host = Platform::host();
                assert!(platforms.iter().all(|it| **it != host || host.distance(it) == Some(0)));
            }
            Err(words) => assert!(!words.is_empty()),
        }
    }
    if let Ok(config) = ImageConfig::read(data) {
        assert!(config.platform.is_none_or(|platform| !platform.os.is_empty()));
    }
    drop(parts::platform_of(data, &image, &Platform::host()));
    drop(signature::claim(data, &Digest::of(b"")));
    let told = answer::from_json(data).unwrap_or_else(|| String::from_utf8_lossy(data).into_owned());
    let told = answer::clean(&told);
    assert!(told.chars().count() <= answer::REASON_SHOWN && !told.contains(char::is_control), "{told:?}");
    drop(DockerConfig::parse(Path::new("config.json"), data));
}

/// The index of an OCI image layout: no entry leads out of the layout, and what is entered is found.
pub fn layout(data: &[u8]) {
    let root = Path::new("/layout");
    if let Ok(entry) = source::entry_of(data, root, None) {
        let path = root.join("blobs").join(entry.digest.algorithm().as_str()).join(entry.digest.hex());
        let below = path.strip_prefix(root).unwrap_or(Path::new("/"));
        assert!(below.components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
    }
    let (image, digest) = (asked(), Digest::of(b"an image"));
    let entry = Descriptor::new(manifest::OCI_MANIFEST, digest.clone(), 8);
    let Ok(entered) = layout::entered(Some(data), &image, entry) else { return };
    match source::entry_of(&entered, root, Some(&image.canonical())) {
        Ok(found) => assert_eq!(found.digest, digest),
        // Somebody else's entry is kept as it is, though nothing can be made of it.
        Err(error) => assert!(source::entry_of(data, root, None).is_err(), "{error}"),
    }
}

fn asked() -> ImageRef {
    ASKED.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[cfg(test)]
#[path = "../../fuzz/play.rs"]
mod play;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references_of_strangers_do_no_harm() {
        play::play("reference", reference);
    }

    #[test]
    fn headers_of_a_hostile_registry_do_no_harm() {
        play::play("registry_headers", registry_headers);
    }

    #[test]
    fn bodies_of_a_hostile_registry_do_no_harm() {
        play::play("registry_bodies", registry_bodies);
    }

    #[test]
    fn a_hostile_layout_does_no_harm() {
        play::play("layout", layout);
    }
}
