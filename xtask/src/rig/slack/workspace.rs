//! The messages of a workspace with one channel, and the methods that a bot changes them with.

use serde_json::{Value, json};

/// The one channel, by its name and by its id.
const CHANNEL: [&str; 2] = ["#deploys", "C0DEPLOYS1"];

/// A message that a bot posted.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Message {
    /// Its name in the channel.
    pub ts: String,
    /// The message that it is a reply to.
    pub thread: Option<String>,
    /// Each form that it had, the newest last.
    pub forms: Vec<Value>,
    /// The names of its reactions.
    pub reactions: Vec<String>,
}

impl Message {
    /// Its newest form.
    pub fn now(&self) -> String {
        self.forms.last().map(ToString::to_string).unwrap_or_default()
    }
}

/// All messages.
#[derive(Debug, Default)]
pub(super) struct Workspace(Vec<Message>);

impl Workspace {
    pub(super) fn messages(&self) -> &[Message] {
        &self.0
    }

    /// Calls a method: its answer, or Slack's word for why it is refused.
    pub(super) fn call(&mut self, method: &str, body: &Value) -> Result<Value, &'static str> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        let channel = text("channel").unwrap_or_default();
        // Only a new message may name the channel; all else takes its id.
        let known = CHANNEL[1] == channel || (CHANNEL[0] == channel && method == "chat.postMessage");
        if !known {
            return Err("channel_not_found");
        }
        if method == "chat.postMessage" {
            let ts = format!("1700000000.{:06}", self.0.len());
            let message = Message {
                ts: ts.clone(),
                thread: text("thread_ts"),
                forms: vec![body.clone()],
                reactions: Vec::new(),
            };
            self.0.push(message);
            return Ok(json!({ "ok": true, "channel": CHANNEL[1], "ts": ts }));
        }
        let ts = text("ts").or_else(|| text("timestamp")).unwrap_or_default();
        let message = self.0.iter_mut().find(|message| message.ts == ts).ok_or("message_not_found")?;
        match method {
            "chat.update" => message.forms.push(body.clone()),
            "reactions.add" => message.reactions.extend(text("name")),
            _ => return Err("unknown_method"),
        }
        Ok(json!({ "ok": true, "channel": CHANNEL[1], "ts": ts }))
    }
}
