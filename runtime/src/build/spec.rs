//! A build as wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use secrecy::SecretString;

use super::BuildError;
use crate::Credentials;

/// A build as wanted. [`BuildSpec::new`] asks for nothing beside the context.
///
/// ```
/// use cutover_runtime::BuildSpec;
/// let mut spec = BuildSpec::new("services/web");
/// spec.tags.push("ghcr.io/acme/web:1.2".into());
/// spec.args.insert("VERSION".into(), "1.2".into());
/// assert_eq!(spec.dockerfile, std::path::Path::new("Dockerfile"));
/// ```
#[derive(Debug, Clone)]
pub struct BuildSpec {
    /// The folder of this machine whose files the build may use.
    pub context: PathBuf,
    /// The Dockerfile, relative to the context. BuildKit takes one from outside the context too.
    pub dockerfile: PathBuf,
    /// The stage to build; `None` is the last.
    pub target: Option<String>,
    /// The values of the Dockerfile's `ARG`s. They end up in the image's history: secrets go into
    /// [`secrets`](Self::secrets).
    pub args: BTreeMap<String, String>,
    /// What `RUN --mount=type=secret,id=…` can read, by id. It is in no layer, no history and no cache. BuildKit only.
    pub secrets: BTreeMap<String, BuildSecret>,
    /// The platform to build for, such as `linux/arm64`; `None` is the engine's own. One image each: for several,
    /// build several times.
    pub platform: Option<String>,
    /// References of images whose layers may be taken instead of building them again. With BuildKit, they must have been
    /// built with [`CacheTo::Inline`].
    pub cache_from: Vec<String>,
    /// Whether other builds can take the image as [`cache_from`](Self::cache_from).
    pub cache_to: Option<CacheTo>,
    /// Labels, on top of those in the Dockerfile.
    pub labels: BTreeMap<String, String>,
    /// The references that will lead to the image.
    pub tags: Vec<String>,
    /// Whether every step is done again.
    pub no_cache: bool,
    /// Whether the registry is asked for newer base images than those the engine has.
    pub pull: bool,
    /// The network that `RUN` steps are on, such as `host` or `none`; `None` is the engine's default.
    pub network: Option<String>,
    /// The time of the sources, in seconds since 1970. Given, no file of the context is newer, and it is the build
    /// argument `SOURCE_DATE_EPOCH`, so that equal sources make equal layers as far as the builder allows: folders that
    /// `COPY` makes, and the image's own time, follow it from BuildKit 0.11 on.
    pub source_date_epoch: Option<u64>,
    /// Who we are to the registries of base images, by their host; Docker Hub is `docker.io`.
    pub credentials: BTreeMap<String, Credentials>,
    /// The builder; `None` is BuildKit where the engine has it, the classic one else.
    pub builder: Option<Builder>,
}

impl BuildSpec {
    /// A build of the Dockerfile in that folder.
    pub fn new(context: impl Into<PathBuf>) -> Self {
        Self {
            context: context.into(),
            dockerfile: "Dockerfile".into(),
            target: None,
            args: BTreeMap::new(),
            secrets: BTreeMap::new(),
            platform: None,
            cache_from: Vec::new(),
            cache_to: None,
            labels: BTreeMap::new(),
            tags: Vec::new(),
            no_cache: false,
            pull: false,
            network: None,
            source_date_epoch: None,
            credentials: BTreeMap::new(),
            builder: None,
        }
    }
}

/// A secret that steps of a build can read at `/run/secrets/ID`. At most 500 KiB, as BuildKit has it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BuildSecret {
    /// The secret itself.
    Value(SecretString),
    /// A file of this machine that holds it.
    File(PathBuf),
}

/// Where a build leaves what other builds can take from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheTo {
    /// In the image itself.
    Inline,
}

impl FromStr for CacheTo {
    type Err = BuildError;

    /// Reads `inline` or `type=inline`, as `docker buildx build --cache-to` has it.
    ///
    /// # Errors
    ///
    /// [`BuildError::Unsupported`] for what the engine's own builders cannot do.
    fn from_str(text: &str) -> Result<Self, BuildError> {
        match text.trim() {
            "inline" | "type=inline" => Ok(Self::Inline),
            other => Err(BuildError::Unsupported {
                builder: Builder::BuildKit,
                what: format!("cache-to `{other}`"),
                hint: "the builder within the engine keeps a cache in the image only, as `type=inline`"
                    .to_owned(),
            }),
        }
    }
}

/// What turns a Dockerfile into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Builder {
    /// BuildKit, within the engine.
    BuildKit,
    /// The engine's first builder, which all engines have.
    Classic,
}

impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BuildKit => "BuildKit",
            Self::Classic => "the classic builder",
        })
    }
}

/// An image that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Built {
    /// The engine's own name for it, `sha256:…`. A registry's digest for it comes with the push.
    pub image: String,
    /// The builder that built it.
    pub builder: Builder,
}
