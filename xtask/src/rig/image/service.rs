//! Images of the example service.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::sync::OnceCell;

use super::context::Context;
use super::nginx::libraries;
use crate::rig::error::{Result, unexpected};
use crate::rig::{background, docker, place, process};

static BINARY: OnceCell<PathBuf> = OnceCell::const_new();

/// The example service as a static executable, built at the first call into `<target>/rig/service`.
///
/// # Errors
///
/// When cargo fails, with the end of what it said.
pub async fn service_binary() -> Result<PathBuf> {
    let build = || async {
        let built = background::handle().spawn_blocking(build_binary).await;
        built.map_err(|panic| unexpected("cargo build -p example-service", panic))?
    };
    BINARY.get_or_try_init(build).await.cloned()
}

fn build_binary() -> Result<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = place::kept().join("service");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(place::workspace())
        .args(["build", "--quiet", "--package", "example-service", "--profile", "release"])
        .args(["--target", &triple, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        // Both would outdo RUSTFLAGS and the directory.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_TARGET");
    process::output(&mut command)?;
    Ok(target.join(triple).join("release").join("example-service"))
}

/// An image of the example service. On drop the name is removed, and the image with its last name.
#[derive(Debug)]
pub struct ServiceImage {
    name: String,
}

impl ServiceImage {
    /// Builds `repository:tag`, with `settings` in its environment (`VERSION`, `MODE`, `PORT`, `GRACE`, `DRAIN`).
    ///
    /// Every image has a digest of its own, even of the same settings; all share their one layer.
    ///
    /// # Errors
    ///
    /// When the service cannot be built, or the engine refuses the image.
    pub async fn build(repository: &str, tag: &str, settings: &[(&str, &str)]) -> Result<Self> {
        Self::build_with(repository, tag, settings, &[]).await
    }

    /// As [`ServiceImage::build`], with these programs of the host beside the service, at the paths that they have here.
    ///
    /// # Errors
    ///
    /// As [`ServiceImage::build`], and when a program or one of its libraries cannot be read.
    pub async fn build_with(
        repository: &str,
        tag: &str,
        settings: &[(&str, &str)],
        programs: &[&Path],
    ) -> Result<Self> {
        let name = format!("{repository}:{tag}");
        let mut context = Context::new();
        context.file("service", &service_binary().await?)?;
        let mut beside: BTreeSet<PathBuf> = programs.iter().map(|program| program.to_path_buf()).collect();
        for program in programs {
            beside.extend(libraries(program)?);
        }
        for file in beside {
            context.file(&file.display().to_string(), &file)?;
        }
        for (key, value) in settings {
            context.instruction(format!("ENV {key}={}", quote(value)));
        }
        context.instruction("EXPOSE 8080");
        context.instruction(r#"ENTRYPOINT ["/service"]"#);
        context.import(&name).await?;
        Ok(Self { name })
    }

    /// `repository:tag`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for ServiceImage {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rmi", &self.name]));
    }
}

/// A value as a Dockerfile takes it, word for word.
fn quote(value: &str) -> String {
    let escaped = value.replace('\\', r"\\").replace('"', r#"\""#).replace('$', r"\$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_value_is_quoted_word_for_word() {
        assert_eq!(super::quote(r#"a "b" $c \d"#), r#""a \"b\" \$c \\d""#);
    }
}
