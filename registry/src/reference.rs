//! Image references: `ghcr.io/acme/web:1.4@sha256:…`, read, checked and written.

use std::fmt;
use std::str::FromStr;

use crate::Digest;
use crate::digest::DigestInvalid;

const DOCKER_HUB: &str = "docker.io";
const DEFAULT_TAG: &str = "latest";
const REPOSITORY_MAX: usize = 255;
const TAG_MAX: usize = 128;

/// A reference to an image at a registry.
///
/// Follows the grammar of the `distribution/reference` module; for repositories and tags it is that of the OCI
/// distribution specification, section "Pulling manifests". A reference is normalised as it is parsed: without a
/// registry it is one of `docker.io`, there without a namespace one of `library/`, and with neither a tag nor a digest
/// its tag is `latest`.
///
/// [`Display`](fmt::Display) writes the short form people know; [`canonical`](Self::canonical) writes it in full.
///
/// ```
/// # use cutover_registry::ImageRef;
/// let image: ImageRef = "nginx".parse()?;
/// assert_eq!((image.registry(), image.repository(), image.tag()), ("docker.io", "library/nginx", Some("latest")));
/// assert_eq!(image.to_string(), "nginx:latest");
/// assert_eq!(image.canonical(), "docker.io/library/nginx:latest");
/// # Ok::<(), cutover_registry::ReferenceInvalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageRef {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl ImageRef {
    /// The registry's host, with its port where one was given: `ghcr.io`, `127.0.0.1:5000`, `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry: `acme/web`, `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `latest` when neither a tag nor a digest was given, `None` when only a digest was.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, where the reference is pinned.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository, pinned to this digest. The tag is dropped: it may move, the digest cannot.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The same repository at this tag. A digest is dropped.
    ///
    /// # Errors
    ///
    /// [`ReferenceInvalid`] when the text is not a tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceInvalid> {
        check_tag(tag).map_err(|fault| fault.of(tag))?;
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same repository and tag or digest at another registry, which must be a registry's name.
    pub(crate) fn at_registry(&self, registry: &str) -> Self {
        Self { registry: registry.to_owned(), ..self.clone() }
    }

    /// The short form: `docker.io/` and its `library/` left out, everything else as in [`canonical`](Self::canonical).
    pub fn familiar(&self) -> String {
        self.to_string()
    }

    /// The whole form, with the registry and the namespace always there.
    pub fn canonical(&self) -> String {
        let mut text = format!("{}/{}", self.registry, self.repository);
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(&digest.to_string());
        }
        text
    }

    /// What the manifest is asked for by: the digest, or else the tag.
    pub(crate) fn manifest_name(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.as_deref().unwrap_or(DEFAULT_TAG).to_owned(),
        }
    }

    fn familiar_repository(&self) -> Option<&str> {
        if self.registry != DOCKER_HUB {
            return None;
        }
        match self.repository.strip_prefix("library/") {
            Some(name) if !name.contains('/') => Some(name),
            // Left out where the next component would then be taken for a registry.
            _ if self.repository.split_once('/').is_some_and(|(first, _)| !is_host(first)) => {
                Some(&self.repository)
            }
            _ => None,
        }
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.familiar_repository() {
            Some(name) => f.write_str(name)?,
            None => write!(f, "{}/{}", self.registry, self.repository)?,
        }
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageRef({})", self.canonical())
    }
}

impl FromStr for ImageRef {
    type Err = ReferenceInvalid;

    fn from_str(text: &str) -> Result<Self, ReferenceInvalid> {
        parse(text).map_err(|fault| fault.of(text))
    }
}

/// Why a text is not an [`ImageRef`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid image reference `{}`: {reason} (at byte {offset})", reference.escape_debug())]
pub struct ReferenceInvalid {
    /// The text as given.
    pub reference: String,
    /// Where in the text the fault is, in bytes from its beginning.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

struct Fault {
    offset: usize,
    reason: &'static str,
}

impl Fault {
    fn at(offset: usize, reason: &'static str) -> Self {
        Self { offset, reason }
    }

    fn moved(self, by: usize) -> Self {
        Self { offset: self.offset + by, ..self }
    }

    fn of(self, text: &str) -> ReferenceInvalid {
        ReferenceInvalid { reference: text.to_owned(), offset: self.offset, reason: self.reason }
    }
}

fn parse(text: &str) -> Result<ImageRef, Fault> {
    if text.is_empty() {
        return Err(Fault::at(0, "the reference is empty"));
    }
    if text.contains("://") {
        return Err(Fault::at(0, "a reference has no scheme: leave out `https://`"));
    }
    if text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(Fault::at(0, "64 hexadecimal digits are an image id, not a reference"));
    }
    let (named, digest) = match text.split_once('@') {
        None => (text, None),
        Some((named, digest)) => {
            let digest: Digest = digest.parse().map_err(|DigestInvalid { offset, reason, .. }| {
                Fault::at(named.len() + 1 + offset, reason)
            })?;
            (named, Some(digest))
        }
    };
    let (host, rest) = match named.split_once('/') {
        Some((first, rest)) if is_host(first) => (Some(first), rest),
        _ => (None, named),
    };
    let start = named.len() - rest.len();
    if let Some(host) = host {
        check_host(host)?;
    }
    let (repository, tag) = match rest.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (rest, None),
    };
    check_repository(repository).map_err(|fault| fault.moved(start))?;
    if let Some(tag) = tag {
        check_tag(tag).map_err(|fault| fault.moved(start + repository.len() + 1))?;
    }
    let registry = match host {
        None | Some("index.docker.io" | "registry-1.docker.io") => DOCKER_HUB,
        Some(host) => host,
    };
    let repository = if registry == DOCKER_HUB && !repository.contains('/') {
        format!("library/{repository}")
    } else {
        repository.to_owned()
    };
    // What Docker Hub's names leave out counts too, or the whole form could not be read again.
    if repository.len() > REPOSITORY_MAX {
        let left_out = repository.len() - (rest.len() - tag.map_or(0, |tag| tag.len() + 1));
        let offset = start + REPOSITORY_MAX - left_out;
        return Err(Fault::at(offset, "the repository name is longer than 255 bytes"));
    }
    let tag = tag.or(digest.is_none().then_some(DEFAULT_TAG)).map(str::to_owned);
    Ok(ImageRef { registry: registry.to_owned(), repository, tag, digest })
}

/// Docker's rule for telling a registry from the first part of a repository.
fn is_host(first: &str) -> bool {
    first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn check_host(host: &str) -> Result<(), Fault> {
    let (name, port) = if host.starts_with('[') {
        let end = host.find(']').ok_or_else(|| Fault::at(0, "the IPv6 address is not closed with `]`"))?;
        if host[1..end].parse::<std::net::Ipv6Addr>().is_err() {
            return Err(Fault::at(1, "not an IPv6 address"));
        }
        match &host[end + 1..] {
            "" => return Ok(()),
            rest => (
                &host[..=end],
                Some(rest.strip_prefix(':').ok_or_else(|| Fault::at(end + 1, "expected `:` and a port"))?),
            ),
        }
    } else {
        let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        check_host_name(name)?;
        (name, port)
    };
    match port.map(|port| (port.bytes().all(|byte| byte.is_ascii_digit()), port.parse::<u16>())) {
        None | Some((true, Ok(1..))) => Ok(()),
        Some(_) => Err(Fault::at(name.len() + 1, "the registry's port must be a number from 1 to 65535")),
    }
}

fn check_host_name(name: &str) -> Result<(), Fault> {
    let mut start = 0;
    for label in name.split('.') {
        if label.is_empty() {
            return Err(Fault::at(start, "the registry's host has an empty part"));
        }
        if let Some(bad) = label.bytes().position(|byte| !byte.is_ascii_alphanumeric() && byte != b'-') {
            return Err(Fault::at(
                start + bad,
                "only letters, digits, `-` and `.` may stand in a registry's host",
            ));
        }
        if label.starts_with('-') {
            return Err(Fault::at(start, "a part of the registry's host begins with `-`"));
        }
        if label.ends_with('-') {
            return Err(Fault::at(start + label.len() - 1, "a part of the registry's host ends with `-`"));
        }
        start += label.len() + 1;
    }
    Ok(())
}

fn check_repository(repository: &str) -> Result<(), Fault> {
    if repository.is_empty() {
        return Err(Fault::at(0, "the repository name is empty"));
    }
    let mut start = 0;
    for component in repository.split('/') {
        check_component(component).map_err(|fault| fault.moved(start))?;
        start += component.len() + 1;
    }
    Ok(())
}

/// `[a-z0-9]+ ((\.|_|__|-+) [a-z0-9]+)*`
fn check_component(component: &str) -> Result<(), Fault> {
    if component.is_empty() {
        return Err(Fault::at(0, "the repository name has an empty part"));
    }
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    for (offset, byte) in component.bytes().enumerate() {
        match byte {
            b'A'..=b'Z' => return Err(Fault::at(offset, "repository name must be lowercase")),
            b'.' | b'_' | b'-' => {}
            _ if alphanumeric(byte) => {}
            _ => {
                return Err(Fault::at(
                    offset,
                    "only a-z, 0-9, `.`, `_`, `-` and `/` may stand in a repository name",
                ));
            }
        }
    }
    let mut offset = 0;
    for (index, separator) in component.split(|c: char| c.is_ascii_alphanumeric()).enumerate() {
        if !separator.is_empty() {
            if index == 0 {
                return Err(Fault::at(0, "a part of the repository name begins with a separator"));
            }
            if offset + separator.len() == component.len() {
                return Err(Fault::at(offset, "a part of the repository name ends with a separator"));
            }
            if !matches!(separator, "." | "_" | "__") && !separator.bytes().all(|byte| byte == b'-') {
                return Err(Fault::at(
                    offset,
                    "separators in a repository name are `.`, `_`, `__` or dashes",
                ));
            }
        }
        offset += separator.len() + 1;
    }
    Ok(())
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}`
fn check_tag(tag: &str) -> Result<(), Fault> {
    if tag.is_empty() {
        return Err(Fault::at(0, "the tag is empty"));
    }
    for (offset, byte) in tag.bytes().enumerate() {
        match byte {
            _ if offset == TAG_MAX => return Err(Fault::at(offset, "the tag is longer than 128 characters")),
            b'.' | b'-' if offset == 0 => {
                return Err(Fault::at(0, "a tag begins with a letter, a digit or `_`"));
            }
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' => {}
            _ => return Err(Fault::at(offset, "only letters, digits, `_`, `.` and `-` may stand in a tag")),
        }
    }
    Ok(())
}
