//! How long answers took, in buckets whose width grows with the time.

use std::time::Duration;

/// Buckets to each power of two: a value is known to 1 part in 32.
const STEPS: u64 = 32;

/// A histogram of durations, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    buckets: Vec<u64>,
    count: u64,
    max: Duration,
}

impl Latency {
    /// Half of the answers took no longer.
    pub fn p50(&self) -> Duration {
        self.quantile(50)
    }

    /// 99 of 100 answers took no longer.
    pub fn p99(&self) -> Duration {
        self.quantile(99)
    }

    /// No answer took longer.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// How many answers were measured.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn record(&mut self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = bucket_of(micros);
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.max = self.max.max(time);
    }

    pub(super) fn add(&mut self, other: &Self) {
        if self.buckets.len() < other.buckets.len() {
            self.buckets.resize(other.buckets.len(), 0);
        }
        for (sum, count) in self.buckets.iter_mut().zip(&other.buckets) {
            *sum += count;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    fn quantile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank && seen > 0 {
                return Duration::from_micros(top_of(bucket)).min(self.max);
            }
        }
        self.max
    }
}

/// Below `STEPS` each value has a bucket; above, `STEPS` buckets share each power of two.
fn bucket_of(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let shift = u64::from(micros.ilog2() - STEPS.ilog2());
    ((shift + 1) * STEPS + (micros >> shift) - STEPS) as usize
}

/// The highest value of a bucket.
fn top_of(bucket: usize) -> u64 {
    let (shift, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    if shift == 0 {
        return step;
    }
    (STEPS + step + 1).checked_shl((shift - 1) as u32).map_or(u64::MAX, |next| next - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_falls_into_it_and_is_narrow() {
        for micros in (0..5000).chain([65_535, 65_536, 1_000_000, 600_000_000]) {
            let top = top_of(bucket_of(micros));
            assert!(top >= micros && top - micros <= micros / STEPS, "{micros} is counted as {top}");
            assert!(bucket_of(top) + 1 == bucket_of(top + 1), "{top} does not end its bucket");
        }
    }

    #[test]
    fn quantiles_are_of_all_that_was_recorded() {
        let (mut low, mut high) = (Latency::default(), Latency::default());
        (1..=98).for_each(|_| low.record(Duration::from_micros(10)));
        (1..=2).for_each(|_| high.record(Duration::from_millis(50)));
        low.add(&high);
        assert_eq!((low.p50(), low.count()), (Duration::from_micros(10), 100));
        assert_eq!((low.p99(), low.max()), (Duration::from_millis(50), Duration::from_millis(50)));
    }

    #[test]
    fn nothing_recorded_is_no_time() {
        assert_eq!(Latency::default().p99(), Duration::ZERO);
    }
}
