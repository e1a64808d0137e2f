//! What is wrong with the configuration, and where: the file's line, shown.

use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::outline::Outline;
use crate::veil::veil;

/// A configuration's text and the path it was read from.
///
/// What is written in the place of a secret's source is masked, and so are the user and password of an address: this text
/// is for showing.
#[derive(Clone, Debug)]
pub struct Source {
    path: Arc<Path>,
    text: Arc<str>,
    /// Other files that are part of it, each with the byte at which its places start.
    joined: Arc<[(usize, Source)]>,
}

impl Source {
    /// A source of this text.
    #[must_use]
    pub fn new(path: &Path, text: &str) -> Self {
        Self::masked(path, &masked(text))
    }

    /// A source of a text in which whatever may be a secret is masked already.
    #[must_use]
    pub(crate) fn masked(path: &Path, text: &str) -> Self {
        Self { path: path.into(), text: veil(text).into_owned().into(), joined: [].into() }
    }

    /// Makes another file part of this one, as if it stood behind it; the byte at which its places start.
    pub(crate) fn join(&mut self, other: Source) -> usize {
        let end = |source: &Source, start: usize| start + source.text.len() + 1;
        let start = self.joined.last().map_or(end(self, 0), |(start, last)| end(last, *start));
        self.joined = self.joined.iter().cloned().chain([(start, other)]).collect();
        start
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text, each byte of which stands where it stands in the file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong at these bytes of it, with the mend if there is one. `0..0` is nowhere: that of a value unwritten.
    #[must_use]
    pub fn invalid(&self, span: Range<usize>, problem: impl Into<String>, mend: Option<&str>) -> Invalid {
        if let Some((start, other)) = self.joined.iter().rev().find(|(start, _)| *start <= span.start) {
            return other.invalid(span.start - start..span.end.saturating_sub(*start), problem, mend);
        }
        Invalid {
            source: self.clone(),
            span: (span != (0..0)).then_some(span),
            problem: printable(&veil(&problem.into())),
            mend: mend.map(|mend| printable(&veil(mend))),
        }
    }
}

/// The text on one line, and without what a terminal would obey.
fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// The text with every byte of what may be a secret as `*`, but for quotes and the ends of lines.
fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for span in Outline::of(text).exposed() {
        for byte in bytes.get_mut(span).into_iter().flatten().filter(|byte| !b"\"'\r\n".contains(byte)) {
            *byte = b'*';
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// A configuration that says something wrong, with the place.
#[derive(Clone, Debug)]
pub struct Invalid {
    source: Source,
    span: Option<Range<usize>>,
    problem: String,
    mend: Option<String>,
}

impl Invalid {
    /// Line and column of the place, both from 1; none for a problem of the whole file.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        let before = self.source.text.get(..self.span.as_ref()?.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Some((line, column))
    }

    /// The problem in one line, without the place.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// How it is mended, where that is known.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        self.mend.as_deref()
    }

    /// The file concerned.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.source.path
    }

    /// The problem in one line, with its place and its mend.
    #[must_use]
    pub fn line(&self) -> String {
        self.mend.as_ref().map_or_else(|| self.to_string(), |mend| format!("{self} ({mend})"))
    }

    /// The problem with the file's line, for a person.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let path = self.source.path.display().to_string();
        let problem = Level::ERROR.primary_title(self.problem.as_str());
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let Some(span) = self.span.clone() else {
            let mut group = problem.element(annotate_snippets::Origin::path(path.as_str()));
            if let Some(mend) = &self.mend {
                group = group.element(Level::HELP.message(mend.as_str()));
            }
            return renderer.render(&[group]);
        };
        let snippet = Snippet::source(&*self.source.text)
            .path(path.as_str())
            .annotation(AnnotationKind::Primary.span(span));
        let mut group = problem.element(snippet);
        if let Some(mend) = &self.mend {
            group = group.element(Level::HELP.message(mend.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source.path.display())?;
        if let Some((line, column)) = self.place() {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for Invalid {}
