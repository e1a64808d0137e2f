//! What is heard of the two releases while one of them is watched.

use std::fmt;
use std::time::{Duration, Instant};

use cutover_proxyconf::{BySlot, Slot, Told};
use serde::{Deserialize, Serialize};

use super::{Heard, Rule, Tally, Verdict};

/// For so long after a release got its clients its times do not count: connections are opened and caches filled.
const SETTLING: Duration = Duration::from_secs(1);

/// A release that is watched for less time than this is not compared by its times: see [`Rule`].
const TIMES_TAKE: Duration = Duration::from_secs(4);

/// So long it is seen how many requests come, before it is said that too few do.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// The requests of both slots, and the rule they are compared by.
#[derive(Debug)]
pub struct Comparison {
    rule: Rule,
    tallies: BySlot<Tally>,
    /// From when on the times of a slot count.
    since: BySlot<Instant>,
}

impl Comparison {
    /// Nothing is heard yet.
    #[must_use]
    pub fn new(rule: Rule, now: Instant) -> Self {
        Self { rule, tallies: BySlot::default(), since: BySlot { blue: now, green: now } }
    }

    /// Takes in a request.
    pub fn hear(&mut self, told: &Told, now: Instant) {
        let second = now.checked_duration_since(self.since[told.slot]).map(|passed| passed.as_secs());
        let second = second.and_then(|second| usize::try_from(second).ok());
        self.tallies[told.slot].add(told.failed, second.map(|second| (second, told.time)));
    }

    /// The release in `slot` gets all clients: what is heard of it from now on is compared with what was heard of the other.
    pub fn watch_all(&mut self, slot: Slot, now: Instant) {
        self.forget(slot, now);
    }

    /// The release in `slot` gets a share of the clients: both are heard anew, at the same time.
    pub fn watch_share(&mut self, slot: Slot, now: Instant) {
        self.forget(slot, now);
        self.forget(slot.other(), now);
    }

    /// How many more requests to `slot` have to be heard before its times can be compared with another's.
    #[must_use]
    pub fn wanting(&self, slot: Slot) -> u64 {
        self.rule.min_requests.saturating_sub(self.tallies[slot].timed())
    }

    /// What the rule says of the release in `slot` so far.
    #[must_use]
    pub fn judge(&self, slot: Slot) -> Verdict {
        self.rule.judge(slot, &self.tallies[slot.other()], &self.tallies[slot])
    }

    /// What was heard so far, with `slot` as the new one.
    #[must_use]
    pub fn guarded(&self, slot: Slot) -> Guarded {
        let (old, new) = (&self.tallies[slot.other()], &self.tallies[slot]);
        Guarded { new: new.heard(), old: old.heard(), judged: self.rule.judged(old, new) }
    }

    fn forget(&mut self, slot: Slot, now: Instant) {
        self.tallies[slot] = Tally::default();
        self.since[slot] = now + SETTLING;
    }
}

/// Whether to go on hearing of the release that is live, when so many requests are `wanting`, so many `came` while it was
/// `waited`, and no more time than the next one is watched for is to be spent on it.
#[must_use]
pub fn is_worth_waiting(wanting: u64, came: u64, waited: Duration, limit: Duration) -> bool {
    let left = limit.saturating_sub(waited);
    if wanting == 0 || left.is_zero() || limit < TIMES_TAKE {
        return false;
    }
    // Of what came, as many more come in as much time.
    waited < PATIENCE || u128::from(came) * left.as_millis() >= u128::from(wanting) * waited.as_millis()
}

#[cfg(test)]
mod tests {
    use cutover_proxyconf::Slot::{Blue, Green};

    use super::*;

    #[test]
    fn the_times_of_a_release_count_once_it_has_settled_and_its_failures_at_once() {
        let began = Instant::now();
        let mut heard = Comparison::new(Rule::default(), began);
        let told = |slot, failed| Told { slot, failed, time: Duration::from_millis(7) };
        heard.hear(&told(Blue, false), began);
        heard.watch_all(Green, began);
        heard.hear(&told(Green, true), began);
        heard.hear(&told(Green, false), began + Duration::from_millis(900));
        heard.hear(&told(Green, false), began + Duration::from_millis(1_100));
        let of = |slot: Slot| heard.tallies[slot].heard();
        assert_eq!(of(Blue), Heard { requests: 1, failed: 0, p50_ms: Some(7), p99_ms: Some(7) });
        assert_eq!(of(Green), Heard { requests: 3, failed: 1, p50_ms: Some(7), p99_ms: Some(7) });
        assert_eq!(heard.tallies[Green].timed(), 1);
        let guarded = Guarded { new: of(Green), old: Heard::default(), judged: Judged::Nothing };
        assert_eq!(
            guarded.to_string(),
            "3 requests, 1 failed, p50 7 ms, p99 7 ms; before: 0 requests, 0 failed; too few to judge by"
        );
    }

    #[test]
    fn what_comes_too_slowly_is_not_waited_for() {
        let seconds = Duration::from_secs;
        let rows = [
            // Enough were heard before it could be waited.
            (0, 0, seconds(0), seconds(30), false),
            // Nothing is known yet.
            (100, 0, seconds(0), seconds(30), true),
            // Ten a second are enough for a hundred in the 28 s left, and two a second are not.
            (80, 20, seconds(2), seconds(30), true),
            (96, 4, seconds(2), seconds(30), false),
            (100, 0, seconds(2), seconds(30), false),
            // The time is up, or is too short for times to be compared.
            (10, 90, seconds(30), seconds(30), false),
            (100, 0, seconds(0), seconds(3), false),
            (100, 0, seconds(0), seconds(0), false),
        ];
        for (wanting, came, waited, limit, expected) in rows {
            let worth = is_worth_waiting(wanting, came, waited, limit);
            assert_eq!(worth, expected, "{wanting} are wanting, {came} came in {waited:?} of {limit:?}");
        }
    }
}
