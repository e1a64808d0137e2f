//! What an image is made of, in memory.

use std::path::Path;

use crate::rig::docker;
use crate::rig::error::{Doing, Result};
use crate::rig::run;

/// A tar, and the Dockerfile instructions that go with it.
pub(super) struct Context {
    tar: tar::Builder<Vec<u8>>,
    instructions: Vec<String>,
}

impl Context {
    /// Nothing but the labels of this run.
    pub(super) fn new() -> Self {
        let [test, ours] = run::labels();
        let instructions = vec![format!("LABEL {test} {ours}")];
        Self { tar: tar::Builder::new(Vec::new()), instructions }
    }

    /// Adds a file that stands at `path` in the context, with what a link points to.
    pub(super) fn file(&mut self, path: &str, source: &Path) -> Result<()> {
        let bytes = std::fs::read(source).doing(format!("read {}", source.display()))?;
        self.bytes(path, 0o755, &bytes)
    }

    /// Adds a file of these bytes.
    pub(super) fn bytes(&mut self, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
        let mut header = header(tar::EntryType::Regular, mode);
        header.set_size(bytes.len() as u64);
        self.tar.append_data(&mut header, path.trim_start_matches('/'), bytes).doing(format!("pack {path}"))
    }

    /// Adds an empty directory that everybody may write to.
    pub(super) fn directory(&mut self, path: &str) -> Result<()> {
        let mut header = header(tar::EntryType::Directory, 0o1777);
        header.set_size(0);
        let empty = std::io::empty();
        self.tar.append_data(&mut header, path.trim_start_matches('/'), empty).doing(format!("pack {path}"))
    }

    /// Adds an instruction.
    pub(super) fn instruction(&mut self, line: impl Into<String>) {
        self.instructions.push(line.into());
    }

    /// Builds the image, with the tar as the context of instructions that copy from it.
    pub(super) async fn build(mut self, name: &str) -> Result<()> {
        let dockerfile = format!("FROM scratch\n{}\n", self.instructions.join("\n"));
        self.bytes("Dockerfile", 0o644, dockerfile.as_bytes())?;
        docker::build(name, packed(self.tar)?).await
    }

    /// Makes the image with the tar as its root.
    pub(super) async fn import(self, name: &str) -> Result<()> {
        docker::import(name, &self.instructions, packed(self.tar)?).await
    }
}

fn packed(tar: tar::Builder<Vec<u8>>) -> Result<Vec<u8>> {
    tar.into_inner().doing("pack an image")
}

fn header(kind: tar::EntryType, mode: u32) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header
}
