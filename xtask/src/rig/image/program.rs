//! An image of a program of this machine: what a registry's `node:alpine` or `debian` would be where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::context::Context;
use super::nginx::libraries;
use crate::rig::error::{Error, Result};
use crate::rig::{docker, place, process, run};

/// An image of one program with its libraries: nothing else is in it, not even a shell.
///
/// Removed on drop, unless another image or a container still uses it.
#[derive(Debug)]
pub struct ProgramImage {
    name: String,
}

impl ProgramImage {
    /// Makes an image of the host's `node`, as Debian's `nodejs` has it.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no `node`; as [`ProgramImage::build`] otherwise.
    pub async fn node() -> Result<Self> {
        let node = there("node", "nodejs")?;
        let beside = beside_node(&node)?;
        Self::with(&node, "/usr/local/bin/node", &beside).await
    }

    /// Makes an image of the host's `haproxy`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no `haproxy`; as [`ProgramImage::build`] otherwise.
    pub async fn haproxy() -> Result<Self> {
        Self::build(&there("haproxy", "haproxy")?, "/usr/sbin/haproxy").await
    }

    /// Makes an image of `program` under a random name. In it the program stands at `place`, and is what runs.
    ///
    /// # Errors
    ///
    /// When the program or one of its libraries cannot be read, or the engine refuses the image.
    pub async fn build(program: &Path, place: &str) -> Result<Self> {
        Self::with(program, place, &[]).await
    }

    /// With these files besides, at the paths that they have here.
    async fn with(program: &Path, place: &str, beside: &[PathBuf]) -> Result<Self> {
        let name = format!("cutover-test/program:{}", run::random());
        let mut context = Context::new();
        context.file(place, program)?;
        for file in libraries(program)?.iter().chain(beside) {
            context.file(&file.display().to_string(), file)?;
        }
        context.directory("/tmp")?;
        context.instruction(format!("CMD [{place:?}]"));
        context.import(&name).await?;
        Ok(Self { name })
    }

    /// Its name with its tag.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Where a program of the host is, which comes by this package of Debian's.
fn there(program: &str, package: &str) -> Result<PathBuf> {
    place::program(program).ok_or_else(|| Error::Missing {
        what: program.to_owned(),
        mend: format!("apt-get install -y {package}"),
    })
}

/// The parts of Node that Debian keeps in files of their own, and without which it does not start.
fn beside_node(node: &Path) -> Result<Vec<PathBuf>> {
    let script = "process.config.target_defaults.defines.join('\\n')";
    let defines = process::output(Command::new(node).args(["-p", script]))?;
    Ok(built_in_elsewhere(&defines))
}

fn built_in_elsewhere(defines: &str) -> Vec<PathBuf> {
    let paths = defines.lines().filter_map(|define| {
        let (name, path) = define.split_once('=')?;
        name.starts_with("NODE_SHARED_BUILTIN_").then(|| PathBuf::from(path))
    });
    paths.collect()
}

impl Drop for ProgramImage {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rmi", &self.name]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_debians_node_reads_at_its_start_are_found() {
        let defines = "NODE_OPENSSL_CERT_STORE\nICU_NO_USER_DATA_OVERRIDE\n\
                       NODE_SHARED_BUILTIN_ACORN_PATH=/usr/share/nodejs/acorn/dist/acorn.js\n_GLIBCXX_USE_CXX11_ABI=1";
        assert_eq!(built_in_elsewhere(defines), [Path::new("/usr/share/nodejs/acorn/dist/acorn.js")]);
    }
}
