//! YAML as a tree in which everything knows where it stands.
//!
//! On `saphyr-parser`, which is kept up, passes the YAML test suite, and tells events with their places: `serde_yaml` is
//! archived, its forks tell no places, and what deserializes by serde loses them at merge keys. Aliases and merge keys
//! (`<<`) are done here, for they are no matter of a parser.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

/// A tree deeper than this is none of Compose's.
const DEEPEST: usize = 64;

/// So many values at most, those of aliases counted each time: a small text can stand for a giant tree.
const MOST: usize = 100_000;

/// A value and where it stands, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar, as it is written. `plain` when it has no quotes, and may be a number or a truth.
    Text { text: String, plain: bool },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in its order.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) span: Range<usize>,
}

/// What is wrong, and where in bytes.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) span: Range<usize>,
    pub(super) problem: String,
    pub(super) mend: &'static str,
}

impl Node {
    /// The value of this key, of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// The entry of this key, of a mapping.
    pub(super) fn entry(&self, key: &str) -> Option<&(Key, Self)> {
        self.entries().iter().find(|(name, _)| name.text == key)
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Key, Self)] {
        if let Value::Map(entries) = &self.value { entries } else { &[] }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// The first document of a text.
pub(super) fn parse(text: &str) -> Result<Node, Broken> {
    let mut composer = Composer {
        parser: Parser::new_from_str(text),
        bytes: text.char_indices().map(|(at, _)| at).chain([text.len()]).collect(),
        anchors: HashMap::new(),
        made: 0,
    };
    loop {
        match composer.next()? {
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (Event::StreamEnd | Event::DocumentEnd, span) => {
                return Ok(Node { span, value: Value::Null });
            }
            (event, span) => return composer.node(event, span, 0),
        }
    }
}

struct Composer<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// The byte at which each character starts: the parser counts characters.
    bytes: Vec<usize>,
    anchors: HashMap<usize, Node>,
    made: usize,
}

impl<'t> Composer<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Range<usize>), Broken> {
        match self.parser.next_event() {
            Some(Ok((event, Span { start, end }))) => Ok((event, self.byte(&start)..self.byte(&end))),
            Some(Err(error)) => {
                let at = self.byte(error.marker());
                let mend =
                    "indent with spaces, close what is opened, and put what holds `: ` or ` #` in quotes";
                Err(Broken { span: at..at, problem: format!("no YAML: {}", error.info()), mend })
            }
            None => Ok((Event::StreamEnd, 0..0)),
        }
    }

    fn byte(&self, marker: &Marker) -> usize {
        let last = self.bytes.last().copied().unwrap_or_default();
        self.bytes.get(marker.index()).copied().unwrap_or(last)
    }

    fn node(&mut self, event: Event<'t>, span: Range<usize>, depth: usize) -> Result<Node, Broken> {
        self.made += 1;
        if depth > DEEPEST || self.made > MOST {
            let mend = "write it flatter, and with fewer aliases";
            return Err(Broken {
                span,
                problem: "this is larger than a Compose file can be".to_owned(),
                mend,
            });
        }
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let null = plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let text = || Value::Text { text: text.clone().into_owned(), plain };
                (Node { span, value: if null { Value::Null } else { text() } }, anchor)
            }
            Event::SequenceStart(anchor, _) => (self.list(span, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(span, depth)?, anchor),
            _ => (Node { span, value: Value::Null }, 0),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, span: Range<usize>) -> Result<Node, Broken> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let problem = "an alias of what it stands in itself".to_owned();
            return Err(Broken { span, problem, mend: "end what has the anchor before the alias" });
        };
        self.made += size(&node);
        Ok(node)
    }

    fn list(&mut self, span: Range<usize>, depth: usize) -> Result<Node, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, end) => {
                    let span = span.start..end.end.max(span.end);
                    return Ok(Node { span, value: Value::List(items) });
                }
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, span: Range<usize>, depth: usize) -> Result<Node, Broken> {
        let (mut entries, mut merged) = (Vec::<(Key, Node)>::new(), Vec::new());
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                merge(&mut entries, merged);
                return Ok(Node { span: span.start..at.end.max(span.end), value: Value::Map(entries) });
            }
            let merges = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, ..) if *text == "<<");
            let key = self.node(event, at, depth + 1)?;
            let Node { span, value: Value::Text { text, .. } } = key else {
                let problem = "a key that is no name".to_owned();
                return Err(Broken { span: key.span, problem, mend: "write a name before the colon" });
            };
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            if merges {
                merged.extend(mergeable(value)?);
            } else if entries.iter().any(|(key, _)| key.text == text) {
                let problem = format!("`{text}` stands here before");
                return Err(Broken { span, problem, mend: "leave one of the two out" });
            } else {
                entries.push((Key { text, span }, value));
            }
        }
    }
}

fn size(node: &Node) -> usize {
    match &node.value {
        Value::Null | Value::Text { .. } => 1,
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| 1 + size(value)).sum::<usize>(),
    }
}

/// What a merge key brings: a mapping, or several, of which the first wins.
fn mergeable(node: Node) -> Result<Vec<(Key, Node)>, Broken> {
    let refused = |span| Broken {
        span,
        problem: "what is merged is no mapping".to_owned(),
        mend: "write `<<: *anchor`, or `<<: [*one, *other]`, of mappings",
    };
    match node.value {
        Value::Map(entries) => Ok(entries),
        Value::List(items) => {
            let mut all = Vec::new();
            for item in items {
                let Value::Map(entries) = item.value else { return Err(refused(item.span)) };
                all.extend(entries);
            }
            Ok(all)
        }
        Value::Null | Value::Text { .. } => Err(refused(node.span)),
    }
}

fn merge(entries: &mut Vec<(Key, Node)>, merged: Vec<(Key, Node)>) {
    for (key, value) in merged {
        if entries.iter().all(|(there, _)| there.text != key.text) {
            entries.push((key, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(node: &Node) -> &str {
        match &node.value {
            Value::Text { text, .. } => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_stands_where_it_stands_in_bytes() {
        let written = "é: ü\nlist:\n  - a: \"b\"\n";
        let root = parse(written).unwrap();
        let (key, value) = &root.entries()[0];
        assert_eq!((&written[key.span.clone()], &written[value.span.clone()]), ("é", "ü"));
        let Value::List(items) = &root.get("list").unwrap().value else { panic!() };
        let (key, value) = items[0].entry("a").unwrap();
        assert_eq!((&written[key.span.clone()], &written[value.span.clone()]), ("a", "\"b\""));
    }

    #[test]
    fn aliases_and_merges_are_done_and_what_is_written_wins() {
        let root =
            parse("x: &x { a: 1, b: 2 }\ny: &y { b: 3, c: 4 }\nz:\n  a: 0\n  <<: [*x, *y]\nw: *x\n").unwrap();
        let of = |map: &str, key: &str| text(root.get(map).unwrap().get(key).unwrap()).to_owned();
        assert_eq!([of("z", "a"), of("z", "b"), of("z", "c"), of("w", "a")], ["0", "2", "4", "1"]);
    }

    #[test]
    fn what_is_no_tree_is_refused_with_its_place() {
        let bomb = format!(
            "a: &a [{}]\nb: &b [{}]\nc: &c [{}]\nd: [{}]\n",
            "x,".repeat(50),
            "*a,".repeat(50),
            "*b,".repeat(50),
            "*c,".repeat(50)
        );
        let deep = "[".repeat(2_000);
        for (text, words) in [
            ("a: [1", "no YAML"),
            ("a: 1\na: 2", "stands here before"),
            ("? [a]\n: b", "no name"),
            ("<<: 1", "no mapping"),
            ("a: &a [*a]", "alias"),
            (bomb.as_str(), "larger"),
            (deep.as_str(), ""),
            ("a: *nowhere", "no YAML"),
        ] {
            let broken = parse(text).unwrap_err();
            assert!(broken.problem.contains(words), "{text}: {broken:?}");
        }
    }
}
