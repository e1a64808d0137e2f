//! OCI image layouts, written without any code of cutover's (OCI image specification 1.1, `image-layout.md`).

use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::rig::error::{Doing, Result, unexpected};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout with one entry.
#[derive(Clone, Debug)]
pub struct Layout {
    path: PathBuf,
}

impl Layout {
    /// Begins a layout at `path`, with nothing in it.
    ///
    /// # Errors
    ///
    /// When the directory cannot be made or written to.
    pub fn begin(path: impl Into<PathBuf>) -> Result<Self> {
        let layout = Self { path: path.into() };
        let blobs = layout.blobs();
        std::fs::create_dir_all(&blobs).doing(format!("create {}", blobs.display()))?;
        write(&layout.path.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        Ok(layout)
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the blobs lie that have a SHA-256 digest, by its hexadecimal digits.
    pub fn blobs(&self) -> PathBuf {
        self.path.join("blobs/sha256")
    }

    /// Puts a blob there; its descriptor.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn add(&self, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        write(&self.blobs().join(&hex), bytes)?;
        Ok(json!({"mediaType": media_type, "digest": format!("sha256:{hex}"), "size": bytes.len()}))
    }

    /// Puts a manifest there, of a configuration and layers that are there; its descriptor.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn manifest(&self, config: &Value, layers: &[Value]) -> Result<Value> {
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        self.add(MANIFEST, manifest.to_string().as_bytes())
    }

    /// Puts an index there, of manifests that are there; its descriptor.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add).
    pub fn index(&self, manifests: &[Value]) -> Result<Value> {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.add(INDEX, index.to_string().as_bytes())
    }

    /// Makes this its one entry, under the name `v1`; its digest.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add), and when `entry` is no descriptor.
    pub fn enter(&self, entry: &Value) -> Result<String> {
        let mut entry = entry.clone();
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": "v1"});
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [&entry]});
        write(&self.path.join("index.json"), index.to_string().as_bytes())?;
        let digest = entry["digest"].as_str().map(str::to_owned);
        digest.ok_or_else(|| unexpected("an entry of a layout", "has no digest"))
    }

    /// What the one entry is called elsewhere: `oci:PATH:v1`.
    pub fn transport(&self) -> String {
        format!("oci:{}:v1", self.path.display())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).doing(format!("write {}", path.display()))
}
