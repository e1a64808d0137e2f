//! Listening to nginx for as long as a run lasts.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cutover_proxyconf::{AppName, BySlot, Ear, Error, Nginx, Slot, Told};
use futures_util::future::OptionFuture;
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Heard, Rule, Tally, Verdict};
use crate::edge::Place;
use crate::effect::Watched;
use crate::plan::{Plan, Step};
use crate::target::Target;

/// nginx tells for another 100 s at least each time.
const RENEWAL: Duration = Duration::from_secs(40);

/// For so long after a release got its clients its times do not count: connections are opened and caches filled.
const SETTLING: Duration = Duration::from_secs(1);

/// What was heard while a release was watched, and of the release before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guarded {
    /// Of the new release.
    pub new: Heard,
    /// Of the one before.
    pub old: Heard,
    /// What there were enough requests to judge.
    pub judged: Judged,
}

/// What there were enough requests to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// Nothing.
    Nothing,
    /// Failures: there were too few of before to compare times with.
    Failures,
    /// Failures and times.
    All,
}

impl fmt::Display for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |heard: &Heard| {
            let times = heard.p50_ms.zip(heard.p99_ms);
            let times = times.map_or_else(String::new, |(p50, p99)| format!(", p50 {p50} ms, p99 {p99} ms"));
            format!("{} requests, {} failed{times}", heard.requests, heard.failed)
        };
        write!(f, "{}; before: {}", told(&self.new), told(&self.old))?;
        f.write_str(match self.judged {
            Judged::Nothing => "; too few to judge by",
            Judged::Failures => "; too few to compare times",
            Judged::All => "",
        })
    }
}

/// nginx tells of each request for as long as this is there.
#[derive(Debug)]
pub struct Hearing {
    rule: Rule,
    state: Arc<Mutex<State>>,
    stop: CancellationToken,
    task: JoinHandle<Option<String>>,
}

#[derive(Debug)]
struct State {
    tallies: BySlot<Tally>,
    /// From when on the times of a slot count.
    since: BySlot<Instant>,
}

impl State {
    fn hear(&mut self, told: &Told, now: Instant) {
        let second = now.checked_duration_since(self.since[told.slot]).map(|passed| passed.as_secs());
        let second = second.and_then(|second| usize::try_from(second).ok());
        self.tallies[told.slot].add(told.failed, second.map(|second| (second, told.time)));
    }

    fn forget(&mut self, slot: Slot, since: Instant) {
        self.tallies[slot] = Tally::default();
        self.since[slot] = since;
    }
}

impl Hearing {
    /// Begins to listen, if the app's releases are compared and the plan has a step that does.
    ///
    /// # Errors
    /// When nginx cannot tell; nothing is changed then.
    pub async fn begin(target: &Target<'_>, plan: &Plan) -> Result<Option<Self>, Error> {
        let watches = plan.steps.iter().any(|step| matches!(step, Step::Stage(_) | Step::Soak(_)));
        let Some(rule) = target.app.rule().filter(|_| watches) else { return Ok(None) };
        let (nginx, app) = (target.edge.nginx.clone(), target.name.clone());
        let ear = nginx.listen(&app).await?;
        let now = Instant::now();
        let state = State { tallies: BySlot::default(), since: BySlot { blue: now, green: now } };
        let (state, stop) = (Arc::new(Mutex::new(state)), CancellationToken::new());
        let listening = listen(ear, nginx, app, state.clone(), stop.clone());
        Ok(Some(Self { rule, state, stop, task: tokio::spawn(listening) }))
    }

    /// The release in `slot` gets all clients: what is heard of it from now on is compared with what was heard of the other.
    pub fn watch_all(&self, slot: Slot) {
        self.state().forget(slot, Instant::now() + SETTLING);
    }

    /// The release in `slot` gets a share of the clients: both are heard anew, at the same time.
    pub fn watch_share(&self, slot: Slot) {
        let mut state = self.state();
        let now = Instant::now() + SETTLING;
        state.forget(slot, now);
        state.forget(slot.other(), now);
    }

    /// What the rule says of the release in `slot` so far.
    #[must_use]
    pub fn judge(&self, slot: Slot) -> Verdict {
        let state = self.state();
        self.rule.judge(slot, &state.tallies[slot.other()], &state.tallies[slot])
    }

    /// What was heard so far, with `slot` as the new one.
    #[must_use]
    pub fn guarded(&self, slot: Slot) -> Guarded {
        let state = self.state();
        let new = &state.tallies[slot];
        Guarded {
            new: new.heard(),
            old: state.tallies[slot.other()].heard(),
            judged: self.rule.judged(&state.tallies[slot.other()], new),
        }
    }

    /// Ends the listening; what went wrong meanwhile, if anything did.
    async fn stop(self) -> Option<String> {
        self.stop.cancel();
        self.task.await.unwrap_or_else(|error| Some(error.to_string()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has nginx fall silent, also where it was a run that was killed which it told; what went wrong, if anything did.
pub(crate) async fn end(target: &Target<'_>, hearing: Option<Hearing>) -> Option<String> {
    let amiss = OptionFuture::from(hearing.map(Hearing::stop)).await.flatten();
    target.app.rule()?;
    let deafened = target.edge.nginx.deafen(&target.name).await;
    amiss.or_else(|| deafened.err().map(|error| error.to_string()))
}

/// Takes in what nginx tells until it is to stop; what kept it from going on, if anything did.
async fn listen(
    mut ear: Ear,
    nginx: Nginx<Watched<Place>>,
    app: AppName,
    state: Arc<Mutex<State>>,
    stop: CancellationToken,
) -> Option<String> {
    let mut renewal = tokio::time::interval(RENEWAL);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renewal.reset();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            _ = renewal.tick() => {
                if let Err(error) = nginx.keep_listening(&app).await {
                    return Some(error.to_string());
                }
            }
            told = ear.next() => match told {
                Ok(told) => {
                    state.lock().unwrap_or_else(PoisonError::into_inner).hear(&told, Instant::now());
                }
                Err(error) => return Some(error.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use cutover_proxyconf::Slot::{Blue, Green};

    use super::*;

    #[test]
    fn the_times_of_a_release_count_once_it_has_settled_and_its_failures_at_once() {
        let began = Instant::now();
        let mut state = State { tallies: BySlot::default(), since: BySlot { blue: began, green: began } };
        let told = |slot, failed| Told { slot, failed, time: Duration::from_millis(7) };
        state.hear(&told(Blue, false), began);
        state.forget(Green, began + SETTLING);
        state.hear(&told(Green, true), began);
        state.hear(&told(Green, false), began + Duration::from_millis(900));
        state.hear(&told(Green, false), began + Duration::from_millis(1_100));
        let heard = |slot: Slot| state.tallies[slot].heard();
        assert_eq!(heard(Blue), Heard { requests: 1, failed: 0, p50_ms: Some(7), p99_ms: Some(7) });
        assert_eq!(heard(Green), Heard { requests: 3, failed: 1, p50_ms: Some(7), p99_ms: Some(7) });
        assert_eq!(state.tallies[Green].timed(), 1);
        let guarded = Guarded { new: heard(Green), old: Heard::default(), judged: Judged::Nothing };
        assert_eq!(
            guarded.to_string(),
            "3 requests, 1 failed, p50 7 ms, p99 7 ms; before: 0 requests, 0 failed; too few to judge by"
        );
    }
}
