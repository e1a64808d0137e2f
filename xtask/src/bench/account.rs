//! What clients saw of switches.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Side;
use crate::bench::sample::Sample;
use crate::rig::load::Report;

/// One switch: when it began, and when whoever asked for it was told that it is done.
pub(super) struct Switch {
    pub(super) to: Side,
    pub(super) began: Instant,
    pub(super) done: Instant,
}

/// How long after a switch requests count as "during".
const DURING: Duration = Duration::from_millis(100);

/// All that one way of switching did at one number of connections.
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
    pub(super) fn add(&mut self, report: &Report, switches: &[Switch], versions: [&str; 2], end: Instant) {
        self.switches += switches.len();
        self.sent += report.sent;
        self.failed += report.failed;
        for (what, count) in &report.failed_by {
            *self.failed_by.entry(what).or_default() += count;
        }
        let mut since = report.started;
        for (number, switch) in switches.iter().enumerate() {
            let until = switches.get(number + 1).map_or(end, |next| next.began);
            let left = versions[switch.to.other() as usize];
            self.left += report.answers_from(left).between(switch.done, until);
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

    /// So many for each thousand switches.
    pub(super) fn per_thousand(&self, count: f64) -> f64 {
        if self.switches == 0 { 0.0 } else { count * 1e3 / self.switches as f64 }
    }
}
