//! Which version answered when.

use std::time::Duration;

/// What is shorter is part of a handover: requests sent at nearly the same moment may be taken in another order.
const SETTLED: Duration = Duration::from_millis(100);

/// A time in which one version answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// The version.
    pub version: String,
    /// When the first request that it answered was sent, from the start of the load.
    pub from: Duration,
    /// When the last was, before the next version took over.
    pub until: Duration,
    /// For how long before `from` requests were answered by this version and the one before in turn.
    pub handover: Duration,
    /// How many answers it gave in that time.
    pub answers: usize,
}

/// The periods between these changes of version, until `end`. The answers are left to be counted.
#[must_use]
pub fn timeline(changes: &[(Duration, &str)], end: Duration) -> Vec<Period> {
    let mut periods: Vec<Period> = Vec::new();
    let mut contested = None;
    for (index, (at, version)) in changes.iter().enumerate() {
        let until = changes.get(index + 1).map_or(end, |(next, _)| *next);
        let is_last = index + 1 == changes.len();
        if until.saturating_sub(*at) < SETTLED && !is_last {
            contested.get_or_insert(*at);
            continue;
        }
        let since = contested.take().unwrap_or(*at);
        match periods.last_mut() {
            Some(before) if before.version == *version => before.until = until,
            _ => periods.push(Period {
                version: (*version).to_owned(),
                from: *at,
                until,
                handover: at.saturating_sub(since),
                answers: 0,
            }),
        }
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn told(changes: &[(u64, &str)], end: u64) -> Vec<(String, u128, u128, u128)> {
        let changes: Vec<_> = changes.iter().map(|(at, version)| (ms(*at), *version)).collect();
        let millis = |period: &Period| {
            (period.from.as_millis(), period.until.as_millis(), period.handover.as_millis())
        };
        let periods = timeline(&changes, ms(end)).into_iter();
        periods.map(|p| (p.version.clone(), millis(&p).0, millis(&p).1, millis(&p).2)).collect()
    }

    #[test]
    fn each_change_begins_a_period() {
        let periods = told(&[(0, "1"), (3000, "2"), (5000, "1")], 6000);
        let one = |from, until| ("1".to_owned(), from, until, 0);
        assert_eq!(periods, [one(0, 3000), ("2".to_owned(), 3000, 5000, 0), one(5000, 6000)]);
    }

    #[test]
    fn what_is_taken_in_another_order_is_the_handover() {
        let periods = told(&[(0, "1"), (3000, "2"), (3001, "1"), (3002, "2")], 6000);
        assert_eq!(periods, [("1".to_owned(), 0, 3000, 0), ("2".to_owned(), 3002, 6000, 2)]);
    }

    #[test]
    fn a_moment_of_another_version_does_not_part_a_period() {
        let periods = told(&[(0, "1"), (3000, "2"), (3005, "1")], 6000);
        assert_eq!(periods, [("1".to_owned(), 0, 6000, 0)]);
    }

    #[test]
    fn no_answers_make_no_period() {
        assert_eq!(told(&[], 6000), []);
    }
}
