//! Pulls into an image layout and pushes from one, against skopeo.

mod made;
mod taken;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use ring::digest::{SHA256, digest};
use tempfile::TempDir;

use self::made::Made;
use self::taken::Taken;
use super::figures::{Aim, Part, Unit};
use super::sample::Sample;
use super::watch::{processor_time, watch};
use crate::ready::say;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::registry::{Auth, Registry};
use crate::rig::{background, docker, process};

const MIB: f64 = (1 << 20) as f64;
const MB: usize = 1_000_000;

/// The aim for an image of several layers.
const TWICE: Option<Aim> = Some(Aim::AtLeast(2.0));

/// An image to transfer.
struct Image {
    name: &'static str,
    what: &'static str,
    layers: usize,
    /// Of each layer, in bytes.
    length: usize,
    pairs: usize,
    aim: Option<Aim>,
}

const IMAGES: [Image; 3] = [
    Image { name: "large", what: "10 layers of 50 MB", layers: 10, length: 50 * MB, pairs: 7, aim: TWICE },
    Image { name: "small", what: "60 layers of 100 kB", layers: 60, length: MB / 10, pairs: 9, aim: TWICE },
    Image { name: "one", what: "one layer of 600 MB", layers: 1, length: 600 * MB, pairs: 5, aim: None },
];

const HOW: &str = "Images whose layers are random bytes in gzip; docker-registry on this machine, which shares the two cores with \
    who asks it. Pulls go into a new OCI image layout (`cutover image pull`, which writes to the disk for good \
    before it gives a blob its name, and `skopeo copy docker://… oci:…`, which leaves that to the kernel), pushes \
    from one into a new repository (`cutover image push`, `skopeo copy oci:… docker://…`); each skopeo has a cache \
    of its own, or it would have the registry take blobs over from the repository before. Whole processes, which \
    first in turn, the disk settled (`sync`) before each. Memory is the kernel's peak (`VmHWM`), processor time that \
    of `/proc/PID/stat`; where the registry has most of it, the registry sets the pace of both. Hashing is seen in a \
    pull of what is there already, which reads and verifies it, against SHA-256 of as much in memory, on one core.";

/// The rows of each image: pulled, pushed, hashed; and whether all agree on what came of the largest layer.
pub(super) async fn measure(program: &Path) -> Result<Part> {
    let mut part = Part { title: "Pull and push, against skopeo", how: HOW.to_owned(), ..Part::default() };
    for image in &IMAGES {
        let course = Course::set(program, image).await?;
        course.pulls().await?.tell(
            &format!("pull, {}", image.what),
            "cutover image pull",
            image.aim,
            &mut part,
        );
        course.pushes().await?.tell(
            &format!("push, {}", image.what),
            "cutover image push",
            image.aim,
            &mut part,
        );
        match image.name {
            "large" => course.hashing(&mut part).await?,
            "one" => part.notes.push(course.judged().await?),
            _ => {}
        }
    }
    Ok(part)
}

/// A registry with an image, and room on the disk. All of it goes on drop.
struct Course<'a> {
    program: &'a Path,
    image: &'a Image,
    made: Made,
    registry: Registry,
    place: TempDir,
}

impl<'a> Course<'a> {
    async fn set(program: &'a Path, image: &'a Image) -> Result<Self> {
        say(&format!("registry: making an image of {}", image.what));
        let registry = Registry::start(Auth::Anonymous).await?;
        let place = TempDir::new().doing("make a temporary directory")?;
        let made = Made::at(place.path().join("layout"), image.layers, image.length).await?;
        let course = Self { program, image, made, registry, place };
        watch(course.copy(&course.made.layout.transport(), &course.remote("pushed"), "first")).await?;
        Ok(course)
    }

    async fn pulls(&self) -> Result<Taken> {
        let (from, to) = (self.reference("pushed"), format!("oci:{}:v1", self.output().display()));
        let ours = |_: usize| self.pull(&from);
        let theirs = |pair: usize| self.copy(&self.remote("pushed"), &to, &format!("pull-{pair}"));
        self.pairs("pull", ours, theirs).await
    }

    async fn pushes(&self) -> Result<Taken> {
        let ours = |pair: usize| self.push(self.made.layout.path(), &self.reference(&format!("ours-{pair}")));
        let theirs = |pair: usize| {
            let to = format!("theirs-{pair}");
            self.copy(&self.made.layout.transport(), &self.remote(&to), &to)
        };
        self.pairs("push", ours, theirs).await
    }

    async fn pairs(
        &self,
        what: &str,
        ours: impl Fn(usize) -> Command,
        theirs: impl Fn(usize) -> Command,
    ) -> Result<Taken> {
        let mut taken = Taken::default();
        for pair in 0..self.image.pairs {
            say(&format!(
                "registry: {what} of {}, pair {} of {}",
                self.image.what,
                pair + 1,
                self.image.pairs
            ));
            for turn in 0..2 {
                let (side, command) = match (pair + turn) % 2 {
                    0 => (&mut taken.ours, ours(pair)),
                    _ => (&mut taken.theirs, theirs(pair)),
                };
                settle().await?;
                let before = self.registry_time()?;
                let watched = watch(command).await?;
                side.push(&watched, self.registry_time()?.saturating_sub(before));
                self.clear()?;
            }
        }
        Ok(taken)
    }

    /// How fast a pull of what is there verifies it, and how fast this machine hashes.
    async fn hashing(&self, part: &mut Part) -> Result<()> {
        let (mut again, mut plain) = (Sample::default(), Sample::default());
        let bytes = self.image.layers * self.image.length;
        let pull = || watch(self.pull(&self.reference("pushed")));
        pull().await?;
        for _ in 0..self.image.pairs {
            again.push(rate(bytes, pull().await?.took));
            plain.push(hashed(bytes));
        }
        self.clear()?;
        let (what, share) = (self.image.what, again.ratio(&plain));
        part.figure(format!("{what}: verified when pulled again"), Unit::MebibytesPerSecond, again, None);
        part.figure(format!("{what}: SHA-256 of as much in memory"), Unit::MebibytesPerSecond, plain, None);
        part.figure(format!("{what}: the former by the latter"), Unit::Times, share, None);
        Ok(())
    }

    /// Pulls what skopeo pushed, pushes that on, and asks skopeo and the engine what came of it.
    async fn judged(&self) -> Result<String> {
        say(&format!("registry: judging {}", self.image.what));
        let (image, on) = (self.image.what, self.reference("on"));
        watch(self.pull(&self.reference("pushed"))).await?;
        watch(self.push(&self.output(), &on)).await?;
        let mut inspect = Command::new("skopeo");
        inspect.args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &self.remote("on")]);
        let skopeo = aside(move || process::output(&mut inspect)).await?;
        docker::run(&["pull", "--quiet", &on]).await?;
        let shown =
            docker::run(&["image", "inspect", "--format", "{{.Id}} {{index .RepoDigests 0}}", &on]).await;
        let removed = docker::run(&["rmi", &on]).await;
        let engine = shown?;
        removed?;
        let digest = &self.made.digest;
        if skopeo != *digest || !engine.ends_with(&format!("@{digest}")) {
            return Err(unexpected(
                image,
                format!("was {digest}, is {skopeo} to skopeo and {engine} to docker"),
            ));
        }
        Ok(format!(
            "{image}, pushed by skopeo, pulled and pushed on by cutover: `skopeo inspect` and `docker pull` agree on \
             its digest with who made it"
        ))
    }

    fn pull(&self, from: &str) -> Command {
        let mut command = self.cutover();
        command.args(["image", "pull", from, "--platform", "linux/amd64", "--output"]).arg(self.output());
        command
    }

    fn push(&self, layout: &Path, to: &str) -> Command {
        let mut command = self.cutover();
        command.args(["image", "push"]).arg(layout).arg(to);
        command
    }

    /// The program, from where there is no configuration.
    fn cutover(&self) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.place.path());
        command
    }

    /// skopeo, with a cache that nothing is in.
    fn copy(&self, from: &str, to: &str, cache: &str) -> Command {
        let mut command = Command::new("skopeo");
        command.args(["copy", "--quiet", "--insecure-policy", "--preserve-digests"]);
        command.args(["--src-tls-verify=false", "--dest-tls-verify=false", from, to]);
        // Only of somebody who is not root does it take the directory from the environment.
        command.env("_CONTAINERS_ROOTLESS_UID", "1000");
        command.env("XDG_DATA_HOME", self.place.path().join("caches").join(cache));
        command
    }

    fn reference(&self, repository: &str) -> String {
        format!("{}/acme/{}-{repository}:v1", self.registry.host(), self.image.name)
    }

    fn remote(&self, repository: &str) -> String {
        format!("docker://{}", self.reference(repository))
    }

    /// Where pulls go to.
    fn output(&self) -> PathBuf {
        self.place.path().join("output")
    }

    fn clear(&self) -> Result<()> {
        let output = self.output();
        if !output.exists() {
            return Ok(());
        }
        fs::remove_dir_all(&output).doing(format!("remove {}", output.display()))
    }

    fn registry_time(&self) -> Result<Duration> {
        processor_time(self.registry.process()).ok_or_else(|| unexpected("docker-registry", "is gone"))
    }
}

/// Waits until the disk has what was written: nobody shall pay for who was before.
async fn settle() -> Result<()> {
    aside(|| {
        rustix::fs::sync();
        Ok(())
    })
    .await
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    background::handle().spawn_blocking(work).await.map_err(|panic| unexpected("a measurement", panic))?
}

/// Mebibytes in a second.
fn rate(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / MIB / took.as_secs_f64()
}

/// How fast this machine hashes what is in memory, at as many bytes.
fn hashed(bytes: usize) -> f64 {
    let piece = vec![7; 1 << 20];
    let pieces = bytes.div_ceil(piece.len());
    let began = Instant::now();
    for _ in 0..pieces {
        std::hint::black_box(digest(&SHA256, std::hint::black_box(&piece)));
    }
    rate(pieces * piece.len(), began.elapsed())
}
