//! What was heard of the requests of one slot.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The requests of one slot, as nginx told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    requests: u64,
    failed: u64,
    /// For each second, how many of the requests that count for the time took so many milliseconds.
    seconds: Vec<BTreeMap<u64, u64>>,
}

/// What a tally comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// All requests.
    pub requests: u64,
    /// Those that the app did not answer, or answered with a 5xx.
    pub failed: u64,
    /// So long, in milliseconds, half of them waited for the beginning of the answer.
    pub p50_ms: Option<u64>,
    /// So long 99 of 100 waited for the beginning of the answer.
    pub p99_ms: Option<u64>,
}

impl Tally {
    /// Takes in a request: whether it failed, and, where its time counts, in which second it was and how long it took.
    pub fn add(&mut self, failed: bool, time: Option<(usize, Duration)>) {
        self.requests += 1;
        self.failed += u64::from(failed);
        if let Some((second, time)) = time.filter(|_| !failed) {
            if self.seconds.len() <= second {
                self.seconds.resize_with(second + 1, BTreeMap::new);
            }
            let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            *self.seconds[second].entry(time).or_default() += 1;
        }
    }

    /// All requests.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Those that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Those whose time counts.
    #[must_use]
    pub fn timed(&self) -> u64 {
        self.seconds.iter().flat_map(BTreeMap::values).sum()
    }

    /// How many took longer than so many milliseconds.
    #[must_use]
    pub fn slower_than(&self, limit: u64) -> u64 {
        self.seconds.iter().map(|second| slower(second, limit)).sum()
    }

    /// In how many seconds there was one that took longer, and in how many there was one at all.
    #[must_use]
    pub fn seconds_slower_than(&self, limit: u64) -> (usize, usize) {
        let with = self.seconds.iter().filter(|second| !second.is_empty());
        let slow = with.clone().filter(|second| slower(second, limit) > 0);
        (slow.count(), with.count())
    }

    /// The time of the request of this rank, from 1, the fastest first.
    #[must_use]
    pub fn ranked(&self, rank: u64) -> Option<u64> {
        let mut times = BTreeMap::<u64, u64>::new();
        for (time, count) in self.seconds.iter().flatten() {
            *times.entry(*time).or_default() += count;
        }
        let mut left = rank;
        times.into_iter().find_map(|(time, count)| {
            let here = left <= count;
            left = left.saturating_sub(count);
            here.then_some(time)
        })
    }

    /// What it comes to.
    #[must_use]
    pub fn heard(&self) -> Heard {
        let of =
            |percent: u64| self.ranked((self.timed() * percent).div_ceil(100)).filter(|_| self.timed() > 0);
        Heard { requests: self.requests, failed: self.failed, p50_ms: of(50), p99_ms: of(99) }
    }
}

fn slower(second: &BTreeMap<u64, u64>, limit: u64) -> u64 {
    second.range(limit.saturating_add(1)..).map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_failures_ranks_times_and_knows_the_seconds_of_the_slow() {
        let mut tally = Tally::default();
        assert_eq!(tally.heard(), Heard::default());
        for millis in 1..=100 {
            tally.add(false, Some((usize::try_from(millis).unwrap() / 50, Duration::from_millis(millis))));
        }
        tally.add(true, Some((7, Duration::from_secs(9))));
        tally.add(false, None);
        assert_eq!(tally.heard(), Heard { requests: 102, failed: 1, p50_ms: Some(50), p99_ms: Some(99) });
        assert_eq!((tally.timed(), tally.slower_than(98), tally.slower_than(100)), (100, 2, 0));
        assert_eq!(tally.seconds_slower_than(98), (2, 3));
        assert_eq!(tally.seconds_slower_than(0), (3, 3));
        assert_eq!((tally.ranked(1), tally.ranked(100), tally.ranked(101)), (Some(1), Some(100), None));
    }
}
