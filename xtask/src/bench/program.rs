//! The program that is measured.

use std::path::PathBuf;
use std::process::Command;

use crate::rig::background;
use crate::rig::error::{Result, unexpected};
use crate::rig::stage::{Ran, Stage};
use crate::rig::{place, process};

/// A release build of `cutover`, in `<target>/rig/release`.
pub(super) async fn build() -> Result<PathBuf> {
    let built = background::handle().spawn_blocking(|| {
        let target = place::kept().join("release");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .current_dir(place::workspace())
            .args(["build", "--quiet", "--release", "--package", "cutover", "--target-dir"])
            .arg(&target)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET");
        process::output(&mut command)?;
        Ok(target.join("release").join("cutover"))
    });
    built.await.map_err(|panic| unexpected("cargo build -p cutover", panic))?
}

/// Runs the program on a stage; a figure of a run that failed is none.
pub(super) async fn ran(stage: &Stage, arguments: &[&str]) -> Result<Ran> {
    let ran = stage.cutover(arguments).await;
    match ran.status {
        Some(0) => Ok(ran),
        status => Err(unexpected(
            format!("cutover {} ended with {status:?}", arguments.join(" ")),
            format!("{}{}", ran.stdout, ran.stderr),
        )),
    }
}
