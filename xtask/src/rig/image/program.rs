//! An image of a program of this machine: what a registry's `node:alpine` or `debian` would be where there is none.

use std::path::Path;

use super::context::Context;
use super::nginx::libraries;
use crate::rig::error::{Error, Result};
use crate::rig::{docker, run};

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
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join("node"));
        let node = found.into_iter().find(|program| program.is_file()).ok_or_else(|| Error::Missing {
            what: "node".to_owned(),
            mend: "apt-get install -y nodejs".to_owned(),
        })?;
        Self::build(&node, "/usr/local/bin/node").await
    }

    /// Makes an image of `program` under a random name. In it the program stands at `place`, and is what runs.
    ///
    /// # Errors
    ///
    /// When the program or one of its libraries cannot be read, or the engine refuses the image.
    pub async fn build(program: &Path, place: &str) -> Result<Self> {
        let name = format!("cutover-test/program:{}", run::random());
        let mut context = Context::new();
        context.file(place, program)?;
        for library in libraries(program)? {
            context.file(&library.display().to_string(), &library)?;
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

impl Drop for ProgramImage {
    fn drop(&mut self) {
        drop(docker::run_blocking(&["rmi", &self.name]));
    }
}
