//! Lengths of time and numbers of bytes, with their units.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::form::Form;

/// A length of time: `500ms`, `10s`, `5m` or `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

/// Why a text is no [`Period`] or [`Size`].
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct NotAQuantity {
    text: String,
    wanted: &'static str,
}

impl Period {
    /// A period of whole seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Form for Period {
    const FORM: &'static str =
        "write a whole number and its unit, such as \"500ms\", \"10s\", \"5m\" or \"1h\"";
}

impl FromStr for Period {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotAQuantity { text: text.to_owned(), wanted: "a length of time" };
        let (number, unit) = split_unit(text).ok_or_else(error)?;
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(error()),
        };
        number.checked_mul(milliseconds).map(|ms| Self(Duration::from_millis(ms))).ok_or_else(error)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A number of bytes: `512k`, `64m` or `2g`, in powers of 1024 as Docker and nginx have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl Form for Size {
    const FORM: &'static str = "write a whole number and its unit, such as \"512k\", \"64m\" or \"2g\"";
}

impl FromStr for Size {
    type Err = NotAQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || NotAQuantity { text: text.to_owned(), wanted: "a size" };
        let (number, unit) = split_unit(text).ok_or_else(error)?;
        let factor: u64 = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1 << 10,
            "m" | "mb" => 1 << 20,
            "g" | "gb" => 1 << 30,
            _ => return Err(error()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(error)
    }
}

fn split_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_and_sizes_are_read_with_their_units() {
        for (text, ms) in [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("1h", 3_600_000), ("0s", 0)] {
            assert_eq!(text.parse::<Period>().unwrap().0, Duration::from_millis(ms), "{text}");
        }
        for (text, bytes) in [("0", 0), ("12b", 12), ("512k", 524_288), ("64M", 67_108_864), ("1g", 1 << 30)]
        {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        for text in ["", "10", "s", "-1s", "1.5s", "10 s", "99999999999999999999s", "9999999999999999h"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }
}
