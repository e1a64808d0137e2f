//! Narration in lines for the log of a CI runner, where what is long is folded.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::lines::Lines;
use crate::github::{self, command};
use crate::origin::variable;
use crate::report::{Event, Report};

/// Whose log it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    GitHub,
    GitLab,
}

/// Tells things in lines, with the runner's own marks among them.
pub(super) struct Runner {
    kind: Kind,
    lines: Lines,
    /// Whether a fold is open. They cannot be nested.
    open: AtomicBool,
}

impl Runner {
    /// The runner that this is a job of, seen by its environment.
    pub(super) fn observe() -> Option<Self> {
        let gitlab = || variable("GITLAB_CI").as_deref() == Some("true");
        let kind = match () {
            () if github::is_here() => Kind::GitHub,
            () if gitlab() => Kind::GitLab,
            () => return None,
        };
        Some(Self { kind, lines: Lines::new(kind == Kind::GitLab), open: AtomicBool::new(false) })
    }

    fn say(&self, line: &str) {
        drop(writeln!(std::io::stderr().lock(), "{line}"));
    }

    fn fold(&self, words: &str) {
        self.unfold();
        self.open.store(true, Ordering::Relaxed);
        self.say(&self.kind.begin(words, now()));
    }

    fn unfold(&self) {
        if self.open.swap(false, Ordering::Relaxed) {
            self.say(&self.kind.end(now()));
        }
    }
}

impl Kind {
    /// By GitLab's "Custom collapsible sections"; what comes from elsewhere cannot end the mark early.
    fn begin(self, words: &str, time: u64) -> String {
        let words: String = words.chars().filter(|c| !c.is_control()).collect();
        match self {
            Self::GitHub => command("group", &[], &words),
            Self::GitLab => {
                format!("\u{1b}[0Ksection_start:{time}:cutover[collapsed=true]\r\u{1b}[0K{words}")
            }
        }
    }

    fn end(self, time: u64) -> String {
        match self {
            Self::GitHub => command("endgroup", &[], ""),
            Self::GitLab => format!("\u{1b}[0Ksection_end:{time}:cutover\r\u{1b}[0K"),
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl Report for Runner {
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::Planned(plan) if !plan.steps.is_empty() => {
                self.fold(&format!("{} steps", plan.steps.len()));
                plan.steps.iter().for_each(|step| self.say(&step.to_string()));
                self.unfold();
            }
            Event::Working(words) => self.fold(words),
            Event::Worked(..) => {
                self.unfold();
                self.lines.tell(event);
            }
            Event::Warning(words) if self.kind == Kind::GitHub => {
                self.say(&command("warning", &[("title", "cutover")], words));
            }
            event => self.lines.tell(event),
        }
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        self.unfold();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_is_told_of_a_fold_in_its_own_way() {
        assert_eq!(Kind::GitHub.begin("build web", 7), "::group::build web");
        assert_eq!(Kind::GitHub.end(8), "::endgroup::");
        let begin = Kind::GitLab.begin("build\r\nweb", 7);
        assert_eq!(begin, "\u{1b}[0Ksection_start:7:cutover[collapsed=true]\r\u{1b}[0Kbuildweb");
        assert_eq!(Kind::GitLab.end(8), "\u{1b}[0Ksection_end:8:cutover\r\u{1b}[0K");
    }
}
