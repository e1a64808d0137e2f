//! What clients saw of switches.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::figures::{Aim, Part, Unit};
use super::sample::Sample;
use crate::rig::load::Report;

/// One switch: the version that it leaves, when it began, and when whoever asked for it was told that it is done.
pub(super) struct Switch<'a> {
    pub(super) left: &'a str,
    pub(super) began: Instant,
    pub(super) done: Instant,
}

/// How long after a switch requests count as "during".
const DURING: Duration = Duration::from_millis(100);

/// All that one way of switching did.
#[derive(Default)]
pub(super) struct Account {
    pub(super) switches: usize,
    pub(super) sent: u64,
    pub(super) failed: u64,
    pub(super) failed_by: BTreeMap<&'static str, u64>,
    /// Answers of the version that was left to requests sent after the switch was said to be done.
    pub(super) left: usize,
    pub(super) took: Sample,
    /// p50, p99 and the longest, in milliseconds, of each switch: before, during and after it.
    pub(super) latency: [[Sample; 3]; 3],
}

impl Account {
    /// Adds a run of switches, of which each is over when the next begins.
    pub(super) fn add(&mut self, report: &Report, switches: &[Switch<'_>], end: Instant) {
        self.switches += switches.len();
        self.sent += report.sent;
        self.failed += report.failed;
        for (what, count) in &report.failed_by {
            *self.failed_by.entry(what).or_default() += count;
        }
        let mut since = report.started;
        for (number, switch) in switches.iter().enumerate() {
            let until = switches.get(number + 1).map_or(end, |next| next.began);
            self.left += report.answers_from(switch.left).between(switch.done, until);
            self.took.push_time(switch.done - switch.began);
            let settled = switch.done + DURING;
            for (latency, (from, to)) in self.latency.iter_mut().zip([
                (since + DURING, switch.began),
                (switch.began, settled),
                (settled, until),
            ]) {
                let seen = report.latency_within(from, to);
                for (sample, time) in latency.iter_mut().zip([seen.p50(), seen.p99(), seen.max()]) {
                    sample.push_time(time);
                }
            }
            since = switch.done;
        }
    }

    /// Counts another's switches and requests as its own. Its times stay its own.
    pub(super) fn count(&mut self, other: &Self) {
        self.switches += other.switches;
        self.sent += other.sent;
        self.failed += other.failed;
        self.left += other.left;
        for (what, count) in &other.failed_by {
            *self.failed_by.entry(what).or_default() += count;
        }
    }

    /// So many for each thousand switches.
    pub(super) fn per_thousand(&self, count: f64) -> f64 {
        if self.switches == 0 { 0.0 } else { count * 1e3 / self.switches as f64 }
    }

    /// The cells of a table that tell what was counted: switches, requests sent and failed, failed and left per 1,000 switches,
    /// and how long one took.
    pub(super) fn counts(&self) -> [String; 6] {
        let per_thousand = |count: f64| format!("{:.0}", self.per_thousand(count));
        [
            self.switches.to_string(),
            self.sent.to_string(),
            self.failed.to_string(),
            per_thousand(self.failed as f64),
            per_thousand(self.left as f64),
            millis(&self.took),
        ]
    }

    /// The cells of a table that tell its times: p50, p99 and the longest, each before, during and after.
    pub(super) fn times(&self) -> [String; 3] {
        let [before, during, after] = &self.latency;
        [0, 1, 2].map(|which| [&before[which], &during[which], &after[which]].map(millis).join(" / "))
    }

    /// How many failed of each kind of request.
    pub(super) fn kinds(&self) -> String {
        let kinds: Vec<String> =
            self.failed_by.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        if kinds.is_empty() { "none".to_owned() } else { kinds.join("; ") }
    }

    /// Adds the figures that cutover is held to.
    pub(super) fn hold(&self, part: &mut Part) {
        for (what, count) in
            [("failed requests", self.failed as f64), ("left-version answers", self.left as f64)]
        {
            let aim = Some(Aim::AtMost(0.0));
            part.figure(format!("cutover: {what}"), Unit::Count, [count].into_iter().collect(), aim);
        }
    }
}

/// The median of times in a cell.
pub(super) fn millis(sample: &Sample) -> String {
    sample.median().map_or_else(|| "?".to_owned(), |value| Unit::Millis.write(value))
}
