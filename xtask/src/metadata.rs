//! What `cargo metadata` tells of the workspace and its dependencies.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::cargo;
use crate::chore::Failed;
use crate::rig::{self, process};

/// The workspace and everything it depends on, on every platform.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Metadata {
    /// Every package, those of the workspace among them.
    pub(crate) packages: Vec<Package>,
    /// The ids of the workspace's own.
    pub(crate) workspace_members: BTreeSet<String>,
}

/// A package.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Package {
    /// What cargo calls it; unique.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence, as an SPDX expression.
    pub(crate) license: Option<String>,
    /// Where it comes from; nothing for what lies in the workspace.
    pub(crate) source: Option<String>,
    /// What its manifest asks for.
    pub(crate) dependencies: Vec<Dependency>,
    /// Where its manifest is.
    pub(crate) manifest_path: std::path::PathBuf,
}

/// A dependency as a manifest has it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Dependency {
    /// The package, whatever it is renamed to.
    pub(crate) name: String,
    /// What it is for.
    #[serde(default)]
    pub(crate) kind: Option<Kind>,
}

/// What a dependency is for; without one it is for the crate itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Tests, examples and benches.
    Dev,
    /// The build script.
    Build,
}

impl Metadata {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// When cargo fails, or answers what is not understood.
    pub(crate) fn read() -> Result<Self, Failed> {
        let json = process::output(&mut cargo::cargo("metadata --format-version 1"))?;
        let understood = serde_json::from_str(&json);
        Ok(understood.map_err(|error| rig::unexpected("cargo metadata", error))?)
    }

    /// The packages of the workspace.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }
}
