//! The app and all that is around it, for faults to strike.

use std::any::Any;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::rig::disk::Disk;
use crate::rig::engine::PrivateEngine;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::needs;
use crate::rig::nginx::HostNginx;
use crate::rig::relay::Relay;
use crate::rig::session::Session;
use crate::rig::slack::Slack;
use crate::rig::stage::{Nginx, Ran, Stage};
use crate::rig::wire::{Ask, Manner, Wire};

use super::{Command, Phase};

/// For what takes a moment, on a machine that is busy with everything else too.
pub(super) const SOON: Duration = Duration::from_secs(60);
/// For a whole run, waits for what does not answer included.
pub(super) const LONG: Duration = Duration::from_secs(240);

/// What a world is made of, besides what each has. Faults on the same ground share a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chaos) enum Ground {
    /// nginx on the host, the machine's engine, one disk for all.
    Plain,
    /// As [`Ground::Plain`], with an nginx that is a child of nobody's.
    Detached,
    /// As [`Ground::Plain`], on an engine of its own, with or without live-restore.
    Engine {
        /// Whether containers go on while the engine is restarted.
        live_restore: bool,
    },
    /// As [`Ground::Plain`], with a small disk each for nginx's two folders and for cutover's own.
    Disks,
    /// As [`Ground::Plain`], with something before the registry.
    Registry,
    /// As [`Ground::Plain`], with a Slack.
    Slack,
    /// As [`Ground::Plain`], for an app whose memory is changed.
    Memory,
}

/// An app with a release live and another standing by. Of three releases in turn none is ever there already.
pub(in crate::chaos) struct World {
    /// What a ground needs besides, for its faults to find. It goes before what it lies over.
    pub(super) kept: Vec<Box<dyn Any>>,
    /// The registry, the nginx, the configuration.
    pub(super) stage: Stage,
    /// What the program has in its environment besides.
    pub(super) env: Vec<(String, String)>,
    /// What the program is started by, if anything.
    pub(super) wrap: Vec<String>,
    /// The way to the engine, for the tested program alone.
    pub(super) wire: Wire,
    /// What `doctor` names where nothing is wrong.
    pub(super) usual: BTreeSet<String>,
    /// Whether the wire is what was struck, and is to be left as it is.
    pub(super) struck: bool,
    images: Vec<String>,
    /// Which release is live, and which stands by, once the command that was asked for last has ended well.
    live: usize,
    standby: usize,
    /// The release that is live until the command that was asked for last has ended.
    served: usize,
    deployed: u32,
    changes: u32,
    relay: Option<Relay>,
    slack: Option<Slack>,
}

impl World {
    /// Makes one.
    ///
    /// # Errors
    /// When a part does not start, or the first deploys fail.
    pub(super) async fn new(program: &Path, ground: Ground) -> Result<Self> {
        let nginx = match ground {
            Ground::Detached => HostNginx::start_detached(needs::nginx()).await?,
            _ => HostNginx::start(needs::nginx()).await?,
        };
        let mut stage = Stage::behind(program, Nginx::Host(nginx)).await?;
        let mut kept: Vec<Box<dyn Any>> = Vec::new();
        let mut socket = PathBuf::from("/var/run/docker.sock");
        let (mut relay, mut slack, mut env) = (None, None, Vec::new());
        match ground {
            Ground::Plain | Ground::Detached | Ground::Memory => {}
            Ground::Engine { live_restore } => {
                let engine = PrivateEngine::start(live_restore).await?;
                stage = stage.on_engine(engine.host());
                socket = engine.socket();
                kept.push(Box::new(engine));
            }
            Ground::Disks => {
                let Nginx::Host(nginx) = &stage.nginx else { unreachable!("it was started on the host") };
                let (conf, state) = (nginx.conf_dir(), nginx.state_dir());
                let data = conf.with_file_name("data");
                std::fs::create_dir(&data).doing("make a folder for the data")?;
                for folder in [&conf, &state, &data] {
                    kept.push(Box::new(Disk::over(folder, 256)?));
                }
                stage = stage.with_top(&format!("data_dir = {data:?}"))?;
            }
            Ground::Registry => {
                let before = Relay::before(parsed(stage.registry.host())?).await?;
                let host = before.address().to_string();
                let image = format!("{host}/acme/{}:0", stage.app);
                stage = stage.with(&format!("image = {image:?}"))?.with_tables(&format!(
                    "[registry.{host:?}]\nusername = \"acme\"\npassword = {{ env = \"REGISTRY_PASSWORD\" }}"
                ))?;
                relay = Some(before);
            }
            Ground::Slack => {
                let there = Slack::start().await?;
                env.push(("SLACK_WEBHOOK_URL".to_owned(), there.url()));
                let tables = "[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK_URL\" }\ntimeout = \"3s\"";
                stage = stage.with_tables(tables)?;
                slack = Some(there);
            }
        }
        let mut world = Self {
            stage: stage.with("soak = \"1s\"\ndrain = \"2s\"")?,
            wire: Wire::before(&socket)?,
            kept,
            env,
            wrap: Vec::new(),
            relay,
            slack,
            usual: BTreeSet::new(),
            struck: false,
            images: Vec::new(),
            live: 0,
            standby: 0,
            served: 0,
            deployed: 0,
            changes: 0,
        };
        for version in ["0", "1", "2"] {
            let image = world.stage.release(version, &[]).await?;
            let by_relay = world.relay.as_ref().map(|relay| relay.address().to_string());
            world.images.push(match by_relay {
                Some(relay) => image.replacen(world.stage.registry.host(), &relay, 1),
                None => image,
            });
        }
        for _ in 0..2 {
            let deploy = world.command(Command::Deploy).await?;
            world.ends_well(&deploy).await?;
        }
        world.usual = world.doctor().await?.1;
        Ok(world)
    }

    /// The nginx of the host.
    ///
    /// # Panics
    /// Where it is in a container.
    pub(super) fn nginx(&mut self) -> &mut HostNginx {
        match &mut self.stage.nginx {
            Nginx::Host(nginx) => nginx,
            Nginx::Container(_) => panic!("the nginx is in a container"),
        }
    }

    /// The file that tells nginx which slot is live.
    pub(super) fn marker(&self) -> PathBuf {
        match &self.stage.nginx {
            Nginx::Host(nginx) => nginx.state_dir().join(&self.stage.app).join("green"),
            Nginx::Container(_) => panic!("the nginx is in a container"),
        }
    }

    /// What is before the registry.
    ///
    /// # Errors
    /// On other grounds than [`Ground::Registry`].
    pub(super) fn relay(&self) -> Result<&Relay> {
        self.relay.as_ref().ok_or_else(|| unexpected("the world", "there is nothing before its registry"))
    }

    /// The stand-in for Slack.
    ///
    /// # Errors
    /// On other grounds than [`Ground::Slack`].
    pub(super) fn slack(&self) -> Result<&Slack> {
        self.slack.as_ref().ok_or_else(|| unexpected("the world", "it has no Slack"))
    }

    /// The command will find the live slot down or the other live, and so leave what stands by where it is.
    pub(super) fn standby_stays(&mut self) {
        let other = (0..3).find(|release| ![self.live, self.standby].contains(release));
        self.standby = other.unwrap_or_default();
    }

    /// Runs `backup`.
    ///
    /// # Errors
    /// When it does not end well.
    pub(super) async fn back_up(&mut self) -> Result<()> {
        let ran = self.run(&words(&["backup"])).await?;
        self.standby = self.live;
        if ran.status == Some(0) { Ok(()) } else { Err(unexpected("backup", ran.stderr)) }
    }

    /// Gives the program this in its environment; what it had of that name before.
    pub(super) fn env(&mut self, key: &str, value: &str) -> String {
        let before = self.env.iter().position(|(there, _)| there == key).map(|at| self.env.swap_remove(at).1);
        self.env.push((key.to_owned(), value.to_owned()));
        before.unwrap_or_default()
    }

    /// Has requests to the engine fare so, until the fault is mended.
    pub(super) fn strike_wire(&mut self, manner: Manner) {
        self.struck = true;
        self.wire.now(manner);
    }

    /// The engine of [`Ground::Engine`].
    ///
    /// # Errors
    /// On another ground.
    pub(super) fn engine(&mut self) -> Result<&mut PrivateEngine> {
        let engine = self.kept.iter_mut().find_map(|kept| kept.downcast_mut());
        engine.ok_or_else(|| unexpected("the world", "it has no engine of its own"))
    }

    /// The version that is live once the command that was asked for last has ended well.
    pub(super) fn version(&self) -> &'static str {
        ["0", "1", "2"][self.live]
    }

    /// The version that is live until then.
    pub(super) fn serving(&self) -> &'static str {
        ["0", "1", "2"][self.served]
    }

    /// The image of it.
    pub(super) fn image(&self) -> &str {
        &self.images[self.live]
    }

    /// Gets everything ready for this command, and gives its arguments.
    ///
    /// # Errors
    /// When a deploy that has to come first fails.
    pub(super) async fn command(&mut self, command: Command) -> Result<Vec<String>> {
        match command {
            Command::Deploy | Command::DeployChanged | Command::Ship => {
                let next = (0..3).find(|release| ![self.live, self.standby].contains(release));
                self.served = self.live;
                (self.live, self.standby) = (next.unwrap_or_default(), self.live);
                self.deployed += 1;
                if command == Command::DeployChanged {
                    self.change_site()?;
                }
                let name = if command == Command::Ship { "ship" } else { "deploy" };
                self.standby = if command == Command::Ship { self.live } else { self.standby };
                Ok([name, "--json", "--image", self.image()].map(str::to_owned).to_vec())
            }
            Command::Backup => {
                let deploy = Box::pin(self.command(Command::Deploy)).await?;
                self.ends_well(&deploy).await?;
                (self.served, self.standby) = (self.live, self.live);
                Ok(["backup", "--json"].map(str::to_owned).to_vec())
            }
            Command::Rollback => {
                // After a backup the standby holds the same release, and there is nothing behind it to go back to.
                let deploy = Box::pin(self.command(Command::Deploy)).await?;
                self.ends_well(&deploy).await?;
                self.served = self.live;
                std::mem::swap(&mut self.live, &mut self.standby);
                Ok(["rollback", "--json"].map(str::to_owned).to_vec())
            }
        }
    }

    /// Changes the site in the configuration, so that nginx has to be given another.
    fn change_site(&mut self) -> Result<()> {
        self.changes += 1;
        let path = self.stage.config();
        let shown = path.display().to_string();
        let old = std::fs::read_to_string(&path).doing(format!("read {shown}"))?;
        let of_site = |line: &str| line.starts_with("site = ");
        let site =
            format!("site = {{ listen = \"{}\", max_body = \"{}m\" }}", self.stage.site(), self.changes);
        let new: Vec<&str> =
            old.lines().map(|line| if of_site(line) { site.as_str() } else { line }).collect();
        std::fs::write(&path, new.join("\n") + "\n").doing(format!("write {shown}"))
    }

    /// Starts the program, with the engine at the end of the wire.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(super) fn start(&self, arguments: &[String]) -> Result<Session> {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = self.stage.command(&arguments);
        command.env("DOCKER_HOST", self.wire.host()).envs(self.env.iter().cloned());
        Session::start(self.wrapped(command))
    }

    /// The command as what wraps it starts it.
    fn wrapped(&self, command: std::process::Command) -> std::process::Command {
        let Some((first, rest)) = self.wrap.split_first() else { return command };
        let mut wrapped = std::process::Command::new(first);
        wrapped.args(rest).arg(command.get_program()).args(command.get_args()).env_clear();
        wrapped.envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        wrapped
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// When it does not end in time.
    pub(super) async fn run(&self, arguments: &[String]) -> Result<Ran> {
        self.start(arguments)?.end(LONG).await
    }

    /// Runs the command, which is to reach the wanted world from whatever there is.
    ///
    /// # Errors
    /// What is not as it must be.
    pub(super) async fn ends_well(&self, arguments: &[String]) -> Result<()> {
        let ran = self.run(arguments).await?;
        let what = || format!("`cutover {}`", arguments[0]);
        if ran.status != Some(0) {
            return Err(unexpected(what(), format!("ended with {:?}: {}", ran.status, ran.stderr)));
        }
        let (app, status) = (&self.stage.app, self.run(&words(&["status", "--json"])).await?);
        let status: serde_json::Value = serde_json::from_str(&status.stdout)
            .map_err(|error| unexpected("status", format!("{error}: {}", status.stderr)))?;
        let slot = &status["slots"][status["live"].as_str().unwrap_or_default()];
        let well =
            slot["healthy"] == true && slot["image"] == self.image() && status["nginx_current"] == true;
        let there = self.stage.containers().await?;
        let slots = if self.deployed == 1 { &["blue"][..] } else { &["blue", "green"] };
        let wanted: Vec<String> = slots.iter().map(|slot| format!("{app}-{slot}-1 running")).collect();
        let page = self.stage.page(self.stage.site(), app, "/").await?;
        let answers = page == (200, format!("version {}\n", self.version()));
        if !well || !answers || there != wanted {
            return Err(unexpected(what(), format!("left {there:?}, {page:?}, {status:#}")));
        }
        Ok(())
    }

    /// The exit status of `doctor`, and what it names as a problem or worth mending: `nginx.running (problem)`.
    ///
    /// # Errors
    /// When it does not end in time, or answers something else.
    pub(super) async fn doctor(&self) -> Result<(Option<i32>, BTreeSet<String>)> {
        let ran = self.run(&words(&["doctor", "--json"])).await?;
        let all: serde_json::Value = serde_json::from_str(&ran.stdout)
            .map_err(|error| unexpected("doctor", format!("{error}: {}{}", ran.stdout, ran.stderr)))?;
        let grave = |check: &&serde_json::Value| check["state"] == "problem" || check["state"] == "warning";
        let told = |check: &serde_json::Value| {
            let word = |key: &str| check[key].as_str().unwrap_or_default().to_owned();
            format!("{} ({})", word("name"), word("state"))
        };
        let checks = all["checks"].as_array().into_iter().flatten();
        Ok((ran.status, checks.filter(grave).map(told).collect()))
    }

    /// The requests to the engine that lead to a phase of a command; its first is the last of them.
    pub(super) fn leads_to(command: Command, phase: Phase) -> Vec<Ask> {
        const STARTED: Ask = ("POST", "/containers/*/start");
        const LOOK: Ask = ("GET", "/containers/json");
        const WATCH: Ask = ("POST", "/containers/*/wait");
        let install = usize::from(command == Command::DeployChanged);
        let soak = usize::from(command != Command::Backup);
        let looks = |count: usize| [vec![STARTED], vec![LOOK; count]].concat();
        match phase {
            Phase::Before => Vec::new(),
            Phase::Pull => vec![("POST", "/images/create")],
            Phase::Retire => vec![("POST", "/containers/*/stop")],
            Phase::Place => vec![("POST", "/containers/create")],
            Phase::Start => vec![STARTED],
            Phase::Gate => looks(1),
            Phase::Install => looks(2),
            Phase::GateThrough => looks(2 + install),
            Phase::Soak => [looks(3 + install), vec![WATCH]].concat(),
            Phase::Accept => looks(3 + install + soak),
        }
    }
}

fn parsed(address: &str) -> Result<SocketAddr> {
    address.parse().map_err(|error| unexpected(address, error))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
