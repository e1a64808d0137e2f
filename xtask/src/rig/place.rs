//! Where things are: the workspace, its target directory, and programs.

use std::path::{Path, PathBuf};

/// The workspace's directory.
pub fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The target directory that this executable was built into.
///
/// An executable that was copied elsewhere uses `target` in the workspace.
pub fn target() -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    let built_into = executable.ancestors().find(|place| place.join("CACHEDIR.TAG").is_file());
    built_into.map_or_else(|| workspace().join("target"), Path::to_owned)
}

/// Where a program is, by `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What the rig keeps between runs: `<target>/rig`.
pub fn kept() -> PathBuf {
    target().join("rig")
}
