//! How things look: data on stdout, narration on stderr, for a person on a terminal, in lines, or not at all.

mod lines;
mod runner;
mod terminal;

use std::io::{IsTerminal as _, Write as _};

use serde::Serialize;

use crate::args::{Color, Global};
use crate::failure::Failure;
use crate::github;
use crate::report::{Report, Silent};

/// Where a command's words go.
pub struct Output {
    json: bool,
    colour: bool,
    report: Box<dyn Report>,
}

impl Output {
    /// The output that the command line asks for.
    #[must_use]
    pub fn new(global: &Global) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !unwanted,
        };
        let report: Box<dyn Report> = if global.quiet {
            Box::new(Silent)
        } else if let Some(runner) = runner::Runner::observe() {
            Box::new(runner)
        } else if terminal && global.verbose == 0 {
            Box::new(terminal::Terminal::new(colour))
        } else {
            Box::new(lines::Lines::new(colour))
        };
        Self { json: global.json, colour, report }
    }

    /// Who is told while a command runs.
    #[must_use]
    pub fn report(&self) -> &dyn Report {
        &*self.report
    }

    /// Prints data: as one JSON object, or as the text for a person.
    pub fn data<T: Serialize>(&self, data: &T, text: impl FnOnce() -> String) {
        let text = match self.json {
            true => serde_json::to_string(data).unwrap_or_default(),
            false => text(),
        };
        self.text(&text);
    }

    /// Prints text as it is; `--json` changes nothing of it.
    pub fn text(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let mut out = std::io::stdout().lock();
        // A reader that went away (`| head`) is no fault of the command's.
        drop(write!(out, "{text}{end}").and_then(|()| out.flush()));
    }

    /// What data for a person is written to: stdout, or stderr where that has one JSON object alone.
    #[must_use]
    pub fn writer(&self) -> Box<dyn std::io::Write + Send> {
        if self.json { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) }
    }

    /// Tells a failure on stderr.
    pub fn failure(&self, failure: &Failure) {
        let mut stderr = std::io::stderr().lock();
        drop(writeln!(stderr, "{}", failure.render(self.colour)));
        if github::is_here() {
            drop(writeln!(stderr, "{}", github::error(&failure.reason(), failure.invalid())));
        }
    }

    /// Whether narration has colours.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// Whether data is printed as JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }
}

/// Seconds for a person: `12 ms`, `3.4 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.1} s") }
}
