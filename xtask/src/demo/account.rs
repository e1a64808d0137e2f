//! What happened, as values: the table is made of it, and so is the verdict.

use std::time::Duration;

use super::timeline::Period;

/// A command that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What it was for.
    pub what: String,
    /// The exit status it should have.
    pub expected: i32,
    /// The one it had; none if a signal ended it.
    pub status: Option<i32>,
    /// The whole process, from its start to its end.
    pub took: Duration,
    /// Phases worth telling, by their names in the history.
    pub phases: Vec<(String, Duration)>,
}

/// A connection that was opened before a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// What it is.
    pub name: &'static str,
    /// How many messages came over it.
    pub messages: usize,
    /// How long after the switch the last message came; none if none did.
    pub past_switch: Option<Duration>,
    /// How long it had to live on at least: the time until its slot is drained.
    pub due: Duration,
    /// How it ended; none while it lives.
    pub end: Option<String>,
}

/// Everything that the demo tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Whether cutover is a debug build, whose own times are longer.
    pub debug_build: bool,
    /// How many requests were sent.
    pub sent: u64,
    /// How many were not answered as they should be.
    pub failed: u64,
    /// The first failures.
    pub failures: Vec<String>,
    /// How many answers came from a version that had been left.
    pub stale: usize,
    /// Connections that were open across the switch.
    pub streams: Vec<Stream>,
    /// Which version answered when.
    pub timeline: Vec<Period>,
    /// How long nginx took to take the switch, as cutover confirmed it.
    pub switch: Option<Duration>,
    /// The commands.
    pub acts: Vec<Act>,
    /// What cutover said of the broken release.
    pub rejection: String,
    /// The notices as Slack had them.
    pub notices: Vec<Vec<String>>,
}

impl Account {
    /// Everything that went otherwise than it should, in words; nothing when all went well.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.sent == 0 {
            faults.push("no request was sent".to_owned());
        }
        if self.failed > 0 {
            faults.push(format!("{} of {} requests failed", self.failed, self.sent));
        }
        if self.stale > 0 {
            faults.push(format!("{} requests were answered by a version that had been left", self.stale));
        }
        for stream in &self.streams {
            if stream.past_switch.is_none_or(|past| past < stream.due) {
                let end = stream.end.as_deref().unwrap_or("it fell silent");
                faults.push(format!("the {} did not live through the switch: {end}", stream.name));
            }
        }
        for act in &self.acts {
            if act.status != Some(act.expected) {
                let status =
                    act.status.map_or_else(|| "by a signal".to_owned(), |status| format!("with {status}"));
                faults.push(format!("{} ended {status} instead of {}", act.what, act.expected));
            }
        }
        faults
    }
}
