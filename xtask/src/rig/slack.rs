//! A stand-in for Slack: its incoming webhooks, and of its Web API what a bot posts with.

mod workspace;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

pub use self::workspace::Message;
use self::workspace::Workspace;
use super::deadline::until;
use super::error::Result;
use super::server::{self, Asked, Server};

/// The bot's token that it takes.
pub const TOKEN: &str = "xoxb-bot-canary-93be";

/// How the stand-in answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// 200 and `ok`, as Slack does.
    Ok,
    /// This status and a text; Slack has 400, 403, 404, 410 and 500.
    Status(u16),
    /// 429 with `Retry-After`, in seconds.
    TooMany {
        /// The seconds to wait.
        retry_after: u32,
    },
    /// Nothing, ever: the connection stays open.
    Hang,
}

/// The stand-in: listens on loopback until it is dropped, and keeps what it was sent.
#[derive(Debug)]
pub struct Slack {
    server: Server,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    reply: Reply,
    received: Vec<Value>,
    workspace: Workspace,
}

impl State {
    /// Keeps what a webhook is sent, or calls a method of the Web API.
    fn take(&mut self, request: &Asked) -> server::Answer {
        // What is no JSON is kept too, as a text: a test must see that it was sent.
        let body = serde_json::from_slice(request.body())
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(request.body()).into_owned()));
        let Some(method) = request.uri().path().strip_prefix("/api/") else {
            self.received.push(body);
            return answer(self.reply);
        };
        match self.reply {
            Reply::Ok => {
                let by = request.headers().get("authorization").and_then(|value| value.to_str().ok());
                let authorized = by == Some(&format!("Bearer {TOKEN}"));
                let told = if authorized { self.workspace.call(method, &body) } else { Err("invalid_auth") };
                let told = told.unwrap_or_else(|code| serde_json::json!({ "ok": false, "error": code }));
                Some(server::text(200, "application/json; charset=utf-8", told.to_string()))
            }
            other => answer(other),
        }
    }
}

impl Slack {
    /// Starts it, answering [`Reply::Ok`].
    ///
    /// # Errors
    ///
    /// When loopback cannot be listened on.
    pub async fn start() -> Result<Self> {
        let state = Arc::new(Mutex::new(State {
            reply: Reply::Ok,
            received: Vec::new(),
            workspace: Workspace::default(),
        }));
        let seen = Arc::clone(&state);
        let server =
            Server::start(move |request| seen.lock().unwrap_or_else(PoisonError::into_inner).take(&request));
        Ok(Self { server: server.await?, state })
    }

    /// The webhook's URL, of the shape that Slack's have.
    pub fn url(&self) -> String {
        format!("http://{}/services/T0CUTOVER/B0CUTOVER/rig", self.server.address())
    }

    /// The Web API's address.
    pub fn api(&self) -> String {
        format!("http://{}/api", self.server.address())
    }

    /// The messages that a bot posted, replies among them, as they are now.
    pub fn messages(&self) -> Vec<Message> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).workspace.messages().to_vec()
    }

    /// Every body that came to a webhook, in order; a body that is no JSON as a string.
    pub fn received(&self) -> Vec<Value> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).received.clone()
    }

    /// Changes how it answers from here on.
    pub fn reply_with(&self, reply: Reply) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).reply = reply;
    }

    /// Waits until at least `count` bodies have come.
    ///
    /// # Errors
    ///
    /// When they do not come in time.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Value>> {
        let enough = async || Some(self.received()).filter(|received| received.len() >= count);
        until(&format!("slack receives {count} messages"), within, enough).await
    }
}

fn answer(reply: Reply) -> server::Answer {
    match reply {
        Reply::Ok => Some(server::text(200, "text/html", "ok")),
        Reply::Status(status) => Some(server::text(status, "text/html", "not ok")),
        Reply::TooMany { retry_after } => {
            let mut response = server::text(429, "text/html", "rate_limited");
            response.headers_mut().insert("retry-after", retry_after.into());
            Some(response)
        }
        Reply::Hang => None,
    }
}
