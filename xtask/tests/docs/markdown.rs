//! As much of Markdown as the documents use.

use std::path::{Path, PathBuf};

use xtask::rig::place;

/// A document of the repository.
pub(crate) struct Document {
    /// Its path in the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A line of a document, by what it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    Prose(&'a str),
    /// Of a fenced block with its language, or of an indented block.
    Code(&'a str, &'a str),
}

impl Document {
    /// Every line with its number, from 1, and what it is part of. Fences themselves are left out.
    pub(crate) fn lines(&self) -> Vec<(usize, Line<'_>)> {
        let (mut lines, mut fence) = (Vec::new(), None);
        for (number, line) in (1..).zip(self.text.lines()) {
            if let Some(language) = line.trim_start().strip_prefix("```") {
                fence = if fence.is_some() { None } else { Some(language.trim()) };
                continue;
            }
            let indented =
                || line.strip_prefix("    ").filter(|rest| !rest.trim_start().starts_with(['-', '*']));
            lines.push((
                number,
                match fence.map(|language| Line::Code(language, line)) {
                    Some(code) => code,
                    None => indented().map_or(Line::Prose(line), |rest| Line::Code("", rest)),
                },
            ));
        }
        lines
    }

    /// The fenced blocks of a language, with the number of their first line.
    pub(crate) fn blocks(&self, language: &str) -> Vec<(usize, String)> {
        let mut blocks: Vec<(usize, String)> = Vec::new();
        let mut last = 0;
        for (number, line) in self.lines() {
            let Line::Code(of, text) = line else { continue };
            if of.split(',').next() != Some(language) {
                continue;
            }
            match blocks.last_mut() {
                Some((_, block)) if last + 1 == number => block.push_str(&format!("{text}\n")),
                _ => blocks.push((number, format!("{text}\n"))),
            }
            last = number;
        }
        blocks
    }

    /// Where something is said, for people.
    pub(crate) fn at(&self, number: usize) -> String {
        format!("{}:{number}", self.path.display())
    }
}

/// The code spans of a line of prose, and the line without them.
pub(crate) fn spans(line: &str) -> (Vec<&str>, String) {
    let parts: Vec<&str> = line.split('`').collect();
    let code = parts.iter().skip(1).step_by(2).copied().collect();
    (code, parts.iter().step_by(2).copied().collect())
}

/// Every document: in the root, in `docs`, in `examples` and beside each crate.
pub(crate) fn documents() -> Vec<Document> {
    let (root, mut found) = (place::workspace(), Vec::new());
    collect(&root, &root, &mut found);
    assert!(found.iter().any(|d| d.path == Path::new("README.md")), "no documents below {}", root.display());
    found
}

pub(crate) fn document(path: &str) -> Document {
    let text = std::fs::read_to_string(place::workspace().join(path));
    Document { path: path.into(), text: text.unwrap_or_else(|error| panic!("{path}: {error}")) }
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Document>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Built things, and what is not the project's.
        if name.starts_with('.') || path.join("CACHEDIR.TAG").exists() {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, found);
        } else if name.ends_with(".md") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(Document { path: path.strip_prefix(root).unwrap().to_owned(), text });
        }
    }
}

#[test]
fn code_is_told_from_prose() {
    let text = "a\n\n    cutover plan\n\n```sh\ncutover ship\nx\n```\n- b\n";
    let document = Document { path: "x.md".into(), text: text.to_owned() };
    let code: Vec<_> =
        document.lines().into_iter().filter(|(_, line)| matches!(line, Line::Code(..))).collect();
    assert_eq!(
        code,
        [
            (3, Line::Code("", "cutover plan")),
            (6, Line::Code("sh", "cutover ship")),
            (7, Line::Code("sh", "x"))
        ]
    );
    assert_eq!(document.blocks("sh"), [(6, "cutover ship\nx\n".to_owned())]);
    assert_eq!(spans("a `b` c `d`"), (vec!["b", "d"], "a  c ".to_owned()));
}
