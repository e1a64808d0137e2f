//! A context is what Docker's own command line sends, and is never held in memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use bollard::models::ContainerCreateBody;
use bollard::query_parameters as query;
use cutover_runtime::{BuildProgress, BuildSpec, Builder};
use futures_util::TryStreamExt;
use tempfile::TempDir;

use crate::build::{build, image_of, spec};
use crate::rig::Rig;

/// The paths of an image below `/ctx/`, folders with `/` at their end.
pub(crate) async fn listing(rig: &Rig, image: &str) -> BTreeSet<String> {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["x".to_owned()]),
        labels: Some(rig.labels().into_iter().collect()),
        ..Default::default()
    };
    let id = rig.api.create_container(None::<query::CreateContainerOptions>, body).await.unwrap().id;
    let parts: Vec<_> = rig.api.export_container(&id).try_collect().await.unwrap();
    let bytes = parts.concat();
    let mut names = BTreeSet::new();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let path = entry.unwrap().path().unwrap().display().to_string();
        names.extend(path.strip_prefix("ctx/").filter(|name| !name.is_empty()).map(str::to_owned));
    }
    names
}

/// A row of the table: its name, the patterns, and the names that are kept or gone.
type Row = (&'static str, &'static str, bool, Vec<String>);

fn rows() -> Vec<Row> {
    let rows = include_str!("../rig/dockerignore.txt").split("=== ").skip(1);
    let row = |row: &'static str| {
        let (name, rest) = row.split_once('\n').unwrap();
        let (patterns, wanted) = rest.rsplit_once("--- ").unwrap();
        let (which, names) = wanted.split_once(' ').unwrap();
        (name, patterns, which == "kept", serde_json::from_str(names).unwrap())
    };
    rows.map(row).collect()
}

fn tree(rig: &Rig, rows: &[Row]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in &rows[0].3 {
        let path = folder.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::write(path, name).unwrap();
        }
    }
    // Its own name makes the image its own.
    fs::write(folder.path().join("src/main.go"), &rig.name).unwrap();
    let labels =
        rig.labels().into_iter().fold(String::new(), |all, (key, value)| format!("{all} {key}={value}"));
    fs::write(folder.path().join("Dockerfile"), format!("FROM scratch\nLABEL{labels}\nCOPY . /ctx/\n"))
        .unwrap();
    folder
}

/// The image that Docker's own command line builds. While other tests remove images, the classic builder of Engine 20.10
/// may not find the one that it has just made ("unable to find image"), and is asked again.
fn built_by_docker(folder: &Path, row: &str) -> String {
    let mut said = String::new();
    for _ in 0..5 {
        let mut docker = Command::new("docker");
        docker.args(["build", "-q"]).arg(folder).env("DOCKER_BUILDKIT", "0");
        let output = docker.output().expect("this test needs Docker's command line");
        if output.status.success() {
            return String::from_utf8(output.stdout).unwrap().trim().to_owned();
        }
        said = String::from_utf8_lossy(&output.stderr).into_owned();
    }
    panic!("{row}: docker cannot build: {said}")
}

/// The image that we have the engine build, which is asked again as for Docker's.
async fn built_by_us(rig: &Rig, spec: &BuildSpec, row: &str) -> String {
    let mut said = String::new();
    for _ in 0..5 {
        match rig.engine.build(spec, &mut |_| {}).await {
            Ok(built) => return built.image,
            Err(error) => said = format!("{error:?}"),
        }
        assert!(said.contains("unable to find image"), "{row}: {said}");
    }
    panic!("{row}: the engine cannot build: {said}")
}

/// Equal contents make the classic builder find the layer that it has, so that equal trees are one image.
#[tokio::test]
async fn what_is_sent_is_what_docker_sends() {
    let rig = Rig::new().await;
    let rows = rows();
    let folder = tree(&rig, &rows);
    for (name, patterns, ..) in &rows {
        fs::write(folder.path().join(".dockerignore"), patterns).unwrap();
        let theirs = built_by_docker(folder.path(), name);
        let mut spec = BuildSpec::new(folder.path());
        spec.builder = Some(Builder::Classic);
        let ours = built_by_us(&rig, &spec, name).await;
        if ours != theirs {
            // Folders that Docker leaves to the engine to make may differ in their permissions.
            assert_eq!(listing(&rig, &ours).await, listing(&rig, &theirs).await, "{name}");
        }
    }
}

#[tokio::test]
async fn buildkit_gets_the_same_files() {
    let rig = Rig::new().await;
    let rows = rows();
    let folder = tree(&rig, &rows);
    let some = [
        "the Dockerfile and this file can be left out",
        "an exception in a folder that is left out",
        "all but one",
    ];
    for (name, patterns, kept, names) in rows.iter().filter(|row| some.contains(&row.0)) {
        fs::write(folder.path().join(".dockerignore"), patterns).unwrap();
        let image = build(&rig, &BuildSpec::new(folder.path())).await.unwrap().image;
        let wanted: BTreeSet<_> =
            rows[0].3.iter().filter(|path| names.contains(path) == *kept).cloned().collect();
        assert_eq!(listing(&rig, &image).await, wanted, "{name}");
    }
}

fn context_bytes(step: &BuildProgress) -> Option<u64> {
    match step {
        BuildProgress::Context { bytes, .. } => Some(*bytes),
        _ => None,
    }
}

/// The most memory that this process has had, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// nextest gives each test a process of its own; under `cargo test` others could only make this one fail falsely, so
/// the bound leaves them room.
#[tokio::test]
async fn a_large_context_is_not_held_in_memory() {
    let rig = Rig::new().await;
    let folder = tempfile::tempdir().unwrap();
    let large = fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(200 << 20).unwrap();
    fs::write(folder.path().join("small"), &rig.name).unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY small .\nCOPY lar* .\n").unwrap();
    let before = peak();
    let mut spec = spec(&rig, folder.path());
    for builder in [Builder::Classic, Builder::BuildKit] {
        spec.builder = Some(builder);
        let mut sent = 0;
        let mut tell = |step| sent += context_bytes(&step).unwrap_or_default();
        rig.engine.build(&spec, &mut tell).await.unwrap();
        assert!(sent >= 200 << 20, "{builder}: {sent} bytes");
        let more = peak() - before;
        assert!(more < 64 << 20, "{builder}: {more} bytes more");
    }
    large.set_len(0).unwrap();
    // The same folder again, so that the builder does not keep the large file.
    build(&rig, &spec).await.unwrap();
}

#[tokio::test]
async fn buildkit_is_sent_only_what_changed() {
    let rig = Rig::new().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("Dockerfile"), "FROM scratch\nCOPY . /ctx/\n").unwrap();
    fs::write(folder.path().join("first"), vec![b'x'; 100_000]).unwrap();
    let spec = spec(&rig, folder.path());
    let mut sent = Vec::new();
    for content in ["one", "three"] {
        fs::write(folder.path().join("second"), content).unwrap();
        let mut tell = |step| sent.extend(context_bytes(&step));
        let image = rig.engine.build(&spec, &mut tell).await.unwrap().image;
        assert_eq!(image_of(&rig, &image).await.labels, rig.labels());
        assert_eq!(listing(&rig, &image).await.len(), 3);
    }
    assert!(sent.len() == 2 && sent[0] > 100_000 && sent[1] == 5, "{sent:?}");
}

#[tokio::test]
async fn buildkit_is_sent_only_what_is_copied() {
    let rig = Rig::new().await;
    let folder = tempfile::tempdir().unwrap();
    for path in ["wanted/deep", "other"] {
        fs::create_dir_all(folder.path().join(path)).unwrap();
        fs::write(folder.path().join(path).join("file"), path).unwrap();
    }
    symlink("wanted", folder.path().join("link")).unwrap();
    for (source, wanted) in [("wanted", 2), ("link/deep", 1)] {
        let dockerfile = format!("FROM scratch\nLABEL own={}\nCOPY {source} /ctx/\n", rig.name);
        fs::write(folder.path().join("Dockerfile"), &dockerfile).unwrap();
        let mut sent = Vec::new();
        let mut spec = spec(&rig, folder.path());
        // With a new key nothing is there from the build before.
        spec.source_date_epoch = Some(1_700_000_000);
        let mut tell = |step| sent.extend(context_bytes(&step));
        let image = rig.engine.build(&spec, &mut tell).await.unwrap().image;
        assert_eq!(listing(&rig, &image).await.len(), wanted, "{source}");
        let all = if source == "wanted" { 11 } else { 5 + 11 + dockerfile.len() as u64 };
        assert_eq!(sent, [all], "{source}");
    }
}
