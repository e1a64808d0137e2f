//! Hears of a run as it goes, puts the probe's requests on the site meanwhile, and keeps the record.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cutover_proxyconf::Slot;
use tokio_util::sync::CancellationToken;

use super::{Asked, Phase, Probed, Record, Serving};
use crate::effect::Hands;
use crate::history::Entry;
use crate::plan::Step;
use crate::probe::{Answers, Probe, Probing, Switch};
use crate::report::{Event, Report};

/// The site is asked for at least so long before the first step.
const BEFORE: Duration = Duration::from_secs(1);

/// And for so long after a switch: the second that is "during", and one of "after".
const AFTER: Duration = Duration::from_secs(2);

/// How many last lines of the release are kept.
const LAST_LINES: usize = 40;

/// Hears of a run, passes it on, and makes its record.
pub struct Recorder<'a> {
    report: &'a dyn Report,
    probe: Option<&'a Probe>,
    id: String,
    stamp: jiff::Timestamp,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phases: Vec<Phase>,
    serving: Vec<Serving>,
    gate: Vec<Asked>,
    switches: Vec<Switch>,
    /// Where the release is tried, and the container that was asked.
    tried: Option<Slot>,
    container: Option<String>,
    probing: Option<Probing>,
    /// How long the run was held up for the sake of the probe.
    waited: Duration,
}

impl<'a> Recorder<'a> {
    /// Begins the record of a run. What happens is passed on to `report`.
    #[must_use]
    pub fn new(report: &'a dyn Report, probe: Option<&'a Probe>) -> Self {
        let stamp = jiff::Timestamp::now();
        let id = stamp.strftime("%Y%m%dT%H%M%S%.3fZ").to_string();
        Self { report, probe, id, stamp, began: Instant::now(), state: Mutex::default() }
    }

    /// Puts the first requests on the site, where that is asked for, and waits until there are some of before. `live` is
    /// the slot that serves.
    pub async fn begin(&self, live: Option<Slot>, interrupt: &CancellationToken) {
        self.serve(live);
        let Some(probe) = self.probe else { return };
        self.state().probing = Some(probe.begin(&self.id, live.is_none()));
        self.wait(BEFORE, interrupt).await;
    }

    /// Ends the requests, once there are some of after a switch; how they were answered.
    pub async fn end(&self, interrupt: &CancellationToken) -> Option<Answers> {
        let (probe, probing) = (self.probe?, self.state().probing.take()?);
        let switched = self.state().switches.last().map(|switch| switch.to);
        if let Some(switched) = switched {
            self.wait(AFTER.saturating_sub(switched.elapsed()), interrupt).await;
        }
        let samples = probing.end().await;
        Some(Answers { rate: probe.rate, samples, switches: self.state().switches.clone() })
    }

    /// How long the run was held up for the sake of the probe.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.state().waited
    }

    /// Waits, unless a signal comes.
    async fn wait(&self, time: Duration, interrupt: &CancellationToken) {
        let began = Instant::now();
        tokio::select! {
            biased;
            () = interrupt.cancelled() => {}
            () = tokio::time::sleep(time) => {}
        }
        self.state().waited += began.elapsed();
    }

    /// The last lines of the release that was tried, if one was asked directly.
    pub async fn last_lines(&self, engine: &Hands) -> Vec<String> {
        let container = self.state().container.clone();
        match container {
            Some(container) => engine.last_log_lines(&container, LAST_LINES).await,
            None => Vec::new(),
        }
    }

    /// The record of the run, which has ended.
    #[must_use]
    pub fn record(&self, app: &str, run: Entry, logs: Vec<String>, answers: Option<&Answers>) -> Record {
        let state = self.state();
        let serving = state.serving.clone();
        let slot_at = |at: Duration| super::slot_at(&serving, milliseconds(at)).map(str::to_owned);
        let probe = self.probe.zip(answers).map(|(probe, answers)| Probed {
            what: probe.aim.to_string(),
            buckets: answers.buckets(self.began, slot_at),
        });
        Record {
            id: self.id.clone(),
            app: app.to_owned(),
            began: self.stamp.to_string(),
            took_ms: self.now(),
            run,
            phases: state.phases.clone(),
            serving,
            gate: state.gate.clone(),
            logs,
            probe,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> f64 {
        milliseconds(self.began.elapsed())
    }

    fn serve(&self, slot: Option<Slot>) {
        let (from_ms, slot) = (self.now(), slot.map(|slot| slot.to_string()));
        let mut state = self.state();
        // The first is what served when the run began.
        let from_ms = if state.serving.is_empty() { 0.0 } else { from_ms };
        if state.serving.last().is_none_or(|last| last.slot != slot) {
            state.serving.push(Serving { from_ms, slot });
        }
    }

    /// One that failed is not told to be done: the plan of the way back ends it.
    fn planned(&self) {
        let now = self.now();
        let mut state = self.state();
        let failed = state.phases.iter_mut().filter(|phase| !phase.done && phase.to_ms <= phase.from_ms);
        failed.for_each(|phase| phase.to_ms = now);
    }

    fn begun(&self, step: &Step) {
        let now = self.now();
        let mut state = self.state();
        state.phases.push(Phase { name: step.to_string(), from_ms: now, to_ms: now, done: false });
        if let Step::Place(slot, _) | Step::Gate(slot) | Step::GateThrough(slot) = step {
            state.tried = Some(*slot);
        }
        let first = state.serving.last().is_none_or(|last| last.slot.is_none());
        if matches!(step, Step::Switch(_)) || (matches!(step, Step::Install) && first) {
            let now = Instant::now();
            state.switches.push(Switch { from: now, to: now });
        }
    }

    fn done(&self, step: &Step) {
        let now = self.now();
        let mut state = self.state();
        // Another may have begun beside it.
        let name = step.to_string();
        let this = state.phases.iter_mut().rev().find(|phase| phase.name == name && !phase.done);
        if let Some(phase) = this {
            (phase.to_ms, phase.done) = (now, true);
        }
        let first = state.serving.last().is_none_or(|last| last.slot.is_none());
        let served = match step {
            Step::Switch(slot) => Some(Some(*slot)),
            Step::Install if first => Some(state.tried),
            Step::Withdraw => Some(None),
            _ => None,
        };
        if let (Some(Some(_)), Some(switch)) = (served, state.switches.last_mut()) {
            switch.to = Instant::now();
        }
        drop(state);
        if let Some(slot) = served {
            self.serve(slot);
        }
    }

    fn asked(&self, who: &str, id: Option<&str>, what: &str, wrong: Option<&str>) {
        let now = self.now();
        let mut state = self.state();
        if let Some(id) = id {
            state.container = Some(id.to_owned());
        }
        let same =
            |asked: &&mut Asked| asked.who == who && asked.what == what && asked.wrong.as_deref() == wrong;
        // Replicas are asked side by side, so the last answer of the same one may be some lines up.
        let last = state.gate.iter_mut().rev().find(|asked| asked.who == who && asked.what == what);
        if let Some(last) = last.filter(same) {
            (last.to_ms, last.times) = (now, last.times + 1);
            return;
        }
        let (who, what, wrong) = (who.to_owned(), what.to_owned(), wrong.map(str::to_owned));
        state.gate.push(Asked { from_ms: now, to_ms: now, times: 1, who, what, wrong });
    }
}

impl Report for Recorder<'_> {
    fn tell(&self, event: Event<'_>) {
        match &event {
            Event::Planned(_) => self.planned(),
            Event::Begun(step) => self.begun(step),
            Event::Done(step, _) => self.done(step),
            Event::Asked { who, id, what, wrong } => self.asked(who, *id, what, *wrong),
            _ => {}
        }
        self.report.tell(event);
    }
}

/// To the tenth.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

impl std::fmt::Debug for Recorder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("id", &self.id).field("probe", &self.probe).finish_non_exhaustive()
    }
}
