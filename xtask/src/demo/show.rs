//! The demo itself: one app on a stage, its releases, and the load that goes on through all of it.

use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use super::account::{Account, Act, Stream};
use super::notice;
use super::table::time;
use super::timeline::{Period, timeline};
use crate::ready::say;
use crate::rig::error::{Doing as _, Result};
use crate::rig::load::{Config, Load, Report};
use crate::rig::needs;
use crate::rig::probe::{Seen, SseProbe, WebSocketProbe};
use crate::rig::slack::Slack;
use crate::rig::stage::{Nginx, Stage};

/// How long a new release is watched, as the demo's configuration says it.
const SOAK: Duration = Duration::from_secs(2);

/// How long each version is left to answer before the next command, so that the table shows it.
const SHOWN: Duration = Duration::from_millis(500);

/// How long an answer of a version may be waited for.
const SOON: Duration = Duration::from_secs(10);

/// The app's settings.
const SETTINGS: &str = "soak = \"2s\"\ndrain = \"3s\"\nhealth = { path = \"/healthz\", timeout = \"2s\" }";

/// Where notices go.
const TABLES: &str = "[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK_URL\" }\n\
                      mention = { failure = [\"here\"] }";

/// Everything that the demo stands on. It goes on drop.
#[derive(Debug)]
pub struct Show {
    stage: Stage,
    slack: Slack,
    acts: Vec<Played>,
}

/// A command that was run, and when it had ended.
#[derive(Clone, Debug)]
struct Played {
    act: Act,
    ended: Instant,
    stderr: String,
}

impl Show {
    /// Starts the registry, nginx and the stand-in for Slack, for this program as `cutover`.
    ///
    /// # Errors
    ///
    /// When a part does not start.
    pub async fn set(program: &Path) -> Result<Self> {
        say("— Starting a registry with token authentication, an nginx, and a stand-in for Slack");
        let stage = Stage::on_host(program, needs::nginx()).await?.with(SETTINGS)?.with_tables(TABLES)?;
        say(&format!("  the configuration is {}", stage.config().display()));
        Ok(Self { stage, slack: Slack::start().await?, acts: Vec::new() })
    }

    /// Plays the whole demo.
    ///
    /// # Errors
    ///
    /// When a part fails, or a command cannot be run. What the commands did wrong is in the account instead.
    pub async fn play(&mut self) -> Result<Account> {
        say("— Building two versions of the example service and a broken third, and pushing them");
        let one = self.stage.release("1", &[]).await?;
        let two = self.stage.release("2", &[]).await?;
        let broken = self.stage.release("3", &[("MODE", "unhealthy")]).await?;

        say("— Deploying the first version");
        self.cutover("deploy version 1, the first", &["deploy", "--image", &one], 0).await?;

        say("— Putting load on the site: kept-alive and fresh connections, GET and POST, slow answers");
        let site = self.stage.site();
        let load = Config::at(site).workers(8, 4, 2).pace(Duration::from_millis(4));
        let load = Load::start(load);
        let host = site.to_string();
        let socket = WebSocketProbe::open(site, &host).await?;
        let events = SseProbe::open(site, &host).await?;
        let mut marks = vec![self.shown(&load, "1").await?];

        say("— Shipping the second: deploy, watch it for 2 s, bring the standby up to it, tell Slack");
        self.cutover("ship version 2", &["ship", "--image", &two], 0).await?;
        marks.push(self.shown(&load, "2").await?);

        say("— Trying the broken third");
        self.cutover("ship version 3, the broken one", &["ship", "--image", &broken], 4).await?;
        marks.push(self.shown(&load, "2").await?);

        say("— Going back. The standby holds version 2 as well by now, so version 1 is started anew");
        self.cutover("rollback to version 1, started anew", &["rollback"], 0).await?;
        marks.push(self.shown(&load, "1").await?);

        say("— And forward and back again: now each version stands by for the other");
        for version in ["2", "1", "2"] {
            self.cutover(&format!("rollback to version {version}, warm"), &["rollback"], 0).await?;
            marks.push(self.shown(&load, version).await?);
        }
        let streams = [("websocket", socket.stop()), ("event stream", events.stop())];
        let report = load.stop().await;
        self.account(&report, &marks, streams).await
    }

    /// Lets a version answer for a while; when it was left to, until when, and which.
    async fn shown<'v>(&self, load: &Load, version: &'v str) -> Result<Mark<'v>> {
        let from = self.acts.last().map_or_else(Instant::now, |played| played.ended);
        load.answered_by(version, SOON).await?;
        tokio::time::sleep(SHOWN).await;
        Ok(Mark { version, from, until: Instant::now() })
    }

    /// Runs a command as a user would type it, and shows it with what it says.
    async fn cutover(&mut self, what: &str, arguments: &[&str], expected: i32) -> Result<()> {
        say(&format!("  $ {}", self.typed(arguments)));
        let mut command = self.stage.command(arguments);
        command.env("SLACK_WEBHOOK_URL", self.slack.url());
        let began = Instant::now();
        let (status, stdout, stderr) = shown_live(command).await.doing("run cutover")?;
        let ended = Instant::now();
        stdout.lines().for_each(|line| say(&format!("  │ {line}")));
        let took = ended - began;
        let told = status.map_or_else(|| "a signal".to_owned(), |status| format!("exit status {status}"));
        say(&format!("  {told} after {}", time(took)));
        let act = Act { what: what.to_owned(), expected, status, took, phases: Vec::new() };
        self.acts.push(Played { act, ended, stderr });
        Ok(())
    }

    fn typed(&self, arguments: &[&str]) -> String {
        format!("cargo xtask -c {} {}", self.stage.config().display(), arguments.join(" "))
    }

    async fn account(
        &self,
        report: &Report,
        marks: &[Mark<'_>],
        streams: [(&'static str, Seen); 2],
    ) -> Result<Account> {
        let mut acts: Vec<Act> = self.acts.iter().map(|played| played.act.clone()).collect();
        let entries = self.history().await?;
        let switch =
            phases_of(&entries, "ship").iter().find(|(name, _)| name == "switch").map(|(_, took)| *took);
        for (act, command) in acts.iter_mut().zip(["deploy", "ship"]) {
            act.phases = phases_of(&entries, command);
            act.phases.truncate(4);
        }
        if let Some(ship) = acts.get_mut(1) {
            let backup = phases_of(&entries, "backup").iter().map(|(_, took)| *took).sum();
            ship.phases.push(("then backup".to_owned(), backup));
        }
        let shipped = report.answers_from("2").first();
        let rejected = self.acts.iter().find(|played| played.act.expected == 4);
        let bodies = self.slack.received();
        Ok(Account {
            debug_build: cfg!(debug_assertions),
            sent: report.sent,
            failed: report.failed,
            failures: report.failures.clone(),
            stale: marks.iter().map(|mark| mark.stale(report)).sum(),
            streams: streams.map(|(name, seen)| stream(name, seen, shipped)).into(),
            timeline: counted(report),
            switch,
            acts,
            rejection: rejected.map_or_else(String::new, |played| error_of(&played.stderr)),
            notices: bodies.iter().map(notice::lines).collect(),
        })
    }

    async fn history(&self) -> Result<Vec<Value>> {
        let mut command = tokio::process::Command::from(self.stage.command(&["history", "--json"]));
        let output = command.output().await.doing("run cutover history")?;
        let history: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok(history["entries"].as_array().cloned().unwrap_or_default())
    }

    /// What to look at while everything runs on, and how to end it.
    #[must_use]
    pub fn directions(&self) -> String {
        let login = self.stage.registry.auth().login();
        let password = login.map_or("", |(_, password)| password.expose_secret());
        format!(
            "\nEverything runs on until Ctrl-C, which removes it. From another terminal:\n\n  \
             the site             curl -i http://{}/\n  \
             the preview route    curl -i -H 'Host: {}' http://{}/\n  \
             the configuration    {}\n  \
             for its secrets      export REGISTRY_PASSWORD={password} SLACK_WEBHOOK_URL={}\n  \
             what is live         {}\n  \
             what was deployed    {}\n  \
             back, and forth      {}\n  \
             the nginx files      {}\n",
            self.stage.site(),
            self.stage.preview_host(),
            self.stage.control(),
            self.stage.config().display(),
            self.slack.url(),
            self.typed(&["status"]),
            self.typed(&["history"]),
            self.typed(&["rollback"]),
            self.nginx_files(),
        )
    }

    fn nginx_files(&self) -> String {
        match &self.stage.nginx {
            Nginx::Host(nginx) => nginx.conf_dir().display().to_string(),
            Nginx::Container(nginx) => format!("{} in {}", nginx.conf_dir_inside().display(), nginx.name()),
        }
    }
}

/// A time in which one version alone had to answer.
#[derive(Clone, Copy, Debug)]
struct Mark<'v> {
    version: &'v str,
    from: Instant,
    until: Instant,
}

impl Mark<'_> {
    /// How many requests sent in this time another version answered.
    fn stale(self, report: &Report) -> usize {
        let others = report.versions().into_iter().filter(|version| *version != self.version);
        let within = |version| {
            let answers = report.answers_from(version);
            answers.after(self.from) - answers.after(self.until)
        };
        others.map(within).sum()
    }
}

/// Runs a command with its narration shown as it comes; its status, stdout and stderr.
async fn shown_live(command: std::process::Command) -> io::Result<(Option<i32>, String, String)> {
    let mut command = tokio::process::Command::from(command);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let narration = async {
        let mut text = String::new();
        let Some(stderr) = stderr else { return Ok(text) };
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await? {
            say(&format!("  │ {line}"));
            text.push_str(&line);
            text.push('\n');
        }
        io::Result::Ok(text)
    };
    let data = async {
        let mut text = String::new();
        if let Some(mut stdout) = stdout {
            stdout.read_to_string(&mut text).await?;
        }
        io::Result::Ok(text)
    };
    let (stderr, stdout, status) = tokio::try_join!(narration, data, child.wait())?;
    Ok((status.code(), stdout, stderr))
}

/// The phases of the first run of a command, in the order of their length.
fn phases_of(entries: &[Value], command: &str) -> Vec<(String, Duration)> {
    let entry = entries.iter().find(|entry| entry["command"] == command);
    let phases = entry.and_then(|entry| entry["phases"].as_object()).into_iter().flatten();
    let mut phases: Vec<(String, Duration)> = phases
        .filter_map(|(name, took)| Some((name.clone(), Duration::try_from_secs_f64(took.as_f64()?).ok()?)))
        .collect();
    phases.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    phases
}

/// The error and what follows it, without the narration before.
fn error_of(stderr: &str) -> String {
    let lines = stderr.lines().skip_while(|line| !line.starts_with("error"));
    lines.collect::<Vec<_>>().join("\n")
}

fn stream(name: &'static str, seen: Seen, switched: Option<Instant>) -> Stream {
    let past_switch =
        seen.last.zip(switched).and_then(|(last, switched)| last.checked_duration_since(switched));
    Stream {
        name,
        messages: seen.messages,
        past_switch,
        due: SOAK,
        end: seen.closed.map(|closed| closed.how),
    }
}

fn counted(report: &Report) -> Vec<Period> {
    let changes = report.transitions();
    let changes: Vec<_> = changes.iter().map(|(at, version)| (*at - report.started, *version)).collect();
    let mut periods = timeline(&changes, report.took);
    for period in &mut periods {
        let answers = report.answers_from(&period.version);
        let (from, until) = (report.started + period.from, report.started + period.until);
        period.answers = answers.before(until).saturating_sub(answers.before(from));
    }
    periods
}
