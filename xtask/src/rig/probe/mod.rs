//! Connections that are opened before something happens, to tell whether they lived through it.

mod sse;
mod websocket;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use sse::SseProbe;
pub use websocket::WebSocketProbe;

use super::deadline::until;
use super::error::Result;

/// What a probe has seen.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Seen {
    /// How many messages came.
    pub messages: usize,
    /// Which versions sent them, one for each change.
    pub versions: Vec<String>,
    /// When the last message came.
    pub last: Option<Instant>,
    /// When and how the connection ended; `None` while it lives, and when the probe itself ended it.
    pub closed: Option<Closed>,
}

/// How a connection ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Closed {
    /// When.
    pub at: Instant,
    /// `end of stream`, `close frame: …` or what went wrong.
    pub how: String,
}

/// What the probe's connection writes and its owner reads.
#[derive(Clone, Debug, Default)]
struct Record(Arc<Mutex<Seen>>);

impl Record {
    fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn message(&self, version: &str) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.messages += 1;
        seen.last = Some(Instant::now());
        if seen.versions.last().is_none_or(|last| last != version) {
            seen.versions.push(version.to_owned());
        }
    }

    fn closed(&self, how: impl Into<String>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.closed = Some(Closed { at: Instant::now(), how: how.into() });
    }

    async fn more(&self, what: &str, messages: usize, within: Duration) -> Result<()> {
        let before = self.seen().messages;
        let enough = async || (self.seen().messages >= before + messages).then_some(());
        until(&format!("{messages} more messages from {what}"), within, enough).await
    }

    async fn end(&self, what: &str, within: Duration) -> Result<Closed> {
        until(&format!("the end of {what}"), within, async || self.seen().closed).await
    }
}
