//! The methods of Slack's Web API that a bot calls ([Methods](https://docs.slack.dev/reference/methods)).

use serde::{Deserialize, Serialize};
use slack_morphism::prelude::SlackMessageContent;

/// A method, by its name.
pub(super) struct Method {
    pub(super) name: &'static str,
    /// Whether doing it twice is doing it once.
    pub(super) repeatable: bool,
}

pub(super) const IDENTIFY: Method = Method { name: "auth.test", repeatable: true };
pub(super) const POST: Method = Method { name: "chat.postMessage", repeatable: false };
pub(super) const UPDATE: Method = Method { name: "chat.update", repeatable: true };
pub(super) const REACT: Method = Method { name: "reactions.add", repeatable: true };

// slack-morphism's own answers want the whole message back in its own model: one block that it does not know, and a
// message that was posted would count as lost.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) ok: bool,
    pub(super) channel: Option<String>,
    pub(super) ts: Option<String>,
    pub(super) team: Option<String>,
    pub(super) user: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Nothing {}

#[derive(Serialize)]
pub(super) struct Post<'a> {
    pub(super) channel: &'a str,
    #[serde(flatten)]
    pub(super) content: SlackMessageContent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thread_ts: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reply_broadcast: Option<bool>,
    pub(super) unfurl_links: bool,
}

#[derive(Serialize)]
pub(super) struct Update<'a> {
    pub(super) channel: &'a str,
    pub(super) ts: &'a str,
    #[serde(flatten)]
    pub(super) content: SlackMessageContent,
}

#[derive(Serialize)]
pub(super) struct Reaction<'a> {
    pub(super) channel: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) name: &'static str,
}
