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
    /// When each was sent and how long it took, where that is asked for.
    times: Option<Vec<(Duration, Duration)>>,
    failed_by: BTreeMap<&'static str, u64>,
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
            times: None,
            failed_by: BTreeMap::new(),
        }
    }

    /// One that keeps the time of each answer.
    pub(super) fn timed(started: Instant) -> Self {
        Self { times: Some(Vec::new()), ..Self::new(started) }
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
        if let (Some(times), Some(took)) = (&mut self.times, took) {
            times.push((at, took));
        }
        match self.answers.get_mut(version) {
            Some(times) => times.push(at),
            None => drop(self.answers.insert(version.to_owned(), vec![at])),
        }
    }

    pub(super) fn failed(&mut self, what: &'static str, why: String) {
        self.failed += 1;
        *self.failed_by.entry(what).or_default() += 1;
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
        if let Some(times) = &other.times {
            self.times.get_or_insert_default().extend_from_slice(times);
        }
        for (what, count) in &other.failed_by {
            *self.failed_by.entry(what).or_default() += count;
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
    /// How many failed of each kind of request: `POST, kept-alive`.
    pub failed_by: BTreeMap<&'static str, u64>,
    answers: BTreeMap<String, Vec<Duration>>,
    times: Vec<(Duration, Duration)>,
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
            failed_by: tally.failed_by,
            answers: tally.answers,
            times: tally.times.unwrap_or_default(),
        }
    }

    /// How long good answers took to requests sent in this span. Only of a load that keeps times; see
    /// [`Config::timed`](super::Config::timed).
    pub fn latency_within(&self, from: Instant, to: Instant) -> Latency {
        let mut latency = Latency::default();
        let within = |at: Duration| (from..to).contains(&(self.started + at));
        self.times.iter().filter(|(at, _)| within(*at)).for_each(|(_, took)| latency.record(*took));
        latency
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

    /// How many were to requests sent after one moment and before another.
    pub fn between(&self, from: Instant, to: Instant) -> usize {
        self.before(to).saturating_sub(self.count() - self.after(from))
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
        assert_eq!(report.answers_from("1").between(at(10), at(20)), 0);
        assert_eq!(report.answers_from("1").between(at(5), at(21)), 2);
        assert_eq!(report.answers_from("1").last(), Some(at(20)));
        assert_eq!(report.transitions(), [(at(10), "1"), (at(30), "2")]);
        assert_eq!(report.answers_from("3").count(), 0);
    }

    #[test]
    fn times_are_of_the_span_in_which_the_request_was_sent() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let (mut all, mut tally) = (Tally::new(start), Tally::timed(start));
        tally.answered("1", at(10), Some(Duration::from_millis(1)));
        tally.answered("1", at(20), Some(Duration::from_millis(7)));
        tally.failed("GET, fresh", "gone".to_owned());
        all.add(&tally);
        let report = Report::new(start, all);
        assert_eq!(report.latency_within(at(0), at(20)).max(), Duration::from_millis(1));
        assert_eq!(report.latency_within(at(20), at(30)).max(), Duration::from_millis(7));
        assert_eq!(report.failed_by, BTreeMap::from([("GET, fresh", 1)]));
    }
}
