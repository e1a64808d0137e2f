//! `examples/rust-service`: cutover as a library, in the `cargo xtask` of someone else's repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use xtask::rig::image::ProgramImage;
use xtask::rig::load::{Config, Load};
use xtask::rig::stage::{Ran, Stage};
use xtask::rig::{docker, needs, place};

use crate::configure;

const SOON: Duration = Duration::from_secs(30);

/// The example's workspace, as a copy that stays between runs, so that little is compiled anew.
struct Repository(PathBuf);

impl Repository {
    /// Brings the copy up to date: our crates by their whole path, our versions of everything else.
    fn copy() -> Self {
        let copy = place::kept().join("rust-service");
        let crates = format!("{}/", place::workspace().display());
        refresh(&place::workspace().join("examples/rust-service"), &copy, &crates);
        std::fs::copy(place::workspace().join("Cargo.lock"), copy.join("Cargo.lock")).unwrap();
        Self(copy)
    }

    /// cargo in the repository. What it compiles of others' crates it finds in our own target directory.
    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            // What cargo tells a test would make build scripts run anew.
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*name);
            }
        }
        command
            .args(["--config", "profile.dev.package.'*'.debug=false"])
            .args(arguments)
            .current_dir(&self.0)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .env("CARGO_BUILD_BUILD_DIR", place::target())
            // Not ours: both have a program called xtask.
            .env("CARGO_TARGET_DIR", self.0.join("target"));
        command
    }

    /// `cargo xtask …`, as someone in the repository would type it.
    async fn xtask(&self, stage: &Stage, arguments: &[&str]) -> Ran {
        let mut command = tokio::process::Command::from(self.cargo(&["xtask"]));
        let (_, password) = stage.registry.auth().login().unwrap();
        command.args(arguments).env("REGISTRY_PASSWORD", password.expose_secret());
        let began = Instant::now();
        let output = command.kill_on_drop(true).output().await.expect("cargo runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            took: began.elapsed(),
        }
    }
}

/// Copies what has changed, with the way to our crates replaced.
fn refresh(from: &Path, to: &Path, crates: &str) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            // Someone may have run the example where it stands.
            if entry.file_name() != "target" {
                refresh(&path, &target, crates);
            }
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap().replace("../../../", crates);
        if std::fs::read_to_string(&target).ok().as_ref() != Some(&text) {
            std::fs::write(target, text).unwrap();
        }
    }
}

/// An image of the service that says this version, pushed.
async fn release(stage: &Stage, base: &ProgramImage, version: &str) {
    let folder = tempfile::tempdir().unwrap();
    let dockerfile = format!("FROM {}\nENV VERSION={version}\n", base.name());
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    let name = format!("acme/{}:{version}", stage.app);
    docker::run(&["build", "-q", "-t", &name, folder.path().to_str().unwrap()]).await.unwrap();
    stage.registry.push(&name).await.unwrap();
    docker::run(&["rmi", &name]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_xtask_of_another_repository_ships_its_service_and_shows_its_status() {
    let repository = Repository::copy();
    let began = Instant::now();
    let built = repository.cargo(&["build", "--quiet"]).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    println!("built in {:?}", began.elapsed());

    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let text = configure(&stage, "rust-service");
    std::fs::write(repository.0.join("cutover.toml"), text).unwrap();
    let program = repository.0.join("target/debug/greeter");
    let base = ProgramImage::build(&program, "/usr/local/bin/greeter").await.unwrap();
    for version in ["1", "2"] {
        release(&stage, &base, version).await;
    }

    repository.xtask(&stage, &["deploy", "1"]).await.exits(0);
    let load = Load::start(Config::at(stage.site()).host("example.com").workers(4, 1, 0));
    load.answered_by("1", SOON).await.unwrap();

    let ran = repository.xtask(&stage, &["deploy", "2"]).await.exits(0);
    assert!(ran.stderr.contains(&format!("{}-blue-1 runs ", stage.app)), "{}", ran.stderr);
    load.answered_by("2", SOON).await.unwrap();
    let report = load.stop().await;
    println!("{} requests, {} failed, 1 release", report.sent, report.failed);
    assert_eq!(report.failed, 0, "{:?}", report.failures);

    let status = repository.xtask(&stage, &["status", "--json"]).await.exits(0).json();
    assert_eq!((&status["app"], &status["live"]), (&stage.app.as_str().into(), &"green".into()));
    assert_eq!(status["slots"]["green"]["digest"], status["slots"]["blue"]["digest"], "{status:#}");
    assert_eq!(status, stage.status().await);

    let unknown = repository.xtask(&stage, &["deploy", "3"]).await.exits(3);
    assert!(unknown.stderr.contains(":3 not found"), "{}", unknown.stderr);
    repository.xtask(&stage, &["deploy", "not a tag"]).await.exits(2);
}
