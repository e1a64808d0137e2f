//! `cargo xtask audit`: what `cargo deny check licenses bans sources` checks, for machines without cargo-deny.

mod licence;
mod policy;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;

use clap::Args;

use self::licence::Expression;
use self::policy::Policy;
use crate::chore::Failed;
use crate::metadata::{Metadata, Package};
use crate::output;
use crate::rig::{Doing as _, place, unexpected};

/// Check the licences, bans and duplicates of the dependencies without cargo-deny.
#[derive(Debug, Args)]
pub(crate) struct Audit {}

impl Audit {
    /// Holds the dependencies against `deny.toml`.
    ///
    /// # Errors
    ///
    /// What `deny.toml` does not allow.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let path = place::workspace().join("deny.toml");
        let text = fs::read_to_string(&path).doing(format!("read {}", path.display()))?;
        let policy: Policy = toml::from_str(&text).map_err(|error| unexpected(path.display(), error))?;
        let metadata = Metadata::read()?;
        let faults = faults(&metadata.packages, &policy);
        if faults.is_empty() {
            let count = metadata.packages.len();
            output::result(&format!(
                "{count} packages: licences, bans, duplicates and sources as deny.toml allows"
            ));
            return Ok(());
        }
        Err(Failed::Faults(faults))
    }
}

fn faults(packages: &[Package], policy: &Policy) -> Vec<String> {
    let mut faults = Vec::new();
    for package in packages {
        faults.extend(licence(package, policy));
        faults.extend(ban(package, policy));
        faults.extend(source(package, policy));
    }
    faults.extend(duplicates(packages, policy));
    faults.extend(idle(packages, policy));
    faults
}

fn licence(package: &Package, policy: &Policy) -> Option<String> {
    let named = format!("{} {}", package.name, package.version);
    let Some(text) = &package.license else {
        return Some(format!("{named} names no licence"));
    };
    let Some(expression) = Expression::parse(text) else {
        return Some(format!("{named} has a licence that cannot be read: {text}"));
    };
    let allowed = expression.is_met(&|name| policy.licenses.allow.iter().any(|allowed| allowed == name));
    (!allowed).then(|| format!("{named} is licensed {text}, which deny.toml does not allow"))
}

fn ban(package: &Package, policy: &Policy) -> Option<String> {
    let entry = policy.bans.deny.iter().find(|entry| entry.matches(&package.name, &package.version))?;
    Some(format!("{} {} is banned: {}", package.name, package.version, entry.reason))
}

fn source(package: &Package, policy: &Policy) -> Option<String> {
    let source = package.source.as_deref()?;
    let url = source.strip_prefix("registry+");
    let known = url.is_some_and(|url| policy.sources.allow_registry.iter().any(|known| known == url));
    (!known).then(|| format!("{} {} comes from {source}", package.name, package.version))
}

fn duplicates(packages: &[Package], policy: &Policy) -> Vec<String> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        if !policy.bans.skip.iter().any(|entry| entry.matches(&package.name, &package.version)) {
            versions.entry(&package.name).or_default().push(&package.version);
        }
    }
    let several = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    let said = several.map(|(name, versions)| {
        let versions = versions.join(" and ");
        format!("{name} is there as {versions}: agree on one, or skip one in deny.toml with the reason")
    });
    said.collect()
}

/// What `deny.toml` makes an exception of and need not.
fn idle(packages: &[Package], policy: &Policy) -> Vec<String> {
    let is_there = |entry: &&policy::Entry| {
        let named: Vec<&Package> =
            packages.iter().filter(|package| package.name == entry.name().unwrap_or_default()).collect();
        named.len() > 1 && named.iter().any(|package| entry.matches(&package.name, &package.version))
    };
    let idle = policy.bans.skip.iter().filter(|entry| !is_there(entry));
    idle.map(|entry| format!("deny.toml skips {}, which is no duplicate: remove it", entry.spec)).collect()
}
