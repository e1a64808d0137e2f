use std::pin::Pin;

use crate::{Error, Notice};

/// A place that notices go to. [`Slack`](crate::Slack) is one; a list of `Box<dyn Sink>` may mix others in.
pub trait Sink: Send + Sync {
    /// What to call the place when telling a person of it, without secrets: `slack (hooks.slack.com)`.
    fn name(&self) -> String;

    /// Delivers one notice. The future ends within a bounded time, whatever the other side does.
    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a>;
}

/// The delivery of one notice, under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Delivered, Error>> + Send + 'a>>;

/// A notice that the other side has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Delivered {
    /// How many times it was tried, the one that succeeded included.
    pub attempts: u32,
}
