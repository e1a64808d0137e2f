//! The rule by which a release is found worse than the one before. Pure.

use cutover_proxyconf::Slot;

use super::{Heard, Judged, Tally};

/// How sure the rule has to be: the quantile of the normal distribution that 99.9 % lie below.
const SURE: f64 = 3.09;

/// Medians below this, in milliseconds, are all alike: nginx tells whole milliseconds.
const ALIKE: u64 = 5;

/// And 99th percentiles below this: on a busy machine the kernel has a process wait for some tens of milliseconds now and then,
/// and one that has little to do, as with a small share of the clients, more often than one that is at work all the time.
const ALIKE_AT_WORST: u64 = 25;

/// How many seconds with slow requests there have to be: one pause of the machine makes no release slow.
const SECONDS: usize = 3;

/// What a release may not do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// The greatest share of requests that may fail beyond the share that failed with the release before.
    pub max_error_rate: f64,
    /// How many times the median of the release before that of the new one may be.
    pub max_p50_ratio: f64,
    /// How many times the 99th percentile of the release before that of the new one may be.
    pub max_p99_ratio: f64,
    /// With fewer requests nothing is judged.
    pub min_requests: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { max_error_rate: 0.01, max_p50_ratio: 2.0, max_p99_ratio: 3.0, min_requests: 100 }
    }
}

/// What the rule finds.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// There are too few requests to tell.
    TooFew,
    /// Nothing speaks against the release.
    Well,
    /// It is worse than allowed; why.
    Worse(String),
}

impl Rule {
    /// Compares what was heard of the release in `slot` with what was heard of the one before.
    #[must_use]
    pub fn judge(&self, slot: Slot, old: &Tally, new: &Tally) -> Verdict {
        if self.judged(old, new) == Judged::Nothing {
            return Verdict::TooFew;
        }
        let slow = || {
            let each = [(Percentile::P50, self.max_p50_ratio), (Percentile::P99, self.max_p99_ratio)];
            each.into_iter().find_map(|(percentile, ratio)| self.slow(slot, percentile, ratio, (old, new)))
        };
        match self.failing(slot, old, new).or_else(slow) {
            Some(why) => Verdict::Worse(why),
            None => Verdict::Well,
        }
    }

    /// What there are enough requests to judge.
    #[must_use]
    pub fn judged(&self, old: &Tally, new: &Tally) -> Judged {
        if new.requests() < self.min_requests {
            Judged::Nothing
        } else if old.timed().min(new.timed()) < self.min_requests {
            Judged::Failures
        } else {
            Judged::All
        }
    }

    fn failing(&self, slot: Slot, old: &Tally, new: &Tally) -> Option<String> {
        let before = share(old.failed(), old.requests());
        if at_least(new.failed(), new.requests()) <= before + self.max_error_rate {
            return None;
        }
        let told =
            |tally: &Tally| format!("{} of {} ({:.1} %)", tally.failed(), tally.requests(), percent(tally));
        let (allowed, other) = (self.max_error_rate * 100.0, slot.other());
        Some(format!(
            "{slot} failed {} requests and {other} {}; {allowed:.1} % more are allowed",
            told(new),
            told(old)
        ))
    }

    fn slow(
        &self,
        slot: Slot,
        percentile: Percentile,
        ratio: f64,
        (old, new): (&Tally, &Tally),
    ) -> Option<String> {
        if self.judged(old, new) != Judged::All {
            return None;
        }
        let before = old.ranked(percentile.upper_rank(old.timed()))?.max(percentile.alike());
        let limit = milliseconds(before, ratio);
        let (slow, with) = new.seconds_slower_than(limit);
        let lasting = slow >= SECONDS && slow * 2 >= with;
        if !lasting || at_least(new.slower_than(limit), new.timed()) <= 1.0 - percentile.share() {
            return None;
        }
        let of = |tally: &Tally| percentile.of(&tally.heard()).unwrap_or_default();
        let (now, was, other, name) = (of(new), of(old), slot.other(), percentile.name());
        Some(format!(
            "{slot} takes {now} ms where {other} took {was} ms ({name} of {} requests and {}); {ratio} times as long is allowed",
            new.timed(),
            old.timed()
        ))
    }
}

fn percent(tally: &Tally) -> f64 {
    share(tally.failed(), tally.requests()) * 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The share that is surely reached where `part` of `whole` were counted: the lower end of Wilson's interval
/// (Wilson 1927, Journal of the American Statistical Association 22, 209–212).
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
fn at_least(part: u64, whole: u64) -> f64 {
    let (rate, count, square) = (share(part, whole), whole.max(1) as f64, SURE * SURE);
    let middle = rate + square / (2.0 * count);
    let width = SURE * (rate * (1.0 - rate) / count + square / (4.0 * count * count)).sqrt();
    ((middle - width) / (1.0 + square / count)).max(0.0)
}

/// What of the times is compared.
#[derive(Clone, Copy, Debug)]
enum Percentile {
    P50,
    P99,
}

impl Percentile {
    fn share(self) -> f64 {
        match self {
            Self::P50 => 0.5,
            Self::P99 => 0.99,
        }
    }

    /// Times up to this, in milliseconds, are taken for this.
    fn alike(self) -> u64 {
        match self {
            Self::P50 => ALIKE,
            Self::P99 => ALIKE_AT_WORST,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P99 => "p99",
        }
    }

    fn of(self, heard: &Heard) -> Option<u64> {
        match self {
            Self::P50 => heard.p50_ms,
            Self::P99 => heard.p99_ms,
        }
    }

    /// The rank of the request that the percentile surely does not lie above.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank lies between 0 and the count, which is far below 2^52"
    )]
    fn upper_rank(self, count: u64) -> u64 {
        let (whole, share) = (count as f64, self.share());
        let rank = share * whole + SURE * (whole * share * (1.0 - share)).sqrt();
        (rank.ceil() as u64).min(count)
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "milliseconds of a request are far below 2^52, and a ratio is not negative"
)]
fn milliseconds(time: u64, ratio: f64) -> u64 {
    (time as f64 * ratio) as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cutover_proxyconf::Slot::Green;

    use super::*;

    /// Requests at 50 a second, of which each `nth` fails, with these times in turn.
    fn tally(count: usize, nth: usize, times: &[u64]) -> Tally {
        let mut tally = Tally::default();
        for number in 0..count {
            let time = Duration::from_millis(times[number % times.len()]);
            tally.add(number % nth == nth - 1, Some((number / 50, time)));
        }
        tally
    }

    const NEVER: usize = usize::MAX;

    fn worse(old: &Tally, new: &Tally) -> bool {
        matches!(Rule::default().judge(Green, old, new), Verdict::Worse(_))
    }

    #[test]
    fn failures_beyond_those_of_before_are_found_once_there_is_enough_to_be_sure() {
        let good = tally(500, NEVER, &[10]);
        assert_eq!(Rule::default().judge(Green, &good, &tally(99, 2, &[10])), Verdict::TooFew);
        assert!(worse(&good, &tally(100, 20, &[10])), "5 % of 100");
        assert!(worse(&Tally::default(), &tally(100, 20, &[10])), "5 % with nothing to compare with");
        assert!(!worse(&good, &tally(100, 50, &[10])), "2 of 100 may be chance");
        assert!(worse(&good, &tally(2000, 50, &[10])), "2 % of 2000 is not");
        assert!(!worse(&tally(500, 20, &[10]), &tally(500, 20, &[10])), "it was no better before");
        assert!(!worse(&good, &tally(10_000, 100, &[10])), "1 % is allowed");
    }

    #[test]
    fn three_times_as_slow_is_found_whatever_the_times_are_spread_over() {
        for times in [&[20][..], &[10, 12, 30, 11], &[8, 9, 10, 11, 12, 13, 14, 15, 16, 90]] {
            let slower: Vec<u64> = times.iter().map(|time| time * 3).collect();
            let (old, new) = (tally(500, NEVER, times), tally(500, NEVER, &slower));
            assert!(worse(&old, &new), "{times:?}");
            assert!(!worse(&old, &old), "{times:?}");
        }
    }

    #[test]
    fn a_slow_tail_is_found_by_the_99th_percentile_and_a_noisy_one_hides_no_slow_median() {
        let mut tail = vec![20; 49];
        let good = tally(500, NEVER, &tail);
        tail.extend([300; 2]);
        let told = Rule::default().judge(Green, &good, &tally(1000, NEVER, &tail));
        assert!(matches!(&told, Verdict::Worse(why) if why.contains("p99")), "{told:?}");
        let noisy = tally(500, NEVER, &[20, 20, 20, 20, 20, 20, 20, 20, 20, 90]);
        assert!(worse(&noisy, &tally(500, NEVER, &[60])));
    }

    #[test]
    fn one_pause_makes_no_release_slow_and_milliseconds_are_no_ratio() {
        let good = tally(500, NEVER, &[20]);
        let mut paused = tally(450, NEVER, &[20]);
        (0..50).for_each(|_| paused.add(false, Some((5, Duration::from_millis(400)))));
        assert!(!worse(&good, &paused));
        assert!(!worse(&tally(500, NEVER, &[0, 1]), &tally(500, NEVER, &[3, 4])));
        // Seen with two compilers at work on two processors, of the same release twice.
        let quick = tally(11_679, NEVER, &[0; 100]);
        let mut waits = vec![0; 96];
        waits.extend([42; 4]);
        assert!(!worse(&quick, &tally(618, NEVER, &waits)));
        assert!(!worse(&tally(50, NEVER, &[20]), &tally(500, NEVER, &[200])), "too little to compare with");
    }

    #[test]
    fn the_reason_names_both_releases() {
        let told = |old, new| match Rule::default().judge(Green, &old, &new) {
            Verdict::Worse(why) => why,
            verdict => panic!("{verdict:?}"),
        };
        assert_eq!(
            told(tally(300, NEVER, &[10]), tally(400, 20, &[10])),
            "green failed 20 of 400 (5.0 %) requests and blue 0 of 300 (0.0 %); 1.0 % more are allowed"
        );
        assert_eq!(
            told(tally(300, NEVER, &[20]), tally(400, NEVER, &[60])),
            "green takes 60 ms where blue took 20 ms (p50 of 400 requests and 300); 2 times as long is allowed"
        );
    }

    /// What is the same is found worse by chance alone, in none of a thousand tries with each of several sizes.
    #[test]
    fn a_release_that_is_as_good_is_never_found_worse() {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed % 10_000
        };
        for size in [100, 300, 1000] {
            for run in 0..1000 {
                let mut made = |count: usize| {
                    let mut tally = Tally::default();
                    for number in 0..count {
                        // 0.5 % fail; times have a long tail.
                        let (failed, draw) = (next() < 50, next());
                        let time = 10 + draw / 500 + draw.saturating_sub(9_800);
                        tally.add(failed, Some((number / 50, Duration::from_millis(time))));
                    }
                    tally
                };
                let (old, new) = (made(size), made(size));
                assert!(!worse(&old, &new), "run {run} of {size}");
            }
        }
    }
}
