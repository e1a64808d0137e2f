//! Whether a quantity is at its end what it was at its beginning.

use super::Look;

/// When a quantity is level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// It is counted, and its highest at last is not above its highest at first.
    Same,
    /// It varies by itself: its median at last is at most so much above its median at first, as a share and on top.
    Within {
        /// A share of what it was.
        share: f64,
        /// What may come on top, in its unit.
        more: f64,
    },
    /// Its highest is never above this.
    AtMost(f64),
    /// It is told and not judged: others have a part in it.
    Told,
}

/// A quantity over a soak.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// What it is, with its unit.
    pub what: &'static str,
    /// When it is level.
    pub rule: Rule,
    /// At first.
    pub first: f64,
    /// At last.
    pub last: f64,
}

impl Level {
    fn of(what: &'static str, rule: Rule, values: &[f64], window: usize) -> Option<Self> {
        let (head, tail) = (values.get(window..)?, values);
        let tenth = (head.len() / 10).max(window).min(head.len());
        let (first, last) = (&head[..tenth], &tail[tail.len().saturating_sub(tenth)..]);
        let told = |values: &[f64]| match rule {
            Rule::Within { .. } | Rule::Told => median(values),
            Rule::Same | Rule::AtMost(_) => values.iter().copied().max_by(f64::total_cmp),
        };
        Some(Self { what, rule, first: told(first)?, last: told(last)? })
    }

    fn limit(&self) -> f64 {
        match self.rule {
            Rule::Same => self.first,
            Rule::Within { share, more } => self.first * (1.0 + share) + more,
            Rule::AtMost(most) => most,
            Rule::Told => f64::INFINITY,
        }
    }

    /// What is wrong with it, if it is not level.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let Self { what, first, last, .. } = self;
        (*last > self.limit()).then(|| {
            format!(
                "{what}: {} at first, {} at last, more than {}",
                told(*first),
                told(*last),
                told(self.limit())
            )
        })
    }

    pub(super) fn cells(&self) -> Vec<String> {
        let rule = match self.rule {
            Rule::Same => "not above the first".to_owned(),
            Rule::Within { share, more } => {
                format!("at most {:.0}% and {} above the first", share * 100.0, told(more))
            }
            Rule::AtMost(most) => format!("at most {}", told(most)),
            Rule::Told => "told only: others use it too".to_owned(),
        };
        vec![self.what.to_owned(), told(self.first), told(self.last), rule]
    }
}

/// Every quantity of these looks, whose warm-up is as long as the shortest stretch that is compared.
pub(super) fn levels(looks: &[Look], window: usize) -> Vec<Level> {
    let Some(look) = looks.first() else { return Vec::new() };
    let quantities = look.quantities().into_iter().enumerate();
    quantities
        .filter_map(|(at, (what, rule, _))| {
            let values: Vec<f64> = looks.iter().filter_map(|look| look.quantities()[at].2).collect();
            Level::of(what, rule, &values, window.min(values.len() / 3))
        })
        .collect()
}

fn median(values: &[f64]) -> Option<f64> {
    values.iter().copied().collect::<crate::bench::Sample>().median()
}

/// Whole where it is whole, with one place otherwise.
fn told(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(rule: Rule, values: &[f64]) -> Option<String> {
        Level::of("it", rule, values, 2).unwrap().fault()
    }

    #[test]
    fn what_is_counted_may_not_end_higher_than_it_began() {
        assert_eq!(fault(Rule::Same, &[9.0, 9.0, 2.0, 3.0, 2.0, 3.0]), None);
        let grown = fault(Rule::Same, &[9.0, 9.0, 2.0, 3.0, 2.0, 4.0]).unwrap();
        assert_eq!(grown, "it: 3 at first, 4 at last, more than 3");
    }

    #[test]
    fn what_varies_may_by_a_share_and_something() {
        let rule = Rule::Within { share: 0.1, more: 1.0 };
        assert_eq!(fault(rule, &[0.0, 0.0, 10.0, 10.0, 99.0, 12.0, 12.0]), None);
        assert!(fault(rule, &[0.0, 0.0, 10.0, 10.0, 12.1, 12.1]).is_some());
    }

    #[test]
    fn what_others_use_is_never_a_fault() {
        assert_eq!(fault(Rule::Told, &[0.0, 0.0, 1.0, 1.0, 9.0, 9.0]), None);
        assert!(fault(Rule::AtMost(8.0), &[0.0, 0.0, 1.0, 1.0, 9.0, 9.0]).is_some());
    }

    #[test]
    fn the_warm_up_is_left_out_and_a_tenth_is_compared() {
        let values: Vec<f64> = (0..42).map(f64::from).collect();
        let level = Level::of("it", Rule::Same, &values, 2).unwrap();
        assert_eq!((level.first, level.last), (5.0, 41.0));
    }
}
