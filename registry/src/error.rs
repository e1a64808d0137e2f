//! What can go wrong.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Digest, DigestInvalid, ImageRef, Platform, PlatformInvalid, ReferenceInvalid, Refusal};

/// A cause kept for those who want to know.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the registry, or something on the way to it, did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or one that broke: name, network, TLS.
    #[error("cannot reach {registry}")]
    Unreachable {
        /// The registry, or the token server it named.
        registry: String,
        /// What failed underneath.
        source: Source,
    },
    /// The registry wants to know who asks, or does not take who was named.
    #[error("{registry} did not accept the credentials for {repository}: {detail}")]
    Unauthorized {
        /// The registry.
        registry: String,
        /// The repository asked for.
        repository: String,
        /// What it means by that.
        refusal: Refusal,
        /// What it said, and what to do.
        detail: String,
    },
    /// The registry knows who asks and says no.
    #[error("{registry} denied access to {repository}: {detail}")]
    Denied {
        /// The registry.
        registry: String,
        /// The repository asked for.
        repository: String,
        /// What it means by that.
        refusal: Refusal,
        /// What it said, and what to do.
        detail: String,
    },
    /// The registry has no such image.
    #[error("{} not found at {}", image, image.registry())]
    NotFound {
        /// The image.
        image: Box<ImageRef>,
    },
    /// The registry has the manifest but not what it points at.
    #[error("{} lacks {digest}, which {image} is made of", image.registry())]
    BlobMissing {
        /// The image.
        image: Box<ImageRef>,
        /// What is lacking.
        digest: Digest,
    },
    /// An index has no image for the platform.
    #[error("{image} has no image for {wanted}; on offer: {}", list(offered))]
    PlatformMissing {
        /// The image.
        image: Box<ImageRef>,
        /// The platform asked for.
        wanted: Platform,
        /// The platforms it has, in its order.
        offered: Vec<Platform>,
    },
    /// Too many requests, and the patience for them is spent.
    #[error("{registry} limits the rate of requests{}", after(*retry_after))]
    RateLimited {
        /// The registry, or the token server it named.
        registry: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server failed, each time it was tried.
    #[error("{registry} answered {status}: {detail}")]
    Unavailable {
        /// The registry, or the token server it named.
        registry: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The bytes are not those that were asked for.
    #[error("content has digest {actual}, not {expected}")]
    DigestMismatch {
        /// The digest asked for, or announced.
        expected: Digest,
        /// The digest of what came.
        actual: Digest,
    },
    /// An answer is longer than it may be.
    #[error("{what} is longer than {limit} bytes")]
    TooLarge {
        /// What was being read.
        what: String,
        /// How long it may be, in bytes.
        limit: u64,
    },
    /// The registry, or what stands before it, does not take a request as long as that.
    #[error(
        "{registry} does not take {size} bytes in one request, which {digest} needs: raise its limit (nginx: client_max_body_size)"
    )]
    BodyTooLarge {
        /// The registry, or the server that it named.
        registry: String,
        /// The blob.
        digest: Digest,
        /// How long the request was, in bytes.
        size: u64,
    },
    /// A blob ended early, each time it was tried.
    #[error("{digest} of {image} ended after {received} of {expected} bytes")]
    Truncated {
        /// The image.
        image: Box<ImageRef>,
        /// The blob.
        digest: Digest,
        /// How much came, in bytes.
        received: u64,
        /// How much was announced, in bytes.
        expected: u64,
    },
    /// The server did not answer, or stopped in the middle.
    #[error("{registry} did not answer in time: {what}")]
    Timeout {
        /// The registry, or the token server it named.
        registry: String,
        /// What was asked for.
        what: String,
    },
    /// An answer that the protocol does not have.
    #[error("{registry} broke the protocol: {detail}")]
    Protocol {
        /// The registry, or the token server it named.
        registry: String,
        /// What was wrong.
        detail: String,
    },
    /// The registry would have us do what is not safe, and was refused.
    #[error("refused what {registry} asked for: {detail}")]
    Unsafe {
        /// The registry.
        registry: String,
        /// What it asked for, and why not.
        detail: String,
    },
    /// Not an image reference.
    #[error(transparent)]
    Reference(#[from] ReferenceInvalid),
    /// Not a digest.
    #[error(transparent)]
    Digest(#[from] DigestInvalid),
    /// Not a platform.
    #[error(transparent)]
    Platform(#[from] PlatformInvalid),
    /// The client cannot be made with these settings.
    #[error("cannot set up the registry client: {detail}")]
    Setup {
        /// What is wrong with them.
        detail: String,
    },
    /// There is no such Docker configuration file.
    #[error("{} does not exist", path.display())]
    ConfigMissing {
        /// The file.
        path: PathBuf,
    },
    /// The Docker configuration file cannot be understood.
    #[error("{}: {detail}", path.display())]
    ConfigInvalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where. Never the file's own text, which holds secrets.
        detail: String,
    },
    /// The credential helper is not installed.
    #[error("credential helper {helper}, named for {registry}, is not installed")]
    HelperMissing {
        /// The program's name.
        helper: String,
        /// The registry asked about.
        registry: String,
    },
    /// The credential helper took too long and was stopped.
    #[error("credential helper {helper} did not answer for {registry} within {limit:?}")]
    HelperTimeout {
        /// The program's name.
        helper: String,
        /// The registry asked about.
        registry: String,
        /// How long it was given.
        limit: Duration,
    },
    /// The credential helper failed.
    #[error("credential helper {helper} failed for {registry}: {detail}")]
    Helper {
        /// The program's name.
        helper: String,
        /// The registry asked about.
        registry: String,
        /// What it said.
        detail: String,
    },
    /// The directory is something else than an OCI image layout, or one that cannot be understood.
    #[error("{}: {detail}", path.display())]
    LayoutInvalid {
        /// The directory, or the file in it.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The layout has several images, and it was not said which to take; or none that was asked for.
    #[error("{}: {}; it has: {}", path.display(), wanted.as_ref().map_or_else(|| "which image to take must be said".to_owned(), |wanted| format!("no image is named {wanted}")), names(entries))]
    EntryUnclear {
        /// The layout's directory.
        path: PathBuf,
        /// What was asked for.
        wanted: Option<String>,
        /// The names of its images, or else their digests.
        entries: Vec<String>,
    },
    /// The image has no signature that could be looked at.
    #[error("{image} is not signed")]
    Unsigned {
        /// The image.
        image: Box<ImageRef>,
    },
    /// None of the image's signatures is by a key that was given.
    #[error("none of the {found} signatures of {image} is by one of the keys given")]
    SignedByOthers {
        /// The image.
        image: Box<ImageRef>,
        /// How many signatures it has.
        found: usize,
    },
    /// A signature is by a key that was given, but it is another image's.
    #[error("{image} carries a signature of {signed}")]
    SignedAnother {
        /// The image.
        image: Box<ImageRef>,
        /// What the signature says that it signs.
        signed: String,
    },
    /// Not a public key that signatures can be verified with.
    #[error("not a public key: {detail}")]
    KeyInvalid {
        /// What is wrong with it.
        detail: String,
    },
    /// Another pull has been writing the file and does not go on.
    #[error("{} is held by another pull that does not go on: end it, or pull to another directory", path.display())]
    LayoutBusy {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// How long the server asked to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same again may go well.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unreachable { .. } | Self::Truncated { .. } => true,
            Self::Unavailable { status, .. } => matches!(status, 500 | 502..=504),
            _ => false,
        }
    }

    pub(crate) fn protocol(registry: &str, detail: impl Into<String>) -> Self {
        Self::Protocol { registry: registry.to_owned(), detail: detail.into() }
    }
}

fn after(delay: Option<Duration>) -> String {
    delay.map_or_else(String::new, |delay| format!("; it may be asked again in {} s", delay.as_secs()))
}

fn list(platforms: &[Platform]) -> String {
    if platforms.is_empty() {
        return "none".to_owned();
    }
    platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn names(entries: &[String]) -> String {
    if entries.is_empty() { "nothing".to_owned() } else { entries.join(", ") }
}
