//! One round: a release, and what else happens to releases.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::Signal;

use super::Look;
use super::look::Peaks;
use crate::rig::background;
use crate::rig::error::{Error, Result};
use crate::rig::load::Load;
use crate::rig::process::mebibytes;
use crate::rig::session::Session;
use crate::rig::stage::{Ran, Stage};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

/// Between two looks at the memory of a run. The peak that the kernel keeps only grows.
const BETWEEN: Duration = Duration::from_millis(2);

/// How many kinds of rounds there are, each a release of its own.
pub(super) const KINDS: usize = 4;

/// Where a run is cut, each in its turn.
const CUTS: [&str; 6] = [
    "pull the image ...",
    "stop the old release in ",
    "start release ",
    " directly ...",
    " through nginx ...",
    "watch ",
];

/// Plays rounds on a stage.
pub(super) struct Player {
    stage: Stage,
    broken: String,
    runs: usize,
    peaks: Peaks,
}

impl Player {
    /// With the first release live.
    pub(super) async fn new(mut stage: Stage) -> Result<Self> {
        let broken = stage.release("broken", &[("MODE", "unhealthy")]).await?;
        let first = stage.release("first", &[]).await?;
        stage.forget_built();
        let mut player = Self { stage, broken, runs: 0, peaks: Peaks::default() };
        let mut faults = Vec::new();
        player.run(&["deploy", "--image", &first], 0, &mut faults).await?;
        match faults.pop() {
            Some(fault) => Err(crate::rig::unexpected("the first release", fault)),
            None => Ok(player),
        }
    }

    pub(super) fn site(&self) -> SocketAddr {
        self.stage.site()
    }

    pub(super) fn runs(&self) -> usize {
        self.runs
    }

    pub(super) fn reloads(&self) -> usize {
        self.stage.nginx.reloads()
    }

    pub(super) async fn look(&self) -> Result<Look> {
        Look::at(&self.stage, self.peaks).await
    }

    /// Plays a round; what was not as it must be.
    pub(super) async fn play(&mut self, round: usize, load: &Load) -> Result<Vec<String>> {
        self.peaks = Peaks::default();
        let mut faults = Vec::new();
        let (version, cut) = (round.to_string(), CUTS[round / KINDS % CUTS.len()]);
        let image = self.stage.release(&version, &[]).await?;
        self.stage.forget_built();
        let deploy = ["deploy", "--json", "--image", image.as_str()];
        match round % KINDS {
            0 => {}
            1 => {
                self.run(&deploy, 0, &mut faults).await?;
                self.run(&["rollback"], 0, &mut faults).await?;
                self.run(&["rollback"], 0, &mut faults).await?;
            }
            2 => {
                let broken = self.broken.clone();
                self.run(&["deploy", "--image", &broken], 4, &mut faults).await?;
            }
            _ => {
                let signal = if (round / KINDS).is_multiple_of(2) { Signal::TERM } else { Signal::KILL };
                self.cut(&deploy, cut, signal, &mut faults).await?;
            }
        }
        // After a cut and after going back and forth, this is the same command again.
        self.run(&deploy, 0, &mut faults).await?;
        self.run(&["backup", "--json"], 0, &mut faults).await?;
        self.holds(&version, load, &mut faults).await?;
        Ok(faults.into_iter().map(|fault| format!("round {round}: {fault}")).collect())
    }

    /// The new release answers, and its two containers are all there is.
    async fn holds(&self, version: &str, load: &Load, faults: &mut Vec<String>) -> Result<()> {
        match load.answered_by(version, SOON).await {
            Err(Error::Late { what, .. }) => faults.push(format!("never: {what}")),
            other => other?,
        }
        let wanted = ["blue", "green"].map(|slot| format!("{}-{slot}-1 running", self.stage.app));
        let found = self.stage.containers().await?;
        if found != wanted {
            faults.push(format!("the containers are {found:?}"));
        }
        Ok(())
    }

    /// Runs the program, which is to end with that status.
    async fn run(&mut self, arguments: &[&str], status: i32, faults: &mut Vec<String>) -> Result<()> {
        let session = self.start(arguments)?;
        let peak = peak(session.pid());
        let ran = session.end(LONG).await?;
        let peak = peak.await;
        match arguments[0] {
            "deploy" => self.peaks.deploy = higher(self.peaks.deploy, peak),
            "backup" => self.peaks.backup = higher(self.peaks.backup, peak),
            _ => self.peaks.rollback = higher(self.peaks.rollback, peak),
        }
        if ran.status != Some(status) {
            faults.push(ended(arguments, &ran));
        }
        Ok(())
    }

    /// Runs the program until it tells those words, and ends it there by the signal.
    async fn cut(
        &mut self,
        arguments: &[&str],
        words: &str,
        signal: Signal,
        faults: &mut Vec<String>,
    ) -> Result<()> {
        let mut session = self.start(arguments)?;
        session.tells(words, SOON).await?;
        session.signal(signal)?;
        let ran = session.end(LONG).await?;
        let well = match signal {
            Signal::KILL => ran.status.is_none(),
            // It may have ended just before.
            _ => matches!(ran.status, Some(7 | 0)),
        };
        if !well {
            faults.push(format!("{signal:?} at `{words}`: {}", ended(arguments, &ran)));
        }
        Ok(())
    }

    fn start(&mut self, arguments: &[&str]) -> Result<Session> {
        self.runs += 1;
        Session::start(self.stage.command(arguments))
    }
}

fn ended(arguments: &[&str], ran: &Ran) -> String {
    format!("`{}` ended with {:?}: {}", arguments.join(" "), ran.status, ran.stderr.trim())
}

fn higher(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.into_iter().chain(other).max_by(f64::total_cmp)
}

/// The peak of a process's memory, in MiB, once it has ended. The looking begins at once.
fn peak(process: u32) -> impl Future<Output = Option<f64>> {
    let looking = background::handle().spawn_blocking(move || {
        let mut peak = None;
        // A process that has ended has no memory to tell of.
        while let Ok(status) = std::fs::read_to_string(format!("/proc/{process}/status"))
            && let Some(seen) = mebibytes(&status, "VmHWM")
        {
            peak = Some(seen);
            std::thread::sleep(BETWEEN);
        }
        peak
    });
    async { looking.await.ok().flatten() }
}
