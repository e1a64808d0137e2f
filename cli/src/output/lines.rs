//! Narration in plain lines, for a log.

use std::io::Write as _;

use super::seconds;
use crate::report::{Event, Report};

/// Tells each thing in a line of its own.
pub(super) struct Lines {
    colour: bool,
}

impl Lines {
    pub(super) fn new(colour: bool) -> Self {
        Self { colour }
    }

    fn line(&self, text: &str) {
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }
}

impl Report for Lines {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Planned(plan) if plan.steps.is_empty() => self.line("nothing to do"),
            Event::Begun(step) if step.waits() => self.line(&format!("{step} ...")),
            Event::Done(step, took) => self.line(&format!("{step}: done in {}", seconds(took.as_secs_f64()))),
            Event::Working(words) => self.line(&format!("{words} ...")),
            Event::Printed(line) => self.line(&format!("  {line}")),
            Event::Worked(words, took) => {
                self.line(&format!("{words}: done in {}", seconds(took.as_secs_f64())));
            }
            Event::Note(words) => self.line(words),
            Event::Warning(words) if self.colour => {
                self.line(&format!("\u{1b}[1;33mwarning\u{1b}[0m: {words}"));
            }
            Event::Warning(words) => self.line(&format!("warning: {words}")),
            _ => {}
        }
    }
}
