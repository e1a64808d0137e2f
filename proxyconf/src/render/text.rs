//! Writing blocks and directives.

use std::fmt::{Arguments, Write};
use std::path::Path;
use std::time::Duration;

/// nginx configuration in the making.
#[derive(Debug, Default)]
pub(super) struct Text {
    out: String,
    depth: usize,
}

impl Text {
    /// A line as it is, indented.
    pub(super) fn line(&mut self, line: Arguments<'_>) {
        let indent = self.depth * 4;
        // Writing to a `String` cannot fail.
        _ = writeln!(self.out, "{:indent$}{line}", "");
    }

    /// A directive: `name value;`.
    pub(super) fn set(&mut self, name: &str, value: impl std::fmt::Display) {
        self.line(format_args!("{name} {value};"));
    }

    /// Directives of the user's, given as their words.
    pub(super) fn repeat(&mut self, name: &str, all: &[Vec<String>]) {
        for words in all {
            self.set(name, words.iter().map(|it| word(it)).collect::<Vec<_>>().join(" "));
        }
    }

    /// A block: `head { … }`.
    pub(super) fn block(&mut self, head: Arguments<'_>, body: impl FnOnce(&mut Self)) {
        self.line(format_args!("{head} {{"));
        self.depth += 1;
        body(self);
        self.depth -= 1;
        self.line(format_args!("}}"));
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.out.push('\n');
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}

/// A path in quotes. That nothing in it ends them was checked.
pub(super) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}

/// A word in quotes, whatever is in it. Variables in it stay variables.
pub(super) fn word(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A time in nginx's units.
pub(super) fn time(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}
