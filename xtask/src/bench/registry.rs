//! Pulling into an image layout, against skopeo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use tempfile::TempDir;

use super::figures::{Aim, Part, Unit};
use super::memory::{Watched, watch};
use super::sample::Sample;
use crate::ready::say;
use crate::rig::background;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::process;
use crate::rig::registry::{Auth, Registry};

const PAIRS: usize = 7;
const MIB: f64 = (1 << 20) as f64;

/// The images: a name, how many layers, and how long each is in bytes.
const IMAGES: [(&str, usize, usize); 2] = [("large", 10, 50_000_000), ("small", 60, 100_000)];

const HOW: &str = "Images whose layers are random bytes in gzip, pulled from docker-registry on this machine into a new \
    OCI image layout: `cutover image pull` and `skopeo copy docker://… oci:…`, which first in turn. Whole processes; \
    memory is the kernel's peak (`VmHWM`). The registry shares the cores with both. Hashing is seen in a pull of what \
    is there already, which reads and verifies it, against SHA-256 of as much in memory, on one core.";

/// Pull rows. Those of a push come beside them.
pub(super) async fn measure(program: &Path) -> Result<Part> {
    let mut part = Part { title: "Pull, against skopeo", how: HOW.to_owned(), ..Part::default() };
    let registry = Registry::start(Auth::Anonymous).await?;
    let place = TempDir::new().doing("make a temporary directory")?;
    for (name, layers, length) in IMAGES {
        say(&format!("registry: making the image of {layers} layers of {} kB", length / 1000));
        let layout = image(place.path(), name, layers, length).await?;
        let reference = format!("{}/acme/{name}:v1", registry.host());
        skopeo(&format!("oci:{}:v1", layout.display()), &format!("docker://{reference}")).await?;
        fs::remove_dir_all(&layout).doing(format!("remove {}", layout.display()))?;

        let what = format!("{layers} layers of {} kB", length / 1000);
        let mut taken = Taken::default();
        for pair in 0..PAIRS {
            say(&format!("registry: {name}, pair {} of {PAIRS}", pair + 1));
            for turn in 0..2 {
                let output = TempDir::new_in(place.path()).doing("make a temporary directory")?;
                if (pair + turn) % 2 == 0 {
                    taken.ours.push(&watch(pull(program, &reference, output.path())).await?);
                    let again = watch(pull(program, &reference, output.path())).await?;
                    taken.again.push(rate(layers * length, again.took));
                } else {
                    let to = format!("oci:{}:v1", output.path().display());
                    taken.theirs.push(&watch(copy(&format!("docker://{reference}"), &to)).await?);
                }
            }
            taken.plain.push(plain(layers * length));
        }
        taken.tell(&what, &mut part);
    }
    Ok(part)
}

#[derive(Default)]
struct Taken {
    ours: Side,
    theirs: Side,
    again: Sample,
    plain: Sample,
}

#[derive(Default)]
struct Side {
    time: Sample,
    memory: Sample,
}

impl Side {
    fn push(&mut self, watched: &Watched) {
        self.time.push_time(watched.took);
        self.memory.push(watched.peak);
    }
}

impl Taken {
    fn tell(self, what: &str, part: &mut Part) {
        let ratio = self.theirs.time.ratio(&self.ours.time);
        let twice = Some(Aim::AtLeast(2.0));
        part.figure(format!("{what}: skopeo's time by cutover's, pair by pair"), Unit::Times, ratio, twice);
        part.figure(format!("{what}: `cutover image pull`"), Unit::Millis, self.ours.time, None);
        part.figure(format!("{what}: `skopeo copy`"), Unit::Millis, self.theirs.time, None);
        let bound = Some(Aim::AtMost(64.0));
        part.figure(format!("{what}: cutover's peak memory"), Unit::Mebibytes, self.ours.memory, bound);
        part.figure(format!("{what}: skopeo's peak memory"), Unit::Mebibytes, self.theirs.memory, None);
        let share = self.again.ratio(&self.plain);
        part.figure(
            format!("{what}: verified when pulled again"),
            Unit::MebibytesPerSecond,
            self.again,
            None,
        );
        part.figure(
            format!("{what}: SHA-256 of as much in memory"),
            Unit::MebibytesPerSecond,
            self.plain,
            None,
        );
        part.figure(format!("{what}: the former by the latter"), Unit::Times, share, None);
    }
}

fn pull(program: &Path, reference: &str, output: &Path) -> Command {
    let mut command = Command::new(program);
    // From where there is no configuration.
    command.current_dir(std::env::temp_dir());
    command.args(["image", "pull", reference, "--platform", "linux/amd64", "--output"]).arg(output);
    command
}

fn copy(from: &str, to: &str) -> Command {
    let mut command = Command::new("skopeo");
    command.args(["copy", "--quiet", "--insecure-policy", "--preserve-digests"]);
    command.args(["--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
    command
}

async fn skopeo(from: &str, to: &str) -> Result<()> {
    let mut command = copy(from, to);
    let copied = background::handle().spawn_blocking(move || process::output(&mut command).map(drop));
    copied.await.map_err(|panic| unexpected("skopeo", panic))?
}

/// Mebibytes in a second.
fn rate(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / MIB / took.as_secs_f64()
}

/// How fast this machine hashes what is in memory, at as many bytes.
fn plain(bytes: usize) -> f64 {
    let piece = vec![7; 1 << 20];
    let pieces = bytes.div_ceil(piece.len());
    let began = Instant::now();
    for _ in 0..pieces {
        std::hint::black_box(digest(&SHA256, std::hint::black_box(&piece)));
    }
    rate(pieces * piece.len(), began.elapsed())
}

/// An image layout with an image of random layers, tagged `v1`.
async fn image(place: &Path, name: &str, layers: usize, length: usize) -> Result<PathBuf> {
    let layout = place.join(format!("{name}.layout"));
    let made = layout.clone();
    let work = background::handle().spawn_blocking(move || make(&made, layers, length));
    work.await.map_err(|panic| unexpected("an image", panic))??;
    Ok(layout)
}

fn make(layout: &Path, layers: usize, length: usize) -> Result<()> {
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).doing(format!("create {}", blobs.display()))?;
    let mut described = Vec::new();
    for _ in 0..layers {
        let script = format!("head -c {length} /dev/urandom | gzip -1 -n");
        let output = Command::new("sh").args(["-c", &script]).output().doing("run gzip")?;
        described.push(put(&blobs, "application/vnd.oci.image.layer.v1.tar+gzip", &output.stdout)?);
    }
    let config = serde_json::json!({
        "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": {"type": "layers", "diff_ids": []},
    });
    let config = put(&blobs, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes())?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = serde_json::json!(
        {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": described}
    );
    let mut entry = put(&blobs, kind, manifest.to_string().as_bytes())?;
    entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": "v1"});
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
    write(&layout.join("index.json"), index.as_bytes())?;
    write(&layout.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)
}

/// Writes a blob; its descriptor.
fn put(blobs: &Path, kind: &str, bytes: &[u8]) -> Result<serde_json::Value> {
    let mut hex = String::new();
    for byte in digest(&SHA256, bytes).as_ref() {
        hex.push_str(&format!("{byte:02x}"));
    }
    write(&blobs.join(&hex), bytes)?;
    Ok(serde_json::json!({"mediaType": kind, "digest": format!("sha256:{hex}"), "size": bytes.len()}))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).doing(format!("write {}", path.display()))
}
