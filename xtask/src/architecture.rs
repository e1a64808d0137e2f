//! `cargo xtask architecture`: which crate of the workspace may depend on which, and how nothing may be called.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::chore::Failed;
use crate::metadata::{Kind, Metadata};
use crate::output;
use crate::rig::Doing as _;

/// Every arrow that may be, in tests and build scripts too.
const ARROWS: &[(&str, &str)] = &[
    ("xtask", "cutover"),
    ("cutover", "cutover-notify"),
    ("cutover", "cutover-proxyconf"),
    ("cutover", "cutover-registry"),
    ("cutover", "cutover-runtime"),
];

/// What one crate alone may depend on.
const OWNED: &[(&str, &str)] =
    &[("bollard", "cutover-runtime"), ("reqwest", "cutover-registry"), ("slack-morphism", "cutover-notify")];

/// Names that say nothing of what is inside.
const NAMELESS: &[&str] = &["common", "util", "utils", "helpers", "manager"];

/// Check which crate depends on which.
#[derive(Debug, Args)]
pub(crate) struct Architecture {
    /// Print faults only.
    #[arg(long)]
    check: bool,
}

impl Architecture {
    /// For [`crate::ci`]: with the arrows printed.
    pub(crate) fn telling() -> Self {
        Self { check: false }
    }

    /// Prints the arrows of the workspace.
    ///
    /// # Errors
    ///
    /// The arrows and names that must not be.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let metadata = Metadata::read()?;
        let arrows = arrows(&metadata);
        if !self.check {
            for arrow in &arrows {
                output::result(&arrow.to_string());
            }
        }
        let mut faults = faults(&metadata, &arrows);
        for member in metadata.members() {
            let folder = member.manifest_path.parent().unwrap_or(&member.manifest_path);
            for file in sources(folder)? {
                let text = fs::read_to_string(&file).doing(format!("read {}", file.display()))?;
                let path = file.strip_prefix(folder).unwrap_or(&file);
                faults.extend(nameless_modules(&member.name, path, &text));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(Failed::Faults(faults)) }
    }
}

/// A dependency of one crate of the workspace on another.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrow<'a> {
    from: &'a str,
    to: &'a str,
    kind: Option<Kind>,
}

impl fmt::Display for Arrow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}", self.from, self.to)?;
        match self.kind {
            None => Ok(()),
            Some(Kind::Dev) => write!(f, " (tests)"),
            Some(Kind::Build) => write!(f, " (build script)"),
        }
    }
}

/// The arrows there are. A crate's tests may name the crate itself.
fn arrows(metadata: &Metadata) -> BTreeSet<Arrow<'_>> {
    let names: BTreeSet<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    let all = metadata.members().flat_map(|member| {
        member.dependencies.iter().map(|to| Arrow { from: &member.name, to: &to.name, kind: to.kind })
    });
    all.filter(|arrow| names.contains(arrow.to) && arrow.from != arrow.to).collect()
}

fn faults(metadata: &Metadata, arrows: &BTreeSet<Arrow<'_>>) -> Vec<String> {
    let wrong = arrows.iter().filter(|arrow| !ARROWS.contains(&(arrow.from, arrow.to)));
    let mut faults: Vec<String> = wrong
        .map(|arrow| {
            format!("{arrow}: there is no such arrow; say what {} needs in a type of its own", arrow.from)
        })
        .collect();
    for member in metadata.members() {
        for &(owned, owner) in OWNED {
            if member.name != owner && member.dependencies.iter().any(|dependency| dependency.name == owned) {
                faults.push(format!("{} → {owned}: only {owner} may depend on it; ask {owner}", member.name));
            }
        }
        let says_nothing = member.name.split(['-', '_']).any(|word| NAMELESS.contains(&word));
        if says_nothing {
            faults.push(format!("the crate {}: name it after what is inside", member.name));
        }
    }
    faults
}

/// The modules of a file that are called what says nothing: by the file's own path or as they are declared.
fn nameless_modules(package: &str, path: &Path, text: &str) -> Vec<String> {
    let by_path = path.iter().filter_map(|part| Path::new(part).file_stem()?.to_str());
    let declared = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let rest = line.strip_prefix("pub ").or_else(|| Some(line.strip_prefix("pub(")?.split_once(") ")?.1));
        let name = rest.unwrap_or(line).strip_prefix("mod ")?;
        Some(name.trim_end_matches([';', '{', '}', ' ']))
    });
    let found: BTreeSet<&str> = by_path.chain(declared).filter(|name| NAMELESS.contains(name)).collect();
    let said = found.into_iter().map(|name| {
        format!("the module {name} in {package}, {}: name it after what is inside", path.display())
    });
    said.collect()
}

/// The Rust files under a folder, without what cargo builds and without packages below.
fn sources(folder: &Path) -> Result<Vec<PathBuf>, Failed> {
    let reading = || format!("read {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).doing(reading())? {
        let path = entry.doing(reading())?.path();
        if path.is_dir() {
            if !path.join("CACHEDIR.TAG").exists() && !path.join("Cargo.toml").exists() {
                found.extend(sources(&path)?);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
