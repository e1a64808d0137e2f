//! The table of how an app's image is built.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cutover_registry::{ImageRef, Platform};
use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::SecretSource;
use super::tag::TagPattern;
use super::value::{Located, Parsed};

/// How the image is built, by the Docker Engine.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The folder that the build sees, beside the configuration; what `.dockerignore` names is left out.
    #[serde(default = "here")]
    pub context: Located<PathBuf>,
    /// The Dockerfile, in the context.
    #[serde(default = "dockerfile")]
    pub dockerfile: Located<PathBuf>,
    /// The stage that is built. Left out: the last one.
    pub target: Option<Located<String>>,
    /// Build arguments. They can be seen in the image's history: no place for a secret.
    #[serde(default)]
    pub args: BTreeMap<String, String>,
    /// Secrets, by the ids under which `RUN --mount=type=secret` reads them. They are in no layer. BuildKit only.
    #[serde(default)]
    pub secrets: BTreeMap<Located<String>, Located<SecretSource>>,
    /// The platforms. With more than one, each is built and pushed, and the tag is an index of them. Left out: the engine's own.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub platforms: Vec<Parsed<Platform>>,
    /// Images whose layers may be taken instead of being built again.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub cache_from: Vec<Parsed<ImageRef>>,
    /// Whether the image carries what a later build needs to take its layers by `cache_from`.
    #[serde(default)]
    pub cache_inline: bool,
    /// Labels of your own on the image. `org.opencontainers.image.` `source`, `revision`, `created` and `version` are set
    /// from git and CI unless said here.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Tags besides the one of `image`. `{commit}`, `{branch}` and `{version}` are filled in from git and CI; a tag whose
    /// word nothing is known for is left out.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub tags: Vec<Parsed<TagPattern>>,
}

fn here() -> Located<PathBuf> {
    Located::unwritten(".".into())
}

fn dockerfile() -> Located<PathBuf> {
    Located::unwritten("Dockerfile".into())
}
