//! What became of the requests, and which version answered when.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::latency::Latency;

/// How many failures keep their text.
const TEXTS: usize = 20;

/// What one worker, or all, saw.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    started: Instant,
    sent: u64,
    ok: u64,
    failures: Vec<(Duration, String)>,
    failed: u64,
    latency: Latency,
    /// For each version, when the requests that it answered were sent.
    answers: BTreeMap<String, Vec<Duration>>,
}

impl Tally {
    pub(super) fn new(started: Instant) -> Self {
        Self {
            started,
            sent: 0,
            ok: 0,
            failures: Vec::new(),
            failed: 0,
            latency: Latency::default(),
            answers: BTreeMap::new(),
        }
    }

    pub(super) fn sent(&mut self) {
        self.sent += 1;
    }

    pub(super) fn answered(&mut self, version: &str, sent: Instant, took: Option<Duration>) {
        self.ok += 1;
        if let Some(took) = took {
            self.latency.record(took);
        }
        let at = sent.duration_since(self.started);
        match self.answers.get_mut(version) {
            Some(times) => times.push(at),
            None => drop(self.answers.insert(version.to_owned(), vec![at])),
        }
    }

    pub(super) fn failed(&mut self, why: String) {
        self.failed += 1;
        if self.failures.len() < TEXTS {
            self.failures.push((self.started.elapsed(), why));
        }
    }

    pub(super) fn counts(&self) -> (u64, u64) {
        (self.sent, self.failed)
    }

    pub(super) fn last_from(&self, version: &str) -> Option<Instant> {
        self.answers.get(version)?.last().map(|at| self.started + *at)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.ok += other.ok;
        self.failed += other.failed;
        self.failures.extend_from_slice(&other.failures);
        self.latency.add(&other.latency);
        for (version, times) in &other.answers {
            self.answers.entry(version.clone()).or_default().extend_from_slice(times);
        }
    }
}

/// What became of the load.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// When the load began.
    pub started: Instant,
    /// How long it has been going.
    pub took: Duration,
    /// How many requests were sent, or could not be for want of a connection.
    pub sent: u64,
    /// How many were answered as they should be.
    pub ok: u64,
    /// How many were not.
    pub failed: u64,
    /// The first 20 failures: what was asked, when, and what came of it.
    pub failures: Vec<String>,
    /// How long good answers took, without those that were asked to be slow.
    pub latency: Latency,
    answers: BTreeMap<String, Vec<Duration>>,
}

impl Report {
    pub(super) fn new(started: Instant, mut tally: Tally) -> Self {
        tally.answers.values_mut().for_each(|times| times.sort_unstable());
        tally.failures.sort();
        let texts = tally.failures.iter().take(TEXTS);
        Self {
            started,
            took: started.elapsed(),
            sent: tally.sent,
            ok: tally.ok,
            failed: tally.failed,
            failures: texts.map(|(at, why)| format!("at +{:.3} s: {why}", at.as_secs_f64())).collect(),
            latency: tally.latency,
            answers: tally.answers,
        }
    }

    /// Every version that answered.
    pub fn versions(&self) -> Vec<&str> {
        self.answers.keys().map(String::as_str).collect()
    }

    /// The answers of one version; none when it never answered.
    pub fn answers_from(&self, version: &str) -> Answers<'_> {
        Answers { started: self.started, sent: self.answers.get(version).map_or(&[], Vec::as_slice) }
    }

    /// When which version took over: the requests in the order in which they were sent, one for each change.
    pub fn transitions(&self) -> Vec<(Instant, &str)> {
        let each = self.answers.iter();
        let all = each.flat_map(|(version, times)| times.iter().map(move |at| (*at, version.as_str())));
        let mut all: Vec<(Duration, &str)> = all.collect();
        all.sort_unstable();
        all.dedup_by(|later, earlier| later.1 == earlier.1);
        all.into_iter().map(|(at, version)| (self.started + at, version)).collect()
    }
}

/// The good answers of one version, each by the moment its request was sent.
#[derive(Clone, Copy, Debug)]
pub struct Answers<'a> {
    started: Instant,
    sent: &'a [Duration],
}

impl Answers<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.sent.len()
    }

    /// How many were to requests sent after `instant`.
    pub fn after(&self, instant: Instant) -> usize {
        self.sent.len() - self.sent.partition_point(|at| self.started + *at <= instant)
    }

    /// How many were to requests sent before `instant`.
    pub fn before(&self, instant: Instant) -> usize {
        self.sent.partition_point(|at| self.started + *at < instant)
    }

    /// When the first was asked for.
    pub fn first(&self) -> Option<Instant> {
        self.sent.first().map(|at| self.started + *at)
    }

    /// When the last was asked for.
    pub fn last(&self) -> Option<Instant> {
        self.sent.last().map(|at| self.started + *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_when_they_were_asked_for() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (mut one, mut other) = (Tally::new(start), Tally::new(start));
        one.answered("1", at(10), None);
        one.answered("2", at(30), None);
        other.answered("1", at(20), None);
        other.answered("2", at(40), None);
        one.add(&other);
        let report = Report::new(start, one);
        assert_eq!(report.answers_from("1").after(at(10)), 1);
        assert_eq!(report.answers_from("1").before(at(10)), 0);
        assert_eq!(report.answers_from("1").last(), Some(at(20)));
        assert_eq!(report.transitions(), [(at(10), "1"), (at(30), "2")]);
        assert_eq!(report.answers_from("3").count(), 0);
    }
}
