//! One run of a command that changes an app: observe, plan, apply; and where a step fails, plan the way back.

use std::collections::BTreeMap;
use std::time::Instant;

use cutover_proxyconf::Slot;
use tokio_util::sync::CancellationToken;

use crate::apply::{Apply, Stopped};
use crate::failure::{Exit, Failure};
use crate::history::{self, Entry};
use crate::lock::Lock;
use crate::observe::{Observed, observe};
use crate::origin::Origin;
use crate::outcome::{Commit, Outcome, Result as Ended};
use crate::plan::{Ending, Goal, Live, Step, plan};
use crate::probe::Answers;
use crate::record::{self, Recorder};
use crate::release::{Release, label};
use crate::report::{Event, Report};
use crate::target::Target;

/// A run under the app's lock.
pub struct Run<'a> {
    /// The app, its engine and its edge.
    pub target: &'a Target<'a>,
    /// Who is told as it goes.
    pub report: &'a dyn Report,
    /// Who keeps the record of it; it hears of it by `report`.
    pub recorder: &'a Recorder<'a>,
    /// Set when a signal came.
    pub interrupt: CancellationToken,
    /// Who runs it.
    pub origin: &'a Origin,
    /// The app's lock.
    pub lock: &'a Lock,
    /// When the command began.
    pub began: Instant,
    /// The command's name, for the history.
    pub command: &'static str,
}

/// How a run ended, and the failure if it did not reach its goal.
#[derive(Debug)]
pub struct Ran {
    /// The account of it.
    pub outcome: Outcome,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// How the requests of its probe were answered.
    pub answers: Option<Answers>,
}

impl Run<'_> {
    /// Goes for the goal. `phases` are those before it, such as finding the release, each with its seconds.
    ///
    /// # Errors
    /// What kept it from beginning; nothing was touched then. A run that began always has an outcome.
    pub async fn go(
        &self,
        goal: &Goal,
        release: Option<&Release>,
        phases: &[(&str, f64)],
    ) -> Result<Ran, Failure> {
        let looking = Instant::now();
        let before = observe(self.target, release).await?;
        let planned = plan(&before.world, goal)?;
        let mut apply = Apply::new(self.target, release, self.report, self.interrupt.clone());
        apply.listen(&planned).await?;
        apply.account("observe", looking.elapsed());
        self.recorder.begin(before.live(), &self.interrupt).await;
        let ran = apply.run(&planned).await;
        apply.fall_silent().await;
        let guarded = apply.guarded;
        let failed = match ran {
            Ok(()) => None,
            Err((step, stopped)) => Some(self.back(&before, &mut apply, &step, stopped, goal).await),
        };
        let ended = match &failed {
            None => self.ending(planned.ending),
            Some(failure) => named(failure),
        };
        let answers = self.recorder.end(&self.interrupt).await;
        if answers.is_some() {
            apply.account("probe", self.recorder.waited());
        }
        let before_it = phases.iter().map(|(name, took)| ((*name).to_owned(), *took));
        let of_it = apply.phases.iter().map(|(name, took)| (name.clone(), took.as_secs_f64()));
        let phases: BTreeMap<String, f64> = before_it.chain(of_it).collect();
        let mut outcome =
            self.account(&before, ended, release, (apply.reloads, phases), failed.as_ref()).await;
        outcome.probe = answers.as_ref().map(Answers::figures);
        outcome.guard = guarded;
        self.record(&outcome, answers.as_ref()).await;
        Ok(Ran { outcome, failure: failed, answers })
    }

    fn ending(&self, ending: Ending) -> Ended {
        match ending {
            Ending::Unchanged => Ended::Unchanged,
            Ending::Deployed => Ended::Deployed,
            Ending::Waiting => Ended::Waiting,
            Ending::RolledBack => Ended::RolledBack,
            Ending::Aborted => Ended::Aborted,
            Ending::BackedUp => Ended::BackedUp,
        }
    }

    /// After a step that was not done: leaves traffic on a healthy release and the slots as they were, and says so.
    async fn back(
        &self,
        before: &Observed,
        apply: &mut Apply<'_>,
        step: &Step,
        stopped: Stopped,
        goal: &Goal,
    ) -> Failure {
        let (failure, stay) = match stopped {
            Stopped::Failed(failure) => (failure, false),
            Stopped::Interrupted => {
                let words = format!("interrupted while cutover was to {step}");
                // What is watched or accepted is live by then, but for a backup.
                let live =
                    matches!(step, Step::Soak(_) | Step::Accept(_)) && !matches!(goal, Goal::Backup { .. });
                (Failure::new(Exit::Interrupted, words), apply.switched || live)
            }
        };
        if stay {
            return failure
                .serves("the new release is live and healthy")
                .next("the same command again ends the rest");
        }
        if matches!(goal, Goal::Abort { .. }) {
            return failure.next("the same command again ends the rest");
        }
        // With no release before, none can be back.
        let first = before.live().is_none() && failure.exit() == Exit::RolledBack;
        let failure = if first { failure.exiting(Exit::Unhealthy) } else { failure };
        let failure = match (failure.mend(), failure.exit()) {
            (None, Exit::Unhealthy | Exit::RolledBack) => {
                failure.next("mend the release, then run the same command again")
            }
            _ => failure,
        };
        match self.undo(before, apply).await {
            Ok(true) => failure.serves(self.now().await),
            Ok(false) => failure.serves(format!("nothing was changed; {}", self.now().await)),
            Err(undoing) => {
                self.report.tell(Event::Warning(&format!("going back failed too: {undoing}")));
                let exit = match failure.exit() {
                    // What keeps traffic from going back is what is to be mended.
                    Exit::RolledBack if undoing.exit() == Exit::Unreachable => Exit::Unreachable,
                    Exit::RolledBack => Exit::Fault,
                    other => other,
                };
                failure
                    .exiting(exit)
                    .serves(self.now().await)
                    .next("mend what is named above, then run `cutover abort` or the same command again")
            }
        }
    }

    /// Does the plan of [`Goal::Abort`] for what there is now; whether there was anything to do.
    async fn undo(&self, before: &Observed, apply: &mut Apply<'_>) -> Result<bool, Failure> {
        let now = observe(self.target, None).await?;
        let first = matches!(before.world.live, Live::Unserved { .. })
            && before.world.live_slot().healthy().is_none();
        let Ok(planned) = plan(&now.world, &Goal::Abort { withdraw: first }) else { return Ok(false) };
        // The way back is not cut short by the signal that made it necessary.
        let mut back = Apply::new(self.target, None, self.report, CancellationToken::new());
        let ran = back.run(&planned).await;
        apply.reloads += back.reloads;
        for (phase, took) in back.phases {
            apply.account(&format!("back-{phase}"), took);
        }
        match ran {
            Ok(()) => Ok(true),
            Err((_, Stopped::Failed(failure))) => Err(failure),
            Err((step, Stopped::Interrupted)) => Err(Failure::new(Exit::Interrupted, step.to_string())),
        }
    }

    /// What serves now, in words.
    async fn now(&self) -> String {
        match observe(self.target, None).await {
            Ok(observed) => match (observed.live(), observed.world.live_slot().healthy()) {
                (Some(slot), Some(_)) => {
                    let image = observed.label(slot, label::IMAGE).unwrap_or("a release");
                    format!("{slot} serves {image}")
                }
                (Some(slot), None) => format!("{slot} is live and does not answer as it should"),
                (None, _) => "nothing is live".to_owned(),
            },
            Err(failure) => format!("what serves is not known: {failure}"),
        }
    }

    async fn account(
        &self,
        before: &Observed,
        ended: Ended,
        release: Option<&Release>,
        (reloads, phases): (u32, BTreeMap<String, f64>),
        failed: Option<&Failure>,
    ) -> Outcome {
        let after = observe_live(self.target).await;
        let from = before.live();
        let previous = from.and_then(|slot| before.label(slot, label::DIGEST));
        let (live, mut digest, mut image, mut id, commit) = after;
        let asked = release.map(|release| release.digest.to_string());
        let commit = commit.filter(|_| asked.is_none() || asked == digest);
        if let Some(release) = release {
            digest = Some(release.digest.to_string());
            image = Some(release.image.to_string());
            id = Some(release.id.to_string());
        } else if ended == Ended::Waiting || ended == Ended::Aborted {
            id = None;
        }
        Outcome {
            app: self.target.name.to_string(),
            outcome: ended,
            live: live.map(|slot| slot.to_string()),
            from: from.map(|slot| slot.to_string()),
            release: id,
            image,
            digest,
            previous: previous.map(str::to_owned),
            commit,
            previous_commit: from.and_then(|slot| Commit::of(|label| before.label(slot, label))),
            reloads,
            phases,
            took: self.began.elapsed().as_secs_f64(),
            probe: None,
            guard: None,
            preview: (ended == Ended::Waiting).then(|| self.target.preview()),
            reason: failed.map(Failure::reason),
            logs: failed.map(|failure| failure.log_lines().to_vec()).unwrap_or_default(),
        }
    }

    /// Tells the history, and keeps the record. That they cannot be written costs no deploy its success.
    async fn record(&self, outcome: &Outcome, answers: Option<&Answers>) {
        let entry = Entry {
            time: jiff::Timestamp::now().to_string(),
            command: self.command.to_owned(),
            who: self.origin.who(),
            outcome: outcome.outcome.as_str().to_owned(),
            release: outcome.release.clone(),
            image: outcome.image.clone(),
            digest: outcome.digest.clone(),
            previous: outcome.previous.clone(),
            from: outcome.from.clone(),
            live: outcome.live.clone(),
            phases: outcome.phases.clone(),
            probe: outcome.probe.clone(),
            guard: outcome.guard,
            reason: outcome.reason.clone(),
        };
        if let Err(error) = history::add(self.lock, &entry) {
            self.report.tell(Event::Warning(&Failure::from_error(Exit::Fault, &error).reason()));
        }
        let logs = match outcome.logs.is_empty() {
            true => self.recorder.last_lines(&self.target.engine).await,
            false => outcome.logs.clone(),
        };
        let record = self.recorder.record(&outcome.app, entry, logs, answers);
        if let Err(error) = record::keep(self.lock, &record) {
            self.report.tell(Event::Warning(&Failure::from_error(Exit::Fault, &error).reason()));
        }
    }
}

fn named(failure: &Failure) -> Ended {
    match failure.exit() {
        Exit::Unhealthy => Ended::Rejected,
        Exit::RolledBack => Ended::RolledBack,
        Exit::Interrupted => Ended::Interrupted,
        _ => Ended::Failed,
    }
}

type LiveNow = (Option<Slot>, Option<String>, Option<String>, Option<String>, Option<Commit>);

/// What is live now: the slot, and its release's digest, image, id and commit.
async fn observe_live(target: &Target<'_>) -> LiveNow {
    let serving = target.edge.nginx.observe(&target.name).await;
    let Ok(cutover_proxyconf::Serving::App { live, .. }) = serving else {
        return (None, None, None, None, None);
    };
    let Ok(standing) = crate::slots::observe_standing(&target.engine, &target.name).await else {
        return (Some(live), None, None, None, None);
    };
    let labels = standing.get(live).occupant().first().map(|container| &container.labels);
    let of = |label: &str| labels.and_then(|labels| labels.get(label)).map(String::as_str);
    let own = |label: &str| of(label).map(str::to_owned);
    (Some(live), own(label::DIGEST), own(label::IMAGE), own(label::RELEASE), Commit::of(of))
}
