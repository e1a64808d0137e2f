//! Parts that cannot be reached, that refuse, or that are not set up as they must be.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::nginx::HostNginx;
use xtask::rig::port;
use xtask::rig::session::Session;
use xtask::rig::stage::{Nginx, Ran, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

async fn stage() -> Stage {
    Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap()
}

fn host(stage: &Stage) -> &HostNginx {
    match &stage.nginx {
        Nginx::Host(nginx) => nginx,
        Nginx::Container(_) => panic!("the stage has its nginx in a container"),
    }
}

async fn run(command: Command) -> Ran {
    Session::start(command).unwrap().end(LONG).await.unwrap()
}

fn tells(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is not told:\n{}", ran.stderr);
    }
}

/// What may not change when nothing is to be touched.
async fn world(stage: &Stage) -> (BTreeMap<String, String>, Vec<String>, Value) {
    (stage.ids().await.unwrap(), stage.containers().await.unwrap(), stage.status().await)
}

fn light(stage: &Stage) -> Config {
    Config::at(stage.site()).workers(2, 1, 0).pace(Duration::from_millis(5))
}

async fn lost_nothing(load: Load) {
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_or_a_registry_that_refuses_is_named_and_nothing_is_touched() {
    let mut stage = stage().await;
    let one = stage.release("1", &[]).await.unwrap();
    let two = stage.release("2", &[]).await.unwrap();
    stage.deploy(&one).await;
    let load = Load::start(light(&stage));
    load.answered_by("1", SOON).await.unwrap();
    let before = world(&stage).await;

    let mut dead = stage.command(&["deploy", "--image", &two]);
    dead.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
    tells(&run(dead).await.exits(3), &["/nowhere/docker.sock", "cannot be reached", "nothing was changed"]);

    let nobody = port::free().unwrap().to_string();
    let down = stage.cutover(&["deploy", "--image", &format!("{nobody}/acme/web:1")]).await.exits(3);
    tells(&down, &["cannot reach", &nobody, "nothing was changed"]);

    let mut stranger = stage.command(&["deploy", "-vv", "--image", &two]);
    stranger.env("REGISTRY_PASSWORD", "wrong-canary-91d0");
    let refused = run(stranger).await.exits(3);
    tells(&refused, &["denied access to", "denied", stage.registry.host(), "nothing was changed"]);
    assert!(
        !format!("{refused:?}").contains("wrong-canary-91d0"),
        "the password is told:\n{}",
        refused.stderr
    );

    let absent = format!("{}:nowhere", stage.repository());
    let absent = stage.cutover(&["deploy", "--image", &absent]).await.exits(3);
    tells(&absent, &[":nowhere", "not found", "nothing was changed"]);

    assert_eq!(world(&stage).await, before);
    stage.deploy(&two).await;
    lost_nothing(load).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_nginx_that_is_stopped_is_to_be_started_and_goes_on_where_it_was() {
    let mut stage = stage().await;
    let images = [stage.release("1", &[]).await.unwrap(), stage.release("2", &[]).await.unwrap()];
    for image in &images {
        stage.deploy(image).await;
    }
    let three = stage.release("3", &[]).await.unwrap();
    let before = world(&stage).await;
    let Nginx::Host(nginx) = &mut stage.nginx else { panic!("the nginx is of the host") };
    nginx.stop();
    for command in [&["deploy", "--image", &three][..], &["backup"], &["rollback"], &["status"]] {
        tells(&stage.cutover(command).await.exits(3), &["nginx is not running", "start nginx"]);
    }
    let Nginx::Host(nginx) = &mut stage.nginx else { panic!("the nginx is of the host") };
    nginx.start_again().await.unwrap();
    assert_eq!(world(&stage).await, before, "it does not go on where it was");
    assert_eq!(stage.page(stage.site(), &stage.app, "/").await.unwrap().1, "version 2\n");
    let account = stage.deploy(&three).await;
    assert_eq!((&account["outcome"], &account["reloads"]), (&"deployed".into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_nginx_does_not_include_is_found_out_and_nothing_is_left_in_it() {
    let mut stage = stage().await;
    let image = stage.release("1", &[]).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let right = fs::read_to_string(stage.config()).unwrap();
    let (there, here) = (host(&stage).conf_dir(), elsewhere.path());
    let wrong = right.replace(there.to_str().unwrap(), here.to_str().unwrap());
    assert_ne!(wrong, right);
    fs::write(stage.config(), wrong).unwrap();

    let ran = stage.cutover(&["deploy", "--json", "--image", &image]).await.exits(3);
    tells(&ran, &["the old one is back", "does not include", "nothing is live"]);
    assert_eq!(here.read_dir().unwrap().count(), 0, "files are left in the folder");
    assert_eq!(stage.containers().await.unwrap(), [""; 0]);

    fs::write(stage.config(), right).unwrap();
    assert_eq!(stage.deploy(&image).await["outcome"], "deployed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marker_that_nginx_cannot_see_leaves_the_traffic_where_it_is() {
    let mut stage = stage().await;
    let one = stage.release("1", &[]).await.unwrap();
    let two = stage.release("2", &[]).await.unwrap();
    stage.deploy(&one).await;
    let load = Load::start(light(&stage));
    load.answered_by("1", SOON).await.unwrap();
    let before = world(&stage).await;
    let state = host(&stage).state_dir();
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();

    let ran = stage.cutover(&["deploy", "--json", "--image", &two]).await.exits(3);
    tells(&ran, &["does not follow the marker", state.to_str().unwrap(), "worker processes", "blue serves"]);
    assert_eq!(ran.json()["live"], "blue");
    assert_eq!(world(&stage).await, before);

    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    let account = stage.deploy(&two).await;
    assert_eq!((&account["live"], &account["reloads"]), (&"green".into(), &0.into()));
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}

/// A small disk. It is unmounted on drop.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Self {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64k,nr_inodes=24,mode=755", "cutover-test"]).arg(at);
        assert!(mount.status().unwrap().success(), "a disk cannot be mounted: this test needs root");
        Self(at.to_owned())
    }

    /// Fills it with bytes.
    fn fill(&self) {
        let full = fs::write(self.0.join("filler"), vec![0; 1 << 20]);
        assert_eq!(full.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    }

    /// Fills it with files.
    fn fill_with_files(&self) {
        let folder = self.0.join("files");
        fs::create_dir(&folder).unwrap();
        let full = (0..100).find_map(|number| fs::write(folder.join(number.to_string()), "").err());
        assert_eq!(full.unwrap().kind(), std::io::ErrorKind::StorageFull);
    }

    fn clear(&self) {
        drop(fs::remove_file(self.0.join("filler")));
        drop(fs::remove_dir_all(self.0.join("files")));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever looks into it lets go of it soon.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_costs_no_traffic() {
    let stage = stage().await;
    let mut stage = stage.with("soak = \"1s\"").unwrap();
    let disk = Disk::mount(&host(&stage).state_dir());
    let images = [stage.release("1", &[]).await.unwrap(), stage.release("2", &[]).await.unwrap()];
    stage.deploy(&images[0]).await;
    let load = Load::start(light(&stage));
    load.answered_by("1", SOON).await.unwrap();
    let deploy =
        |image: &str| Session::start(stage.command(&["deploy", "--json", "--image", image])).unwrap();

    // The marker cannot be made.
    let before = world(&stage).await;
    let mut session = deploy(&images[1]);
    session.tells("pull the image", SOON).await.unwrap();
    disk.fill_with_files();
    let ran = session.end(LONG).await.unwrap().exits(3);
    tells(&ran, &["make the marker", "green", "No space left", "blue serves"]);
    disk.clear();
    assert_eq!(world(&stage).await, before);

    // The history cannot be written, which changes no verdict.
    let mut session = deploy(&images[1]);
    session.tells("watch green ...", SOON).await.unwrap();
    disk.fill();
    let ran = session.end(LONG).await.unwrap().exits(0);
    tells(&ran, &["warning: the history", "No space left"]);
    assert_eq!(ran.json()["outcome"], "deployed");
    let history = stage.cutover(&["history", "--json"]).await.exits(0).json();
    assert!(!history["entries"].as_array().unwrap().is_empty(), "the history was lost");

    // The lock cannot say whose it is.
    disk.fill();
    let before = world(&stage).await;
    let ran = stage.cutover(&["deploy", "--image", &images[0]]).await.exits(1);
    tells(&ran, &["the lock", host(&stage).state_dir().to_str().unwrap(), "No space left"]);
    assert_eq!(world(&stage).await, before);

    disk.clear();
    assert_eq!(stage.deploy(&images[0]).await["live"], "blue");
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
}
