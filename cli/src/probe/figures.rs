//! What the requests come to: figures for a line, and buckets for a chart.

use std::fmt;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Sample;

/// For so long after it a switch is under way.
const SETTLING: Duration = Duration::from_secs(1);

/// The width of a bucket.
const WIDTH: Duration = Duration::from_millis(100);

/// A switch of traffic, or a reload that was one: from its beginning to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// When it began.
    pub from: Instant,
    /// When nginx had confirmed it.
    pub to: Instant,
}

impl Switch {
    /// Whether a request of that time is one of during the switch.
    fn covers(&self, at: Instant) -> bool {
        self.from <= at && at < self.to + SETTLING
    }
}

/// The requests of a run, and when its traffic was switched.
#[derive(Clone, Debug)]
pub struct Answers {
    /// Requests a second.
    pub rate: u32,
    /// The requests, by the time they were sent.
    pub samples: Vec<Sample>,
    /// The switches.
    pub switches: Vec<Switch>,
}

impl Answers {
    /// Those of a run and of the one that followed it.
    #[must_use]
    pub fn and(mut self, next: Self) -> Self {
        self.samples.extend(next.samples);
        self.switches.extend(next.switches);
        self
    }

    /// What they come to.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures::of(self.rate, &self.samples, &self.switches)
    }

    /// The requests by the 100 ms they were sent in, and the slot that served then. Those without a request are left out.
    #[must_use]
    pub fn buckets(&self, began: Instant, slot_at: impl Fn(Duration) -> Option<String>) -> Vec<Bucket> {
        let number =
            |sample: &Sample| sample.at.saturating_duration_since(began).as_millis() / WIDTH.as_millis();
        let bucket = |samples: &[Sample]| {
            let at_ms = u64::try_from(number(samples.first()?) * WIDTH.as_millis()).ok()?;
            Some(Bucket { at_ms, slot: slot_at(Duration::from_millis(at_ms)), span: Span::of(samples) })
        };
        self.samples.chunk_by(|one, other| number(one) == number(other)).filter_map(bucket).collect()
    }
}

/// How the requests of a run were answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Requests a second.
    pub rate: u32,
    /// All that were sent.
    pub sent: u64,
    /// Those that were not answered, cut, or answered with a 5xx.
    pub failed: u64,
    /// Why the first of those failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Until the switch; the whole run where there was none.
    pub before: Span,
    /// From the switch to 1 s after it.
    pub during: Option<Span>,
    /// From then on.
    pub after: Option<Span>,
}

/// The requests of a part of a run. Times are those of the requests that did not fail, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// All that were sent.
    pub sent: u64,
    /// Those that failed.
    pub failed: u64,
    /// So long the faster half took.
    pub p50_ms: Option<f64>,
    /// So long 99 of 100 took.
    pub p99_ms: Option<f64>,
    /// So long the slowest took.
    pub max_ms: Option<f64>,
}

/// The requests of 100 ms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// When it begins, in milliseconds after the run's beginning.
    pub at_ms: u64,
    /// The slot that nginx sent to when it began.
    pub slot: Option<String>,
    /// What was sent in it.
    #[serde(flatten)]
    pub span: Span,
}

impl Figures {
    fn of(rate: u32, samples: &[Sample], switches: &[Switch]) -> Self {
        let first = switches.iter().map(|switch| switch.from).min();
        let (mut before, mut during, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for sample in samples {
            if first.is_none_or(|first| sample.at < first) {
                before.push(sample);
            } else if switches.iter().any(|switch| switch.covers(sample.at)) {
                during.push(sample);
            } else {
                after.push(sample);
            }
        }
        let all = Span::of(samples.iter());
        Self {
            rate,
            sent: all.sent,
            failed: all.failed,
            why: samples.iter().find_map(|sample| sample.lost.as_ref()).map(ToString::to_string),
            before: Span::of(before),
            during: first.map(|_| Span::of(during)),
            after: first.map(|_| Span::of(after)),
        }
    }

    /// The three parts of a run, with their names.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &Span)> {
        let parts = [
            ("before", Some(&self.before)),
            ("during", self.during.as_ref()),
            ("after", self.after.as_ref()),
        ];
        parts.into_iter().filter_map(|(name, span)| Some((name, span?)))
    }
}

impl Span {
    fn of<'s>(samples: impl IntoIterator<Item = &'s Sample>) -> Self {
        let (mut sent, mut times) = (0, Vec::new());
        for sample in samples {
            sent += 1;
            if sample.lost.is_none() {
                times.push(sample.took);
            }
        }
        times.sort_unstable();
        let at = |percent| quantile(&times, percent).map(milliseconds);
        let failed = sent - times.len() as u64;
        Self { sent, failed, p50_ms: at(50), p99_ms: at(99), max_ms: at(100) }
    }
}

/// The least of these times that so many of 100 do not exceed.
fn quantile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// In milliseconds, to the hundredth.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

impl fmt::Display for Figures {
    /// `612 sent, 0 failed, p99 4.1/5.2/4.0 ms before/during/after the switch`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sent, {} failed, p99 ", self.sent, self.failed)?;
        let p99: Vec<String> = self
            .parts()
            .map(|(_, span)| span.p99_ms.map_or_else(|| "-".to_owned(), |time| format!("{time:.1}")))
            .collect();
        write!(f, "{} ms", p99.join("/"))?;
        if self.during.is_some() {
            f.write_str(" before/during/after the switch")?;
        }
        match &self.why {
            Some(why) => write!(f, " (the first that failed: {why})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Lost;

    fn sample(began: Instant, at: u64, took: u64, lost: Option<Lost>) -> Sample {
        Sample { at: began + Duration::from_millis(at), took: Duration::from_millis(took), lost }
    }

    #[test]
    fn each_request_counts_before_during_or_after_the_switch() {
        let began = Instant::now();
        let mut samples: Vec<Sample> = (1..=100).map(|took| sample(began, took, took, None)).collect();
        samples.push(sample(began, 1_000, 7, None));
        samples.push(sample(began, 2_009, 9, Some(Lost::Status(502))));
        samples.push(sample(began, 2_010, 8, None));
        let switch =
            Switch { from: began + Duration::from_millis(1_000), to: began + Duration::from_millis(1_010) };
        let figures = Figures::of(50, &samples, &[switch]);
        let span = |sent, failed, p50, p99, max| Span {
            sent,
            failed,
            p50_ms: Some(p50),
            p99_ms: Some(p99),
            max_ms: Some(max),
        };
        assert_eq!(
            figures,
            Figures {
                rate: 50,
                sent: 103,
                failed: 1,
                why: Some("answered 502".into()),
                before: span(100, 0, 50.0, 99.0, 100.0),
                during: Some(span(2, 1, 7.0, 7.0, 7.0)),
                after: Some(span(1, 0, 8.0, 8.0, 8.0)),
            }
        );
        assert_eq!(
            figures.to_string(),
            "103 sent, 1 failed, p99 99.0/7.0/8.0 ms before/during/after the switch \
             (the first that failed: answered 502)"
        );
    }

    #[test]
    fn a_run_without_a_switch_has_one_part_and_what_failed_has_no_time() {
        let began = Instant::now();
        let figures = Figures::of(5, &[sample(began, 0, 2_000, Some(Lost::Silent))], &[]);
        assert_eq!((figures.sent, figures.failed, &figures.during, &figures.after), (1, 1, &None, &None));
        assert_eq!(figures.before.p99_ms, None);
        assert_eq!(
            figures.to_string(),
            "1 sent, 1 failed, p99 - ms (the first that failed: no answer within 2 s)"
        );
    }

    #[test]
    fn buckets_are_of_100_ms_and_empty_ones_are_left_out() {
        let began = Instant::now();
        let samples = [(0, 1), (99, 3), (100, 5), (350, 2)].map(|(at, took)| sample(began, at, took, None));
        let slot = |at: Duration| Some(if at.as_millis() < 300 { "blue" } else { "green" }.to_owned());
        let answers = Answers { rate: 10, samples: samples.to_vec(), switches: Vec::new() };
        let found: Vec<_> = answers
            .buckets(began, slot)
            .into_iter()
            .map(|bucket| {
                (bucket.at_ms, bucket.slot.unwrap_or_default(), bucket.span.sent, bucket.span.max_ms)
            })
            .collect();
        let wanted = [(0, "blue", 2, 3.0), (100, "blue", 1, 5.0), (300, "green", 1, 2.0)];
        assert_eq!(found, wanted.map(|(at, slot, sent, max)| (at, slot.to_owned(), sent, Some(max))));
    }
}
