//! Narration in lines for the log of GitHub Actions: what is long is folded, and warnings are annotations.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lines::Lines;
use crate::github::command;
use crate::report::{Event, Report};

/// Tells things in lines, with GitHub's commands among them.
pub(super) struct Actions {
    lines: Lines,
    /// Whether a group is open. They cannot be nested.
    open: AtomicBool,
}

impl Actions {
    pub(super) fn new() -> Self {
        Self { lines: Lines::new(false), open: AtomicBool::new(false) }
    }

    fn say(&self, line: &str) {
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }

    fn close(&self) {
        if self.open.swap(false, Ordering::Relaxed) {
            self.say(&command("endgroup", &[], ""));
        }
    }
}

impl Report for Actions {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Planned(plan) if !plan.steps.is_empty() => {
                self.say(&command("group", &[], &format!("{} steps", plan.steps.len())));
                plan.steps.iter().for_each(|step| self.say(&step.to_string()));
                self.say(&command("endgroup", &[], ""));
            }
            Event::Working(words) => {
                self.close();
                self.open.store(true, Ordering::Relaxed);
                self.say(&command("group", &[], words));
            }
            Event::Worked(..) => {
                self.close();
                self.lines.tell(event);
            }
            Event::Warning(words) => self.say(&command("warning", &[("title", "cutover")], words)),
            event => self.lines.tell(event),
        }
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        self.close();
    }
}
