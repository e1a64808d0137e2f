//! Repeated measurements of one thing.

use std::time::Duration;

/// The measurements of one thing, in one unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// The middle one; the mean of the two middle ones of an even number. Nothing where nothing was measured.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() % 2 {
            1 => Some(sorted[middle]),
            _ => Some((sorted.get(middle.checked_sub(1)?)? + sorted[middle]) / 2.0),
        }
    }

    /// The smallest and the largest.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        let low = self.0.iter().copied().min_by(f64::total_cmp)?;
        Some((low, self.0.iter().copied().max_by(f64::total_cmp)?))
    }

    /// How often it was measured.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds a measurement.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// Adds a time, in milliseconds.
    pub fn push_time(&mut self, time: Duration) {
        self.push(time.as_secs_f64() * 1e3);
    }

    /// Each measurement divided by the other's of the same pair.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> Self {
        self.0.iter().zip(&other.0).map(|(one, other)| one / other).collect()
    }

    /// Each measurement less the other's of the same pair.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        self.0.iter().zip(&other.0).map(|(one, other)| one - other).collect()
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Sample {
        values.iter().copied().collect()
    }

    #[test]
    fn the_median_is_in_the_middle_whatever_the_order() {
        assert_eq!(of(&[9.0, 1.0, 2.0]).median(), Some(2.0));
        assert_eq!(of(&[9.0, 1.0, 2.0, 4.0]).median(), Some(3.0));
        assert_eq!(of(&[]).median(), None);
        assert_eq!(of(&[9.0, 1.0, 2.0]).range(), Some((1.0, 9.0)));
    }

    #[test]
    fn pairs_are_compared_one_by_one() {
        assert_eq!(of(&[8.0, 9.0]).less(&of(&[2.0, 3.0])), of(&[6.0, 6.0]));
        assert_eq!(of(&[8.0, 9.0]).ratio(&of(&[2.0, 3.0])), of(&[4.0, 3.0]));
    }
}
