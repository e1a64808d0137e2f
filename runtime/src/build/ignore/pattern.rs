//! One pattern, and what it matches.

use std::ops::RangeInclusive;

/// A pattern of a `.dockerignore`, cleaned and without its `!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// That character.
    Character(char),
    /// `?`: any but `/`.
    One,
    /// `*`: any number of any but `/`.
    Star,
    /// `**` or `**/` before something: nothing, or anything up to a `/`.
    Folders,
    /// `**` at the end: anything.
    Rest,
    /// `[a-z]`, or `[^a-z]`, which may be a `/` too.
    Class { negated: bool, ranges: Vec<RangeInclusive<char>> },
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut characters = text.chars().peekable();
        let mut parts = Vec::new();
        let mut joined = false;
        while let Some(character) = characters.next() {
            parts.push(match character {
                '*' if characters.next_if_eq(&'*').is_some() => {
                    let slash = characters.next_if_eq(&'/').is_some();
                    joined |= parts.is_empty() && !slash;
                    if characters.peek().is_none() { Part::Rest } else { Part::Folders }
                }
                '*' => Part::Star,
                '?' => Part::One,
                '[' => class(&mut characters)?,
                '\\' => Part::Character(escaped(&mut characters)?),
                other => Part::Character(other),
            });
        }
        // `**x` alone matches by its end, as in `ax`; with another wildcard in it, it does not.
        let plain =
            !text.contains('\\') && parts.iter().skip(1).all(|part| matches!(part, Part::Character(_)));
        if joined && plain {
            parts[0] = Part::Rest;
        }
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The pattern that matches that path and nothing else.
    pub(super) fn literal(path: &str) -> Self {
        Self { text: path.to_owned(), parts: path.chars().map(Part::Character).collect() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches the whole path. It takes no longer than the product of the two lengths.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        // Where in the path the parts so far may end.
        let mut ends = vec![false; path.len() + 1];
        ends[0] = true;
        for part in &self.parts {
            ends = part.advance(&path, &ends);
        }
        ends[path.len()]
    }
}

impl Part {
    fn advance(&self, path: &[char], from: &[bool]) -> Vec<bool> {
        let mut ends = vec![false; from.len()];
        let mut open = false;
        for at in 0..from.len() {
            let before = at.checked_sub(1).map(|before| path[before]);
            open |= from[at];
            ends[at] = match self {
                Self::Star => {
                    open = from[at] || (open && before != Some('/'));
                    open
                }
                Self::Rest => open,
                Self::Folders => from[at] || (open && before == Some('/')),
                one => before.is_some_and(|character| from[at - 1] && one.is(character)),
            };
        }
        ends
    }

    fn is(&self, character: char) -> bool {
        match self {
            Self::Character(wanted) => *wanted == character,
            Self::One => character != '/',
            Self::Class { negated, ranges } => {
                ranges.iter().any(|range| range.contains(&character)) != *negated
            }
            Self::Star | Self::Folders | Self::Rest => false,
        }
    }
}

/// The character after a backslash. Docker takes a letter or digit there for a class of a regular expression.
fn escaped(characters: &mut Characters<'_>) -> Result<char, &'static str> {
    match characters.next() {
        None => Err("it ends in a `\\` that escapes nothing"),
        Some(letter) if letter.is_ascii_alphanumeric() => {
            Err("a `\\` before a letter or digit means nothing: leave it out")
        }
        Some(other) => Ok(other),
    }
}

fn class(characters: &mut Characters<'_>) -> Result<Part, &'static str> {
    let negated = characters.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && characters.next_if_eq(&']').is_some() {
            return Ok(Part::Class { negated, ranges });
        }
        let first = member(characters)?;
        let last = if characters.next_if_eq(&'-').is_some() { member(characters)? } else { first };
        if first > last {
            return Err("a range between `[` and `]` runs backwards");
        }
        ranges.push(first..=last);
    }
}

fn member(characters: &mut Characters<'_>) -> Result<char, &'static str> {
    match characters.next() {
        None => Err("a `[` is never closed"),
        Some('\\') => escaped(characters),
        Some('-' | ']') => Err("`-` and `]` between `[` and `]` need a `\\` before them"),
        Some('*' | '?') => Err("`*` and `?` between `[` and `]` need a `\\` before them"),
        Some('[') if characters.peek() == Some(&':') => {
            Err("classes with a name, as `[:alpha:]`, are not known")
        }
        Some(other) => Ok(other),
    }
}
