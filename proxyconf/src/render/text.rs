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

/// A time in nginx's units.
pub(super) fn time(duration: Duration) -> String {
    if duration.subsec_nanos() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}
