//! OCI image layouts to push, of images that an engine can run or at least unpack.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cutover_registry::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::image::{INDEX, MANIFEST, TestImage, descriptor};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A layout in a directory of its own.
pub(crate) struct TestLayout {
    files: TempDir,
    entries: Vec<Value>,
}

impl TestLayout {
    pub(crate) fn new() -> Self {
        let files = TempDir::new().unwrap();
        std::fs::create_dir_all(files.path().join("blobs/sha256")).unwrap();
        std::fs::write(files.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let layout = Self { files, entries: Vec::new() };
        layout.write_index();
        layout
    }

    /// A layout of one image with nothing but noise in it.
    pub(crate) fn of(image: &TestImage) -> Self {
        let mut layout = Self::new();
        layout.image(image);
        layout.enter(MANIFEST, &image.manifest, None);
        layout
    }

    pub(crate) fn path(&self) -> &Path {
        self.files.path()
    }

    pub(crate) fn blob(&self, digest: &Digest) -> PathBuf {
        self.path().join("blobs/sha256").join(digest.hex())
    }

    /// Puts content there, and describes it.
    pub(crate) fn add(&self, media_type: &str, bytes: &[u8]) -> Value {
        std::fs::write(self.blob(&Digest::of(bytes)), bytes).unwrap();
        descriptor(media_type, bytes)
    }

    /// Puts an image's manifest and blobs there, not entered.
    pub(crate) fn image(&self, image: &TestImage) {
        self.add(MANIFEST, &image.manifest);
        for blob in &image.blobs {
            self.add("", blob);
        }
    }

    /// Enters content that is there into the index.
    pub(crate) fn enter(&mut self, media_type: &str, bytes: &[u8], name: Option<&str>) {
        let mut entry = self.add(media_type, bytes);
        if let Some(name) = name {
            entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        }
        self.entries.push(entry);
        self.write_index();
    }

    /// An image of layers with one file each, gzipped where it is said. Returns its manifest's bytes.
    pub(crate) fn real_image(&mut self, layers: usize, gzip: bool) -> Vec<u8> {
        let manifest = self.real_manifest("amd64", layers, gzip);
        self.enter(MANIFEST, &manifest, None);
        manifest
    }

    /// An index of images for these processors, with an attestation for each as BuildKit writes them.
    pub(crate) fn real_index(&mut self, architectures: &[&str]) -> Vec<u8> {
        let mut entries = Vec::new();
        let mut attestations = Vec::new();
        for architecture in architectures {
            let manifest = self.real_manifest(architecture, 2, true);
            let mut entry = descriptor(MANIFEST, &manifest);
            entry["platform"] = json!({"os": "linux", "architecture": architecture});
            let statement =
                format!(r#"{{"_type":"https://in-toto.io/Statement/v0.1","of":"{architecture}"}}"#);
            let config = json!({"os": "unknown", "architecture": "unknown", "rootfs": {"type": "layers", "diff_ids": [Digest::of(&statement)]}});
            let attestation = json!({
                "schemaVersion": 2, "mediaType": MANIFEST,
                "config": self.add(CONFIG, &serde_json::to_vec(&config).unwrap()),
                "layers": [self.add("application/vnd.in-toto+json", statement.as_bytes())],
            });
            let mut attested = self.add(MANIFEST, &serde_json::to_vec(&attestation).unwrap());
            attested["platform"] = json!({"os": "unknown", "architecture": "unknown"});
            attested["annotations"] = json!({
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": entry["digest"],
            });
            entries.push(entry);
            attestations.push(attested);
        }
        entries.append(&mut attestations);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        let index = serde_json::to_vec(&index).unwrap();
        self.enter(INDEX, &index, None);
        index
    }

    fn real_manifest(&self, architecture: &str, layers: usize, gzip: bool) -> Vec<u8> {
        let mut diff_ids = Vec::new();
        let mut described = Vec::new();
        for number in 0..layers {
            let tar = tar(&format!("layer-{number}"), format!("{architecture} {number}\n").as_bytes());
            diff_ids.push(Digest::of(&tar));
            described.push(if gzip {
                self.add(&format!("{LAYER}+gzip"), &piped("gzip", &["-nc"], &tar))
            } else {
                self.add(LAYER, &tar)
            });
        }
        let config = json!({
            "created": "2024-05-06T07:08:09Z", "os": "linux", "architecture": architecture,
            "config": {
                "Env": ["PATH=/bin", "MODE=test"], "Entrypoint": ["/layer-0"], "Cmd": ["serve"], "User": "1000",
                "WorkingDir": "/srv", "ExposedPorts": {"8080/tcp": {}},
                "Labels": {"org.opencontainers.image.source": "https://example.com/acme/web"},
                "Healthcheck": {"Test": ["CMD", "/layer-0", "check"], "Interval": 5_000_000_000_u64, "Retries": 3},
            },
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self.add(CONFIG, &serde_json::to_vec(&config).unwrap());
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": described});
        let manifest = serde_json::to_vec(&manifest).unwrap();
        self.add(MANIFEST, &manifest);
        manifest
    }

    fn write_index(&self) {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.entries});
        std::fs::write(self.path().join("index.json"), serde_json::to_vec(&index).unwrap()).unwrap();
    }
}

/// A tar archive of one small file (POSIX ustar).
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0u8; 512];
    let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", content.len()));
    put(136, "00000000000\0");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend_from_slice(content);
    tar.resize(512 * (1 + content.len().div_ceil(512) + 2), 0);
    tar
}

/// What a program makes of this input.
pub(crate) fn piped(program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("these tests need {program} (cargo xtask test --install): {error}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    output.stdout
}
