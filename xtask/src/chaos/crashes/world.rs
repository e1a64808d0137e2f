//! The app that the commands are killed on, and what of it there is to be in the end.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::story::{Attempt, Kind, Wanted};
use super::{SOON, Side};
use crate::chaos::Place;
use crate::cut::Passed;
use crate::rig::deadline::until;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::session::Session;
use crate::rig::stage::{Nginx, Ran, Stage};
use crate::rig::{docker, needs};

/// For a whole run, on a machine that is busy with everything else too.
const LONG: std::time::Duration = std::time::Duration::from_secs(180);

const VERSIONS: [&str; 3] = ["0", "1", "2"];

/// Nothing is waited for that is not to be seen: the runs are many.
const SETTINGS: &str =
    "drain = \"100ms\"\nstop_grace = \"2s\"\nretain = 2\nupstream = { fail_timeout = \"2s\" }";

/// One app with three good releases and a bad one.
#[derive(Debug)]
pub(super) struct World {
    pub(super) stage: Stage,
    /// The release that is live, by its number.
    pub(super) live: usize,
    /// The one that stands by.
    pub(super) behind: Option<usize>,
    images: Vec<String>,
    digests: Vec<String>,
    bad: String,
}

impl World {
    /// Makes one. Where releases are watched, the bad one goes bad in use; else it ends at once.
    pub(super) async fn set(program: &Path, place: Place, kind: Kind) -> Result<Self> {
        let newest = needs::nginx_new().unwrap_or_default();
        let stage = match place {
            Place::Host => Stage::on_host(program, needs::nginx()).await?,
            Place::Container => Stage::in_container(program, needs::nginx()).await?,
            Place::Newest => Stage::on_host(program, newest).await?,
        };
        let watched = kind == Kind::Watched;
        // The gate is patient with a slow machine, but not with a release that is known to be bad.
        let gate = if watched { "8s" } else { "60s" };
        let health = format!("soak = \"0s\"\nhealth = {{ path = \"/healthz\", timeout = \"{gate}\" }}");
        let shared = "canary = { by = \"cookie\", stage = \"200ms\" }";
        let mut stage = stage.with(SETTINGS)?.with(&health)?;
        if kind == Kind::Shared {
            stage = stage.with(shared)?;
        }
        let mut images = Vec::new();
        for version in VERSIONS {
            images.push(stage.release(version, &[]).await?);
        }
        let bad = stage.release("bad", &[("MODE", if watched { "ails-in-use" } else { "exit" })]).await?;
        // What the engine has from here on, cutover has pulled.
        let built = format!("reference=acme/{}", stage.app);
        let built = docker::run(&["images", "-q", "--filter", &built]).await?;
        let built: Vec<&str> = built.split_whitespace().collect();
        docker::run(&[&["rmi", "-f"], built.as_slice()].concat()).await?;
        let mut world = Self { stage, live: 2, behind: Some(1), images, digests: Vec::new(), bad };
        for image in world.images.clone() {
            let ran = exits(world.run(&["deploy", "--json", "--image", &image]).await?, &[0])?;
            let digest = serde_json::from_str::<Value>(&ran.stdout).unwrap_or_default()["digest"].clone();
            world.digests.push(digest.as_str().unwrap_or_default().to_owned());
        }
        if watched {
            // Only the bad one is watched, and not to the end.
            let config = world.stage.config();
            let text = std::fs::read_to_string(&config).doing("read the configuration")?;
            let text = text.replace("soak = \"0s\"", "soak = \"60s\"");
            std::fs::write(&config, text).doing("write the configuration")?;
        }
        Ok(world)
    }

    pub(super) fn image(&self, number: usize) -> &str {
        &self.images[number]
    }

    pub(super) fn digest(&self, number: usize) -> &str {
        &self.digests[number]
    }

    pub(super) fn bad_image(&self) -> &str {
        &self.bad
    }

    /// A release that is neither live nor stands by.
    pub(super) fn fresh(&self) -> usize {
        (0..VERSIONS.len()).find(|n| *n != self.live && Some(*n) != self.behind).unwrap_or_default()
    }

    /// Sees to it that the standby holds another release than the live slot.
    pub(super) async fn stand_apart(&mut self) -> Result<()> {
        if self.behind.is_some_and(|behind| behind != self.live) {
            return Ok(());
        }
        let fresh = self.fresh();
        let image = self.image(fresh).to_owned();
        exits(self.run(&["deploy", "--json", "--image", &image]).await?, &[0])?;
        (self.behind, self.live) = (Some(self.live), fresh);
        Ok(())
    }

    /// Has a release wait.
    pub(super) async fn wait_with(&self, number: usize) -> Result<()> {
        let words = ["deploy", "--json", "--no-promote", "--image", self.image(number)];
        exits(self.run(&words).await?, &[0]).map(drop)
    }

    /// Takes every image from the engine that no container is of, so that the next has to be pulled.
    pub(super) async fn forget_images(&self) -> Result<()> {
        let repository = format!("reference={}", self.stage.repository());
        let format = "{{.Repository}}@{{.Digest}}";
        let there =
            docker::run(&["images", "--digests", "--format", format, "--filter", &repository]).await?;
        for image in there.lines() {
            // Those in use are refused.
            drop(docker::run(&["rmi", image]).await);
        }
        Ok(())
    }

    /// Makes the app's next deploy its first again.
    pub(super) async fn forget(&mut self) -> Result<()> {
        let ids: Vec<String> = self.stage.ids().await?.into_values().collect();
        if !ids.is_empty() {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            docker::run(&[&["rm", "-f"], ids.as_slice()].concat()).await?;
        }
        let (conf, state) = self.folders();
        for name in listed(&conf) {
            std::fs::remove_file(conf.join(&name)).doing(format!("remove {name}"))?;
        }
        let state = state.join(&self.stage.app);
        if state.is_dir() {
            std::fs::remove_dir_all(&state).doing(format!("remove {}", state.display()))?;
        }
        match &self.stage.nginx {
            Nginx::Host(nginx) => {
                nginx.reload().await?;
                docker::run(&["network", "rm", self.stage.network()]).await?;
            }
            // It is on the network, which so stays.
            Nginx::Container(nginx) => nginx.reload().await?,
        }
        (self.live, self.behind) = (0, None);
        until("nginx forgets the app", SOON, async || (!self.answers().await).then_some(())).await
    }

    /// Whether the site answers.
    pub(super) async fn answers(&self) -> bool {
        let page = self.stage.page(self.stage.site(), &self.stage.app, "/").await;
        page.is_ok_and(|(status, _)| status == 200)
    }

    /// Runs the command to its end; its effects.
    pub(super) async fn whole(&mut self, attempt: &Attempt) -> Result<Vec<Passed>> {
        let list = tempfile::NamedTempFile::new().doing("make a file for the list")?;
        let path = list.path().to_string_lossy().into_owned();
        let ran = self.run_by(&["cut", "--list", &path, "--"], &attempt.arguments).await?;
        exits(ran, &[attempt.exit])?;
        self.holds(&attempt.wanted).await?;
        let text = std::fs::read_to_string(&path).doing("read the list")?;
        let passed: Vec<Passed> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if passed.len() < 3 {
            return Err(unexpected(&attempt.arguments[0], format!("has hardly an effect: {text}")));
        }
        Ok(passed)
    }

    /// Runs the command until it is killed at the effect.
    pub(super) async fn cut(&self, attempt: &Attempt, effect: &Passed, side: Side) -> Result<()> {
        let (at, middle) = (effect.number.to_string(), (effect.micros / 2).to_string());
        let chore = ["cut", "--at", &at, "--side", side.as_str(), "--middle", &middle, "--"];
        let ran = self.run_by(&chore, &attempt.arguments).await?;
        match ran.status {
            None => Ok(()),
            Some(status) => Err(unexpected("the kill", format!("it ended with {status}: {}", ran.stderr))),
        }
    }

    /// Runs the command once more, which is to reach the wanted world.
    pub(super) async fn again(&mut self, attempt: &Attempt) -> Result<()> {
        let words: Vec<&str> = attempt.arguments.iter().map(String::as_str).collect();
        let ran = self.run(&words).await?;
        let refused = attempt.once && ran.status == Some(2) && ran.stderr.contains("no release waits");
        if !refused {
            exits(ran, attempt.again)?;
        }
        self.holds(&attempt.wanted).await
    }

    async fn run(&self, arguments: &[&str]) -> Result<Ran> {
        Session::start(self.stage.command(arguments))?.end(LONG).await
    }

    async fn run_by(&self, chore: &[&str], arguments: &[String]) -> Result<Ran> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Session::start(self.stage.command_by(chore, &arguments))?.end(LONG).await
    }

    fn folders(&self) -> (std::path::PathBuf, std::path::PathBuf) {
        match &self.stage.nginx {
            Nginx::Host(nginx) => (nginx.conf_dir(), nginx.state_dir()),
            Nginx::Container(nginx) => (nginx.conf_dir(), nginx.state_dir()),
        }
    }
}

/// What is to be there, and nothing else.
impl World {
    async fn holds(&mut self, wanted: &Wanted) -> Result<()> {
        let named = format!("name=^{}$", self.stage.network());
        let repository = format!("reference={}", self.stage.repository());
        let networks = ["network", "ls", "-q", "--filter", &named];
        let images = ["images", "--digests", "--format", "{{.Digest}}", "--filter", &repository];
        let (status, page, containers, ids, networks, images) = tokio::try_join!(
            self.run(&["status", "--json"]),
            self.stage.page(self.stage.site(), &self.stage.app, "/"),
            self.stage.containers(),
            self.stage.ids(),
            docker::run(&networks),
            docker::run(&images),
        )?;
        let live = self.holds_slots(&exits(status, &[0])?, wanted)?;
        same("the page", &page, &(200, format!("version {}\n", VERSIONS[wanted.live])))?;
        let slots = if wanted.behind.is_some() { vec!["blue", "green"] } else { vec![live.as_str()] };
        let there: Vec<String> =
            slots.iter().map(|slot| format!("{}-{slot}-1 running", self.stage.app)).collect();
        same("the containers", &containers, &there)?;
        if let Some(wanted) = &wanted.ids {
            same("the containers' ids", &ids, wanted)?;
        }
        same("the networks", &networks.lines().count(), &1)?;
        self.holds_images(&images, wanted)?;
        self.holds_files(&live)?;
        (self.live, self.behind) = (wanted.live, wanted.behind);
        Ok(())
    }

    /// The live slot.
    fn holds_slots(&self, status: &Ran, wanted: &Wanted) -> Result<String> {
        let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        let live = status["live"].as_str().unwrap_or_default();
        let standby = if live == "blue" { "green" } else { "blue" };
        let slot =
            |name: &str| (status["slots"][name]["image"].clone(), status["slots"][name]["healthy"].clone());
        let held = |number: usize| (Value::from(self.image(number)), Value::from(true));
        let behind = wanted.behind.map_or((Value::Null, Value::Null), held);
        if (slot(live), slot(standby)) == (held(wanted.live), behind) && status["nginx_current"] == true {
            return Ok(live.to_owned());
        }
        Err(unexpected("the slots", format!("wanted {wanted:?}, got {status:#}")))
    }

    fn holds_images(&self, listed: &str, wanted: &Wanted) -> Result<()> {
        let there: BTreeSet<&str> = listed.lines().collect();
        same("the images, each once,", &listed.lines().count(), &there.len())?;
        match wanted.images {
            Some(images) => same("the images", &there, &images.iter().map(|n| self.digest(*n)).collect()),
            None => Ok(()),
        }
    }

    fn holds_files(&self, live: &str) -> Result<()> {
        let (conf, state) = self.folders();
        let app = &self.stage.app;
        let left: Vec<String> = listed(&conf).into_iter().filter(|name| name.starts_with('.')).collect();
        same("nginx's files that are left over", &left, &Vec::new())?;
        same("the folders of state", &listed(&state), &vec![app.clone()])?;
        let marker = (live == "green").then_some("green");
        let files: Vec<&str> = marker.into_iter().chain(["history.jsonl", "lock", "runs"]).collect();
        same(
            "the files of state",
            &listed(&state.join(app)),
            &files.iter().map(ToString::to_string).collect(),
        )?;
        let torn: Vec<String> =
            listed(&state.join(app).join("runs")).into_iter().filter(|name| name.starts_with('.')).collect();
        same("records that are left half written", &torn, &Vec::new())?;
        let lock = std::fs::read(state.join(app).join("lock")).doing("read the lock")?;
        same("the lock's words", &String::from_utf8_lossy(&lock).into_owned(), &String::new())
    }
}

/// The names in a folder, sorted.
fn listed(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, there: &T, wanted: &T) -> Result<()> {
    if there == wanted { Ok(()) } else { Err(unexpected(what, format!("{there:?} instead of {wanted:?}"))) }
}

fn exits(ran: Ran, wanted: &[i32]) -> Result<Ran> {
    if ran.status.is_some_and(|status| wanted.contains(&status)) {
        return Ok(ran);
    }
    Err(unexpected(
        "the command",
        format!("ended with {:?} instead of {wanted:?}: {}", ran.status, ran.stderr),
    ))
}
