//! From values of YAML to texts, lists, numbers and times, with variables filled in.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use super::interpolate::{self, Filled};
use super::yaml::{Node, Value};
use crate::config::value::Size;
use crate::config::{Invalid, Source};

pub(super) type Read<T> = Result<T, Invalid>;

/// Reads the values of one file, and gathers what is to be told of them.
pub(super) struct Reader<'a> {
    source: Source,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    warnings: RefCell<Vec<Invalid>>,
}

/// A text of the file.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether the value of any variable is in it.
    pub(super) variable: bool,
    pub(super) span: Range<usize>,
}

/// A name and its value, of a mapping or of a list of `NAME=value`.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) name: String,
    /// None where only the name is written.
    pub(super) value: Option<Text>,
    pub(super) span: Range<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: Source, lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { source, lookup, warnings: RefCell::default() }
    }

    pub(super) fn invalid(&self, span: &Range<usize>, problem: impl Into<String>, mend: &str) -> Invalid {
        self.source.invalid(span.clone(), problem, Some(mend))
    }

    pub(super) fn warn(&self, span: &Range<usize>, problem: impl Into<String>, mend: &str) {
        self.warnings.borrow_mut().push(self.invalid(span, problem, mend));
    }

    /// The source, and what was gathered.
    pub(super) fn end(self) -> (Source, Vec<Invalid>) {
        (self.source, self.warnings.into_inner())
    }

    pub(super) fn lookup(&self, name: &str) -> Option<String> {
        (self.lookup)(name)
    }

    /// A text as it stands, its variables filled in. Numbers and truths are texts too.
    pub(super) fn text(&self, node: &Node) -> Read<Text> {
        let Value::Text { text, plain } = &node.value else {
            return Err(self.invalid(&node.span, "this is no text", "write one value, in quotes"));
        };
        let filled = interpolate::fill(text, self.lookup)
            .map_err(|error| self.invalid(&node.span, error.to_string(), error.mend()))?;
        let Filled { text, variable, unset } = filled;
        for name in unset {
            let problem = format!("the variable {name} is not set, and stands for nothing");
            self.warn(&node.span, problem, "set it, or say what stands for it: `${NAME:-default}`");
        }
        let text = if *plain && !variable { self.number(&node.span, &text) } else { text };
        Ok(Text { text, variable, span: node.span.clone() })
    }

    /// What a plain number is to Compose: `1.10` is 1.1, and 010 is 8.
    fn number(&self, span: &Range<usize>, text: &str) -> String {
        let read = as_number(text).unwrap_or_else(|| text.to_owned());
        if read != text {
            let problem = format!("`{text}` is the number {read}");
            self.warn(span, problem, "write it in quotes if it is meant as it stands");
        }
        read
    }

    pub(super) fn texts(&self, node: &Node) -> Read<Vec<String>> {
        Ok(self.list(node)?.into_iter().map(|text| text.text).collect())
    }

    /// A list of texts.
    pub(super) fn list(&self, node: &Node) -> Read<Vec<Text>> {
        match &node.value {
            Value::List(items) => items.iter().map(|item| self.text(item)).collect(),
            Value::Null => Ok(Vec::new()),
            _ => Err(self.invalid(
                &node.span,
                "this is no list",
                "write each on a line of its own, behind `- `",
            )),
        }
    }

    /// A text, or a list of them.
    pub(super) fn one_or_many(&self, node: &Node) -> Read<Vec<Text>> {
        if let Value::Text { .. } = node.value { Ok(vec![self.text(node)?]) } else { self.list(node) }
    }

    /// A mapping, or a list of `NAME=value`.
    pub(super) fn pairs(&self, node: &Node) -> Read<Vec<Pair>> {
        match &node.value {
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| {
                    let text = if value.is_null() { None } else { Some(self.text(value)?) };
                    Ok(Pair { name: key.text.clone(), value: text, span: key.span.clone() })
                })
                .collect(),
            _ => Ok(self.list(node)?.into_iter().map(pair).collect()),
        }
    }

    pub(super) fn truth(&self, node: &Node) -> Read<bool> {
        let text = self.text(node)?;
        match text.text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Ok(true),
            "false" | "no" | "off" | "n" => Ok(false),
            _ => Err(self.invalid(&node.span, "this is neither true nor false", "write true or false")),
        }
    }

    pub(super) fn integer(&self, node: &Node) -> Read<i64> {
        let text = self.text(node)?.text;
        text.trim().parse().map_err(|_| self.invalid(&node.span, "this is no whole number", "write digits"))
    }

    /// A number of bytes: `512m`, `1gb`, or a number alone.
    pub(super) fn bytes(&self, node: &Node) -> Read<u64> {
        let text = self.text(node)?.text;
        text.trim().parse::<Size>().map(|size| size.0).map_err(|_| {
            let mend = "write a whole number and its unit, such as \"512k\", \"64m\" or \"2g\"";
            self.invalid(&node.span, format!("`{text}` is not a size"), mend)
        })
    }

    /// A length of time: `1m30s`.
    pub(super) fn time(&self, node: &Node) -> Read<Duration> {
        let text = self.text(node)?.text;
        time(text.trim()).ok_or_else(|| {
            let mend = "write numbers and their units, such as \"10s\", \"1m30s\" or \"500ms\"";
            self.invalid(&node.span, format!("`{text}` is not a length of time"), mend)
        })
    }
}

fn pair(text: Text) -> Pair {
    let span = text.span.clone();
    match text.text.split_once('=') {
        None => Pair { name: text.text, value: None, span },
        Some((name, value)) => {
            let value = Text { text: value.to_owned(), variable: text.variable, span: text.span };
            Pair { name: name.to_owned(), value: Some(value), span }
        }
    }
}

fn as_number(text: &str) -> Option<String> {
    let digits = text.trim_start_matches(['-', '+']);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let radix = |prefix: &str, radix| {
        let digits = digits.strip_prefix(prefix).filter(|digits| !digits.is_empty())?;
        i64::from_str_radix(digits, radix).ok().map(|number| number.to_string())
    };
    let plain = digits.replace('_', "");
    let octal = || {
        let octal = plain.len() > 1 && plain.starts_with('0') && plain.bytes().all(|b| b.is_ascii_digit());
        octal.then(|| i64::from_str_radix(&plain, 8).ok().map(|number| number.to_string())).flatten()
    };
    let sign = if text.starts_with('-') { "-" } else { "" };
    let whole = || plain.bytes().all(|b| b.is_ascii_digit()).then(|| plain.clone());
    let float = || {
        let form = plain.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
        plain.parse::<f64>().ok().filter(|float| form && float.is_finite()).map(|float| float.to_string())
    };
    let number = radix("0x", 16).or_else(|| radix("0o", 8)).or_else(octal).or_else(whole).or_else(float)?;
    Some(format!("{sign}{number}"))
}

/// A length of time as Go writes it.
fn time(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, Duration::ZERO);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, seconds) =
            [("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9), ("h", 3600.0), ("m", 60.0), ("s", 1.0)]
                .into_iter()
                .find(|(unit, _)| rest.starts_with(unit))?;
        rest = &rest[unit.len()..];
        total = total.checked_add(Duration::try_from_secs_f64(number * seconds).ok()?)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_what_they_are_to_compose() {
        for (text, number) in [
            ("1.10", "1.1"),
            ("010", "8"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("-5", "-5"),
            ("0", "0"),
            ("2.5", "2.5"),
        ] {
            assert_eq!(as_number(text).as_deref(), Some(number), "{text}");
        }
        for text in ["1.2.3", "512m", "a", "", "-", "22:22", "1e", "0b2"] {
            assert_eq!(as_number(text), None, "{text}");
        }
    }

    #[test]
    fn times_add_up() {
        for (text, ms) in [("1m30s", 90_000), ("500ms", 500), ("1h", 3_600_000), ("2.5s", 2_500), ("0s", 0)] {
            assert_eq!(time(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "10", "s", "1d", "-1s", "1s 2s"] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
