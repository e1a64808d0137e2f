use std::fmt;
use std::pin::Pin;

use crate::{Error, Notice, Progress};

/// A place that notices go to: [`SlackWebhook`](crate::SlackWebhook), [`SlackBot`](crate::SlackBot),
/// [`Webhook`](crate::Webhook), [`Writer`](crate::Writer), or one of your own. [`Sinks`](crate::Sinks) tells several.
pub trait Sink: Send + Sync {
    /// What to call the place when telling a person of it, without secrets: `slack (hooks.slack.com)`.
    fn name(&self) -> String;

    /// Delivers one notice. The future ends within a bounded time, whatever the other side does.
    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a>;

    /// A notice that can be changed while the deployment goes on, if the place has such. None if nothing is said.
    fn thread(&self) -> Option<Box<dyn Thread + '_>> {
        None
    }
}

/// One notice that follows a deployment. [`Live`](crate::Live) leads it: first any number of times
/// [`progress`](Thread::progress), then once [`end`](Thread::end).
pub trait Thread: Send {
    /// Shows how far the deployment is. What it does not manage is not tried again: there will be newer.
    fn progress<'a>(&'a mut self, progress: &'a Progress) -> Sending<'a>;

    /// Shows how the deployment ended, whether it was ever shown that it began or not.
    fn end<'a>(&'a mut self, notice: &'a Notice) -> Sending<'a>;
}

/// The delivery of one notice, under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Delivered, Error>> + Send + 'a>>;

/// A notice that the other side has taken.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Delivered {
    /// How many times it was tried, the one that succeeded included.
    pub attempts: u32,
    /// What could not be added to it, and why.
    pub lacking: Vec<(Part, Error)>,
}

impl Delivered {
    /// A notice that was taken whole, after so many tries.
    #[must_use]
    pub fn after(attempts: u32) -> Self {
        Self { attempts, lacking: Vec::new() }
    }
}

/// A part of a notice without which the rest is still told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The text by the template; the usual one stands in its place.
    Template,
    /// The mention of those who are to be paged.
    Mentions,
    /// The release's last lines of log.
    Logs,
    /// The reaction that shows the status.
    Reaction,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Template => "the template's text",
            Self::Mentions => "the mentions",
            Self::Logs => "the log",
            Self::Reaction => "the reaction",
        })
    }
}
