//! The words of a configuration, as nginx reads them (`ngx_conf_read_token`).

use std::iter::Peekable;
use std::str::Chars;

/// A simple directive, as its words, with the blocks around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Directive {
    pub(crate) blocks: Vec<Block>,
    pub(crate) words: Vec<String>,
}

/// A block: its name, and which one of its text it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) number: usize,
}

impl Directive {
    /// Its name, and what follows.
    pub(crate) fn split(&self) -> (&str, &[String]) {
        self.words.split_first().map_or(("", &[]), |(name, rest)| (name, rest))
    }
}

/// The simple directives of a text that nginx takes, in order.
pub(crate) fn directives(text: &str) -> Vec<Directive> {
    let (mut found, mut blocks, mut words) = (Vec::new(), Vec::new(), Vec::<String>::new());
    let mut number = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '#' => drop(chars.by_ref().find(|c| *c == '\n')),
            ';' => found.push(Directive { blocks: blocks.clone(), words: std::mem::take(&mut words) }),
            '{' => {
                number += 1;
                let name = std::mem::take(&mut words).into_iter().next().unwrap_or_default();
                blocks.push(Block { name, number });
            }
            '}' => drop(blocks.pop()),
            '"' | '\'' => words.push(quoted(c, &mut chars)),
            c if c.is_ascii_whitespace() => {}
            c => words.push(bare(c, &mut chars)),
        }
    }
    found
}

/// The word up to the closing quote.
fn quoted(quote: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(c) = chars.next().filter(|c| *c != quote) {
        push(&mut word, c, chars);
    }
    word
}

/// The word up to a space, `;` or `{`; `${` is part of one.
fn bare(first: char, chars: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    push(&mut word, first, chars);
    let mut variable = first == '$';
    while let Some(c) = chars.next_if(|c| !c.is_ascii_whitespace() && *c != ';' && (variable || *c != '{')) {
        variable = c == '$' || variable && c == '{';
        push(&mut word, c, chars);
    }
    word
}

/// A character, or what it stands for with the one after it.
fn push(word: &mut String, c: char, chars: &mut Peekable<Chars<'_>>) {
    match (c, if c == '\\' { chars.next() } else { None }) {
        (_, None) => word.push(c),
        (_, Some(escaped @ ('"' | '\'' | '\\'))) => word.push(escaped),
        (_, Some('t')) => word.push('\t'),
        (_, Some('r')) => word.push('\r'),
        (_, Some('n')) => word.push('\n'),
        (_, Some(other)) => word.extend([c, other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_nginx_reads_them() {
        for (text, words) in [
            ("a 'b c' d\\;e;", &["a", "b c", "d\\;e"][..]),
            ("a ${b}c \"${d} e\";", &["a", "${b}c", "${d} e"]),
            ("a \"\\\"\\n\\$\" '\"';", &["a", "\"\n\\$", "\""]),
            ("a b'c#d; # e;", &["a", "b'c#d"]),
        ] {
            let read = directives(text);
            assert_eq!(read.iter().map(|it| it.words.as_slice()).collect::<Vec<_>>(), [words], "{text}");
        }
    }

    #[test]
    fn blocks_of_one_name_are_told_apart() {
        let read = directives("a { b { c; } } a { d; } e;");
        let blocks = |at: usize| -> Vec<_> {
            read[at].blocks.iter().map(|block| (block.name.as_str(), block.number)).collect()
        };
        assert_eq!([blocks(0), blocks(1), blocks(2)], [vec![("a", 1), ("b", 2)], vec![("a", 3)], vec![]]);
    }
}
