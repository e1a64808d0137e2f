//! Images to transfer, which every tool takes.

use std::fs::{self, File};
use std::io::{self, Read as _, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use ring::digest::{Context, SHA256};
use serde_json::{Map, Value, json};

use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::image::Layout;
use crate::rig::{background, run};

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// An image in a layout.
pub(super) struct Made {
    pub(super) layout: Layout,
    /// The digest of its manifest.
    pub(super) digest: String,
}

impl Made {
    /// Makes one at `path`, of so many layers, with a file of `length` random bytes in each.
    pub(super) async fn at(path: PathBuf, layers: usize, length: usize) -> Result<Self> {
        let made = background::handle().spawn_blocking(move || make(path, layers, length));
        made.await.map_err(|panic| unexpected("an image", panic))?
    }
}

fn make(path: PathBuf, layers: usize, length: usize) -> Result<Made> {
    let layout = Layout::begin(path)?;
    let (mut diff_ids, mut described) = (Vec::new(), Vec::new());
    for _ in 0..layers {
        let (diff_id, layer) = layer(&layout, length)?;
        diff_ids.push(diff_id);
        described.push(layer);
    }
    // By its labels it is swept from an engine that pulled it.
    let labels = run::labels();
    let labels: Map<String, Value> = labels
        .iter()
        .filter_map(|label| label.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let config = json!({
        "os": "linux", "architecture": "amd64", "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = layout.add(CONFIG, config.to_string().as_bytes())?;
    let digest = layout.enter(&layout.manifest(&config, &described)?)?;
    Ok(Made { layout, digest })
}

/// Makes a layer, never in memory as a whole; the digest of its tar, and its descriptor.
fn layer(layout: &Layout, length: usize) -> Result<(String, Value)> {
    let part = layout.path().join("layer.part");
    let file = File::create(&part).doing(format!("create {}", part.display()))?;
    let mut gzip = Command::new("gzip");
    gzip.args(["-1", "-n"]).stdin(Stdio::piped()).stdout(file);
    let mut gzip = gzip.spawn().doing("run gzip")?;
    let Some(stdin) = gzip.stdin.take() else { return Err(unexpected("gzip", "has no stdin")) };
    let diff_id = tar(stdin, length).doing("pack a layer")?;
    let status = gzip.wait().doing("wait for gzip")?;
    if !status.success() {
        return Err(unexpected("gzip", status));
    }
    let mut packed = Hashing::new(io::sink());
    let size = File::open(&part).and_then(|mut file| io::copy(&mut file, &mut packed));
    let size = size.doing(format!("read {}", part.display()))?;
    let hex = packed.hex();
    fs::rename(&part, layout.blobs().join(&hex)).doing(format!("rename {}", part.display()))?;
    let described = json!({"mediaType": LAYER, "digest": format!("sha256:{hex}"), "size": size});
    Ok((format!("sha256:{diff_id}"), described))
}

/// Writes a tar of one file of random bytes; its SHA-256.
fn tar(to: impl Write, length: usize) -> io::Result<String> {
    let mut header = tar::Header::new_gnu();
    header.set_size(length as u64);
    header.set_mode(0o644);
    let mut archive = tar::Builder::new(Hashing::new(to));
    let noise = io::BufReader::with_capacity(1 << 16, File::open("/dev/urandom")?.take(length as u64));
    archive.append_data(&mut header, "noise", noise)?;
    Ok(archive.into_inner()?.hex())
}

/// A writer that hashes what goes through it.
struct Hashing<W> {
    to: W,
    hash: Context,
}

impl<W> Hashing<W> {
    fn new(to: W) -> Self {
        Self { to, hash: Context::new(&SHA256) }
    }

    fn hex(self) -> String {
        self.hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
