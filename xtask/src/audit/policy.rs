//! The part of `deny.toml` that the audit understands.

use serde::Deserialize;

/// `deny.toml`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Policy {
    /// What licences may be.
    #[serde(default)]
    pub(super) licenses: Licenses,
    /// What may not be there, and what may not be there twice.
    #[serde(default)]
    pub(super) bans: Bans,
    /// Where dependencies may come from.
    #[serde(default)]
    pub(super) sources: Sources,
}

/// `[licenses]`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Licenses {
    /// SPDX identifiers, with their exception where one belongs to them.
    #[serde(default)]
    pub(super) allow: Vec<String>,
}

/// `[bans]`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Bans {
    /// Packages that may not be there.
    #[serde(default)]
    pub(super) deny: Vec<Entry>,
    /// Versions that are no duplicates.
    #[serde(default)]
    pub(super) skip: Vec<Entry>,
}

/// `[sources]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Sources {
    /// Registries, by URL.
    #[serde(default)]
    pub(super) allow_registry: Vec<String>,
}

/// Versions of a package, and why they are named.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// `name` for all versions, `name@1.2.3` for one, `name:^1.2` for all that are compatible.
    #[serde(rename = "crate")]
    pub(super) spec: String,
    /// Why.
    pub(super) reason: String,
}

impl Entry {
    /// The package's name; nothing when the entry cannot be read.
    pub(super) fn name(&self) -> Option<&str> {
        self.spec.split(['@', ':']).next()
    }

    /// Whether this version of this package is meant.
    pub(super) fn matches(&self, name: &str, version: &str) -> bool {
        if let Some((named, exact)) = self.spec.split_once('@') {
            return named == name && exact == version;
        }
        match self.spec.split_once(':') {
            Some((named, range)) => {
                named == name && range.strip_prefix('^').is_some_and(|from| caret(from, version))
            }
            None => self.spec == name,
        }
    }
}

/// Whether a version is compatible with one that it is not below, as cargo understands `^`: the first number that is
/// not 0 stays. A pre-release is nothing that is released.
fn caret(from: &str, version: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u64>> {
        let release = text.split('+').next()?;
        release.split('.').map(|number| number.parse().ok()).collect()
    };
    let (Some(from), Some(version)) = (numbers(from), numbers(version)) else { return false };
    let fixed = from.iter().position(|&number| number > 0).unwrap_or(from.len().saturating_sub(1));
    version.get(..=fixed) == from.get(..=fixed) && version >= from
}
