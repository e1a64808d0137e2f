//! Installing what is missing, on Debian and Ubuntu.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Missing, Need, python_packages, runs};
use crate::rig::error::{Doing, Error, Result, unexpected};
use crate::rig::process;

/// How long an engine may take to answer after its start.
const ENGINE: Duration = Duration::from_secs(60);

/// What keeps packages from starting their services (`invoke-rc.d(8)`).
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs what is missing, and says each thing on stderr before it does.
///
/// Packages come by apt, with their services left stopped: an nginx on port 80 or a registry on port 5000 is nobody's
/// wish here, and ones that run already are not touched. An engine that does not answer is started.
///
/// # Errors
///
/// Elsewhere than on Debian and Ubuntu as root: what to do by hand. Otherwise what failed; what is optional and fails
/// is only told.
pub fn install(missing: &[Missing]) -> Result<()> {
    let of_root: Vec<&Missing> = missing.iter().filter(|missing| package(missing.need).is_some()).collect();
    if !of_root.is_empty() {
        able(&of_root)?;
        let packages = packages(&of_root);
        if !packages.is_empty() {
            with_services_held(|| apt(&packages))?;
        }
        if of_root.iter().any(|missing| matches!(missing.need, Need::Engine | Need::DockerClient)) {
            start_engine()?;
        }
    }
    let has = |need| missing.iter().any(|missing| missing.need == need);
    if has(Need::SlackSdk) || has(Need::NginxNew) {
        optional("slack_sdk", python_packages::slack_sdk);
    }
    if has(Need::CheckJsonschema) {
        optional("check-jsonschema", python_packages::check_jsonschema);
    }
    if has(Need::Crossplane) {
        optional("crossplane", python_packages::crossplane);
    }
    if has(Need::NginxNew) {
        optional("the newest nginx", python_packages::nginx);
    }
    Ok(())
}

/// What Podman's package only recommends, and its networks need.
const PODMAN_NETWORK: [&str; 2] = ["netavark", "aardvark-dns"];

/// The Debian package of a need, where it has one.
fn package(need: Need) -> Option<&'static str> {
    match need {
        Need::DockerClient | Need::Engine => Some("docker.io"),
        Need::Nginx => Some("nginx-light"),
        Need::Registry => Some("docker-registry"),
        Need::Skopeo => Some("skopeo"),
        Need::Compose => Some("docker-compose"),
        Need::Node => Some("nodejs"),
        Need::Openssl => Some("openssl"),
        Need::Shellcheck => Some("shellcheck"),
        Need::Chromium => Some("chromium"),
        Need::Wrk => Some("wrk"),
        Need::Caddy => Some("caddy"),
        Need::Haproxy => Some("haproxy"),
        Need::Podman => Some("podman"),
        Need::NginxNew | Need::SlackSdk | Need::CheckJsonschema | Need::Crossplane => None,
        Need::Faketime => Some("faketime"),
    }
}

/// The packages to install. An engine that is installed and only does not run needs none.
fn packages(missing: &[&Missing]) -> Vec<&'static str> {
    let installed = runs("dockerd", &["--version"]);
    let wanted = missing.iter().filter(|missing| missing.need != Need::Engine || !installed);
    let mut packages: Vec<&str> = wanted.filter_map(|missing| package(missing.need)).collect();
    if missing.iter().any(|missing| missing.need == Need::Podman) {
        packages.extend(PODMAN_NETWORK);
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn able(missing: &[&Missing]) -> Result<()> {
    let by_hand = || missing.iter().map(|missing| missing.mend.as_str()).collect::<Vec<_>>().join("; ");
    if !cfg!(target_os = "linux") {
        let why = "the end-to-end parts need Linux: nginx on the host reaches containers by their address, \
                   which Docker Desktop does not allow. Run it in a Linux virtual machine";
        return Err(unexpected("this machine cannot be prepared", why));
    }
    if !Path::new("/etc/debian_version").is_file() {
        let why = format!("--install knows Debian and Ubuntu; there it would be: {}", by_hand());
        return Err(unexpected("this machine cannot be prepared", why));
    }
    if !rustix::process::geteuid().is_root() {
        let why = format!("installing packages needs root; run as root: {}", by_hand());
        return Err(unexpected("this machine cannot be prepared", why));
    }
    Ok(())
}

fn apt(packages: &[&str]) -> Result<()> {
    say(&format!("installing {} (apt-get)", packages.join(", ")));
    let mut update = Command::new("apt-get");
    process::output(update.args(["update", "-q"]))?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "-q", "-y", "--no-install-recommends"]).args(packages);
    process::output(&mut install).map(drop)
}

/// Does something while packages may not start services. A policy that is there already stays in charge.
fn with_services_held(work: impl FnOnce() -> Result<()>) -> Result<()> {
    let policy = Path::new(POLICY);
    if policy.exists() {
        return work();
    }
    let held = Held(policy);
    fs::write(policy, "#!/bin/sh\nexit 101\n").doing(format!("write {POLICY}"))?;
    fs::set_permissions(policy, Permissions::from_mode(0o755)).doing(format!("make {POLICY} executable"))?;
    let done = work();
    drop(held);
    done
}

struct Held(&'static Path);

impl Drop for Held {
    fn drop(&mut self) {
        // Nothing was written when it cannot be removed.
        drop(fs::remove_file(self.0));
    }
}

fn start_engine() -> Result<()> {
    if engine_answers() {
        return Ok(());
    }
    if let Ok(host) = std::env::var("DOCKER_HOST") {
        return Err(unexpected(
            format!("the engine at DOCKER_HOST={host}"),
            "does not answer, and is not ours to start",
        ));
    }
    if Path::new("/run/systemd/system").is_dir() {
        say("starting the engine (systemctl start docker)");
        process::output(Command::new("systemctl").args(["start", "docker"]))?;
    } else {
        let log = tempfile::Builder::new().prefix("dockerd-").suffix(".log").tempfile();
        let log = log.doing("make a log for dockerd")?;
        let (file, path) = log.keep().map_err(|kept| kept.error).doing("keep the log of dockerd")?;
        say(&format!("starting the engine (dockerd, log in {})", path.display()));
        let second = file.try_clone().doing(format!("open {}", path.display()))?;
        let mut dockerd = Command::new("dockerd");
        // A group of its own: the engine outlives this command and its Ctrl-C.
        dockerd.process_group(0).stdin(Stdio::null()).stdout(file).stderr(second);
        drop(dockerd.spawn().doing("run `dockerd`")?);
    }
    let end = Instant::now() + ENGINE;
    while Instant::now() < end {
        if engine_answers() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(200));
    }
    Err(Error::Late { what: "the engine answers".to_owned(), within: ENGINE })
}

fn engine_answers() -> bool {
    runs("docker", &["version", "--format", "{{.Server.Version}}"])
}

/// Does what may fail without harm; tells when it does.
fn optional(what: &str, work: impl FnOnce() -> Result<()>) {
    say(&format!("installing {what} (pip)"));
    if let Err(error) = work() {
        say(&format!("{what} could not be installed, going on without: {error}"));
    }
}

fn say(line: &str) {
    // A closed stderr must not stop the work.
    drop(writeln!(io::stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_by_its_package_and_each_once() {
        let missing = [Need::Openssl, Need::Skopeo, Need::Openssl].map(|need| Missing {
            need,
            what: "a part",
            mend: "a command".to_owned(),
            optional: false,
        });
        assert_eq!(packages(&missing.iter().collect::<Vec<_>>()), ["openssl", "skopeo"]);
    }
}
