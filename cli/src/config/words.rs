//! What a parser says, turned to what is wrong and what mends it.

use std::ops::Range;

/// Stands between a problem and its mend in the one text that a parser's error can carry.
const MEND: char = '\u{1f}';

/// A key that is at least so near to a known one is taken for a slip.
const NEAR: f64 = 0.75;

/// What the parsers expect, in their words, and what a person writes there.
const EXPECTED: &[(&str, &str)] = &[
    ("a nonzero u16", "write a number from 1 to 65535, without quotes"),
    ("u8", "write a number from 1 to 64, without quotes"),
    ("u32", "write a number from 0 to 4294967295, without quotes"),
    ("f64", "write a number, without quotes"),
    ("a string", "write a string, in quotes"),
    ("path string", "write a path, in quotes"),
    ("a boolean", "write true or false, without quotes"),
    ("a sequence", "write a list, such as [\"a\", \"b\"]"),
    ("a map", "write a table, such as { name = \"value\" }"),
];

/// What is wrong, and what mends it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// The problem.
    pub(super) problem: String,
    /// Its mend.
    pub(super) mend: String,
    /// Where it is, in bytes, if the message says so.
    pub(super) span: Option<Range<usize>>,
}

/// One text of a problem and its mend, for an error that can carry no more.
pub(super) fn with_mend(problem: &str, mend: &str) -> String {
    format!("{problem}{MEND}{mend}")
}

/// The same with the place, for a parser that knows only that of the list or table around it.
pub(super) fn with_place(problem: &str, mend: &str, span: &Range<usize>) -> String {
    format!("{problem}{MEND}{mend}{MEND}{}{MEND}{}", span.start, span.end)
}

/// What a visitor expects, as advice.
pub(super) fn expecting(advice: &str) -> String {
    format!("{MEND}{advice}")
}

/// What a parser's message says.
pub(super) fn told(message: &str) -> Told {
    let message = message.trim_end();
    let mut parts = message.split(MEND);
    if let (Some(problem), Some(mend)) = (parts.next(), parts.next()) {
        let mut byte = || parts.next()?.parse().ok();
        let span = byte().zip(byte()).map(|(start, end)| start..end);
        let problem = problem.strip_suffix(", expected ").unwrap_or(problem);
        return Told { problem: problem.to_owned(), mend: mend.to_owned(), span };
    }
    let (problem, mend) = translated(message);
    Told { problem, mend, span: None }
}

fn translated(message: &str) -> (String, String) {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown("key", rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return unknown("value", rest);
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        let mend = format!("add {name} to this table");
        return (format!("{name} is missing"), mend);
    }
    if let Some(problem) = message.strip_suffix(", expected literal string") {
        return (problem.to_owned(), "put it in quotes".to_owned());
    }
    if let Some((problem, expected)) = message.split_once(", expected ") {
        return (problem.to_owned(), wanted(expected));
    }
    let mend = match message {
        "duplicate key" => "the name stands here before: leave one of the two out",
        "invalid socket address syntax" => "write an IP address and a port, such as \"127.0.0.1:9180\"",
        _ => "strings stand in quotes, tables in [brackets], and a line has one `name = value`",
    };
    (message.to_owned(), mend.to_owned())
}

fn wanted(expected: &str) -> String {
    let known = EXPECTED.iter().find(|(words, _)| *words == expected);
    let table =
        expected.starts_with("struct ").then(|| "write a table, such as { name = \"value\" }".to_owned());
    known.map(|(_, mend)| (*mend).to_owned()).or(table).unwrap_or_else(|| format!("put {expected} here"))
}

/// `` `imgae`, expected one of `image`, `port` ``.
fn unknown(what: &str, rest: &str) -> (String, String) {
    let (name, expected) = rest.split_once(", ").unwrap_or((rest, ""));
    let there: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let mend = match near(name.trim_matches('`'), &there) {
        Some(near) => format!("did you mean `{near}`?"),
        None if there.is_empty() => format!("leave out this {what}"),
        None => format!("the {what}s here are {}", there.join(", ")),
    };
    (format!("unknown {what} {name}"), mend)
}

/// The name among these that was probably meant.
pub(crate) fn near<'n>(name: &str, there: &[&'n str]) -> Option<&'n str> {
    let likeness = |other: &str| strsim::jaro_winkler(name, other);
    let nearest = there.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(nearest) >= NEAR).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(message: &str) -> (String, String) {
        let told = told(message);
        (told.problem, told.mend)
    }

    #[test]
    fn a_slip_is_answered_with_the_name_that_was_meant() {
        let (problem, mend) = words("unknown field `imgae`, expected one of `image`, `port`, `slots`");
        assert_eq!((problem.as_str(), mend.as_str()), ("unknown key `imgae`", "did you mean `image`?"));
        let (_, mend) = words("unknown field `zzz`, expected `image` or `port`");
        assert_eq!(mend, "the keys here are image, port");
    }

    #[test]
    fn a_wrong_type_is_answered_with_what_to_write() {
        let (problem, mend) = words("invalid type: string \"80\", expected a nonzero u16");
        assert_eq!(problem, "invalid type: string \"80\"");
        assert_eq!(mend, "write a number from 1 to 65535, without quotes");
        let (problem, mend) =
            words(&format!("invalid type: integer `5`, expected {}", expecting("write \"5s\"")));
        assert_eq!((problem.as_str(), mend.as_str()), ("invalid type: integer `5`", "write \"5s\""));
    }

    #[test]
    fn a_mend_and_a_place_given_along_come_out_as_they_went_in() {
        let (problem, mend, span) =
            ("`5` is not a time, expected".to_owned(), "write \"5s\"".to_owned(), 3..6);
        assert_eq!(told(&with_place(&problem, &mend, &span)), Told { problem, mend, span: Some(span) });
        assert_eq!(told(&with_mend("a", "b")), Told { problem: "a".into(), mend: "b".into(), span: None });
    }
}
