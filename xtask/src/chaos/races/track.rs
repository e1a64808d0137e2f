//! What races are run on: an app with two releases, load on it, and a judge.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::rig::error::{Result, unexpected};
use crate::rig::load::{Config, Load, Report};
use crate::rig::needs;
use crate::rig::session::Session;
use crate::rig::stage::{Ran, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
pub(super) const SOON: Duration = Duration::from_secs(60);
/// For a run that waits for all the others.
pub(super) const LONG: Duration = Duration::from_secs(900);

/// An app of which one release is live and another stands by, under load.
pub(super) struct Track {
    pub(super) stage: Stage,
    load: Option<Load>,
    wrong: Vec<String>,
    built: usize,
}

impl Track {
    pub(super) async fn new(program: &Path) -> Result<Self> {
        let stage = Stage::on_host(program, needs::nginx()).await?.with("drain = \"2s\"\nsoak = \"1s\"")?;
        let mut track = Self { stage, load: None, wrong: Vec::new(), built: 0 };
        for _ in 0..2 {
            let image = track.release().await?;
            let ran = track.stage.cutover(&["deploy", "--image", &image]).await;
            if ran.status != Some(0) {
                return Err(unexpected("the first deploys", ran.stderr));
            }
        }
        // No connection is kept: an old nginx closes those at a reload, which apps of one nginx bring about.
        let load =
            Load::start(Config::at(track.stage.site()).workers(0, 3, 1).pace(Duration::from_millis(5)));
        load.answered_by("1", SOON).await?;
        track.load = Some(load);
        Ok(track)
    }

    /// A release that is nowhere yet; the reference. Its version is its number.
    pub(super) async fn release(&mut self) -> Result<String> {
        let version = self.built.to_string();
        self.built += 1;
        self.stage.release(&version, &[]).await
    }

    pub(super) async fn releases(&mut self, count: usize) -> Result<Vec<String>> {
        let mut images = Vec::new();
        for _ in 0..count {
            images.push(self.release().await?);
        }
        Ok(images)
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Result<Session> {
        Session::start(self.stage.command(arguments))
    }

    /// Holds that this is so.
    pub(super) fn hold(&mut self, holds: bool, wrong: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(wrong());
        }
    }

    /// Holds that a run ended with 0.
    pub(super) fn ended_well(&mut self, ran: &Ran) {
        self.hold(ran.status == Some(0), || format!("ended with {:?}: {}", ran.status, ran.stderr));
    }

    /// What the program says in JSON.
    pub(super) async fn told(&mut self, arguments: &[&str]) -> Value {
        let ran = self.stage.cutover(arguments).await;
        let told = serde_json::from_str(&ran.stdout);
        self.hold(told.is_ok(), || format!("{arguments:?} is torn: {ran:?}"));
        told.unwrap_or_default()
    }

    /// The runs of the history, oldest first.
    pub(super) async fn history(&mut self) -> Vec<Value> {
        let history = self.told(&["history", "--json", "--limit", "1000"]).await;
        history["entries"].as_array().cloned().unwrap_or_default()
    }

    /// Holds that every run of the history began where the one before it ended, and that all is settled.
    pub(super) async fn in_turn(&mut self) -> Result<()> {
        let history = self.history().await;
        for pair in history.windows(2) {
            let (one, next) = (&pair[0], &pair[1]);
            self.hold(one["live"] == next["from"], || {
                format!("a run went on from what was so no more: {one} {next}")
            });
        }
        self.settled().await
    }

    /// Holds that the end of the history's last run is what is there, and that nothing is beside it.
    pub(super) async fn settled(&mut self) -> Result<()> {
        let (history, status) = (self.history().await, self.told(&["status", "--json"]).await);
        let live = status["live"].clone();
        self.hold(history.last().is_some_and(|last| last["live"] == live), || {
            format!("the last of {history:?} is not live: {status}")
        });
        let there = self.stage.containers().await?;
        let wanted = ["blue", "green"].map(|slot| format!("{}-{slot}-1 running", self.stage.app));
        self.hold(there == wanted, || format!("{there:?} is left"));
        Ok(())
    }

    /// Ends the load.
    pub(super) async fn end(&mut self) -> Option<Report> {
        match self.load.take() {
            Some(load) => Some(load.stop().await),
            None => None,
        }
    }

    pub(super) fn wrong(self) -> Vec<String> {
        self.wrong
    }
}
