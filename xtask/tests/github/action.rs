//! The action, step by step as a runner would run it, on a checkout of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use xtask::rig::place;

use crate::step::{Runner, well};
use crate::yaml;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// What the action would be checked out as, and a place for what it has published.
struct Checkout {
    folder: TempDir,
    steps: Vec<Value>,
}

impl Checkout {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cargo = std::fs::read_to_string(place::workspace().join("Cargo.toml")).unwrap();
        let repository = concat!("repository = \"", env!("CARGO_PKG_REPOSITORY"), "\"");
        assert!(cargo.contains(repository), "the workspace names its repository");
        let published = format!("repository = \"file://{}/published\"", folder.path().display());
        std::fs::write(folder.path().join("Cargo.toml"), cargo.replace(repository, &published)).unwrap();
        std::fs::write(folder.path().join("Cargo.lock"), "version = 4\n").unwrap();
        for krate in ["cli", "registry", "runtime", "proxyconf", "notify"] {
            std::fs::create_dir(folder.path().join(krate)).unwrap();
            std::fs::write(folder.path().join(krate).join("lib.rs"), krate).unwrap();
        }
        let action = yaml::read(&place::workspace().join("action.yml"));
        Self { folder, steps: action["runs"]["steps"].as_array().unwrap().clone() }
    }

    fn copied(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let from = format!("{}/.", self.folder.path().display());
        let ran = Command::new("cp").args(["-r", &from]).arg(folder.path()).status().unwrap();
        assert!(ran.success());
        Self { folder, steps: self.steps.clone() }
    }

    fn step(&self, id: &str) -> &Value {
        self.steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}"))
    }

    /// A runner that was asked for this release, for an action of this ref, with the first step run.
    fn asked(&self, release: &str, reference: &str) -> Runner {
        let mut runner = Runner::new();
        runner.env.insert("GITHUB_ACTION_PATH".to_owned(), self.folder.path().display().to_string());
        runner.context.insert("inputs.release".to_owned(), release.to_owned());
        runner.context.insert("github.action_ref".to_owned(), reference.to_owned());
        well(&runner.run(self.step("source"), runner.temp().as_path()));
        runner.context.insert("steps.source.outputs.release".to_owned(), runner.output("release").unwrap());
        runner
    }

    fn key(&self) -> String {
        self.asked("", "main").output("key").unwrap()
    }

    /// Publishes this program as a release, with the checksum of these bytes.
    fn publish(&self, release: &str, program: &[u8], summed: &[u8]) {
        let folder = self.folder.path().join("published/releases/download").join(release);
        std::fs::create_dir_all(&folder).unwrap();
        let asset = format!("cutover-{}-linux", std::env::consts::ARCH);
        std::fs::write(folder.join(&asset), summed).unwrap();
        let summed = Command::new("sha256sum").arg(&asset).current_dir(&folder).output().unwrap();
        std::fs::write(folder.join(format!("{asset}.sha256")), &summed.stdout).unwrap();
        std::fs::write(folder.join(&asset), program).unwrap();
    }
}

fn version() -> String {
    format!("v{}", env!("CARGO_PKG_VERSION"))
}

fn command(runner: &Runner) -> PathBuf {
    runner.temp().join("cutover/bin/cutover")
}

#[test]
fn what_the_cache_holds_is_put_on_the_path_and_told() {
    let checkout = Checkout::new();
    let runner = checkout.asked("", "main");
    let command = command(&runner);
    std::fs::create_dir_all(command.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(PROGRAM, &command).unwrap();
    well(&runner.run(checkout.step("command"), &runner.temp()));
    assert_eq!(runner.said("path").trim(), command.parent().unwrap().to_str().unwrap());
    assert_eq!(runner.output("path").as_deref(), command.to_str());
    assert_eq!(runner.output("version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_cache_is_asked_for_exactly_this_source() {
    let checkout = Checkout::new();
    let key = checkout.key();
    assert_eq!(key, checkout.copied().key(), "where the source lies is no matter");
    assert!(key.ends_with("-built"), "{key}");
    let release = checkout.asked("", &version()).output("key").unwrap();
    assert!(release.ends_with(&version()), "{release}");
    std::fs::write(checkout.folder.path().join("cli/lib.rs"), "changed").unwrap();
    assert_ne!(key, checkout.key());
    // The cache's folder is the one that the other steps use.
    let path = checkout.step("cache")["with"]["path"].as_str().unwrap();
    assert_eq!(path, "${{ runner.temp }}/cutover");
    assert_eq!(checkout.step("binary")["if"], "steps.cache.outputs.cache-hit != 'true'");
}

#[test]
fn a_release_is_taken_when_its_checksum_is_right() {
    let checkout = Checkout::new();
    checkout.publish(&version(), b"#!/bin/sh\n", b"#!/bin/sh\n");
    for runner in [checkout.asked("", &version()), checkout.asked(&version(), "0123456789abcdef")] {
        well(&runner.run(checkout.step("binary"), &runner.temp()));
        assert_eq!(std::fs::read(command(&runner)).unwrap(), b"#!/bin/sh\n");
        let ran = Command::new(command(&runner)).status().unwrap();
        assert!(ran.success(), "it can be run");
    }
}

#[test]
fn a_release_whose_checksum_is_wrong_is_never_taken_nor_replaced_by_a_build() {
    let checkout = Checkout::new();
    checkout.publish(&version(), b"#!/bin/sh\necho evil\n", b"#!/bin/sh\n");
    let runner = checkout.asked("", &version());
    let output = runner.run(checkout.step("binary"), &runner.temp());
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAILED"), "{output:?}");
    assert!(!command(&runner).exists());
}

/// A `cargo` that installs nothing but what it was asked for.
fn fake_cargo(folder: &Path) {
    let script = "#!/bin/sh\necho \"$@\" >\"$RUNNER_TEMP/asked\"\nmkdir -p \"$RUNNER_TEMP/cutover/bin\"\n\
                  ln -s /bin/true \"$RUNNER_TEMP/cutover/bin/cutover\"\n";
    std::fs::write(folder.join("cargo"), script).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.join("cargo"), executable).unwrap();
}

#[test]
fn without_a_release_the_actions_own_source_is_built() {
    let checkout = Checkout::new();
    // Asked for by a branch, by another version, and by a version that has no binary.
    for reference in ["main", "v9.9.9", &version()] {
        let mut runner = checkout.asked("", reference);
        let folder = tempfile::tempdir().unwrap();
        fake_cargo(folder.path());
        let path = std::env::var("PATH").unwrap();
        runner.env.insert("PATH".to_owned(), format!("{}:{path}", folder.path().display()));
        well(&runner.run(checkout.step("binary"), &runner.temp()));
        let asked = std::fs::read_to_string(runner.temp().join("asked")).unwrap();
        let source = format!("install --locked --path {}/cli", checkout.folder.path().display());
        assert!(asked.starts_with(&source), "{reference}: {asked}");
        assert!(command(&runner).exists(), "{reference}");
    }
}

#[test]
fn what_cannot_be_had_is_told_as_an_error_of_the_job() {
    let checkout = Checkout::new();
    let refused = |runner: &Runner, id: &str, words: &str| {
        let output = runner.run(checkout.step(id), &runner.temp());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{said}");
        assert!(said.contains("::error title=cutover::") && said.contains(words), "{said}");
    };
    let runner = checkout.asked("v9.9.9", "main");
    refused(&runner, "binary", "of the release v9.9.9 cannot be had");
    let mut runner = checkout.asked("", "main");
    runner.context.insert("inputs.release".to_owned(), "v1.0.0\nkey=x".to_owned());
    refused(&runner, "source", "write one such as v0.1.0");
    runner.context.insert("inputs.release".to_owned(), String::new());
    runner.env.insert("RUNNER_OS".to_owned(), "Windows".to_owned());
    refused(&runner, "source", "this runner has Windows");
    // Without cargo: a path on which there is nothing but what the script needs before it looks for that.
    runner.env.insert("PATH".to_owned(), "/nonexistent".to_owned());
    refused(&runner, "binary", "there is no cargo");
}
