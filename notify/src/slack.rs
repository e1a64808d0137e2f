//! Slack: by an incoming webhook, or by a bot's token.

mod api;
mod bot;
mod channel;
mod message;
mod mrkdwn;
mod reply;
mod webhook;

use std::collections::BTreeMap;

pub use self::api::SlackApi;
pub use self::bot::{SlackBot, SlackIdentity};
pub use self::channel::SlackChannel;
pub use self::webhook::SlackWebhook;
use crate::{Fields, Mention, Notice, Progress, Status, Template};

pub(crate) use self::mrkdwn::inert;
pub(crate) use self::reply::advice;

/// What a message in Slack shows, and whom it pages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SlackStyle {
    /// Whom to page, by status. A status that is not here pages nobody.
    pub mentions: BTreeMap<Status, Vec<Mention>>,
    /// The facts of [`Facts::source`](crate::Facts::source) to show, in order. A fact that is not known is left out.
    pub fields: Fields,
    /// A name to show under the headline.
    pub author_name: Option<String>,
    /// The text under the headline, and the one that a notification shows.
    pub template: Option<Template>,
}

/// The message that [`SlackWebhook`] would post, as JSON: `text` for notifications, and the `blocks`.
///
/// ```
/// use cutover_notify::{Notice, SlackStyle, Status, preview};
///
/// let message = preview(&Notice::new(Status::Success, "web"), &SlackStyle::default());
/// assert_eq!(message["blocks"][0]["text"]["text"], "✅ web: deployed");
/// ```
#[must_use]
pub fn preview(notice: &Notice, style: &SlackStyle) -> serde_json::Value {
    json(&message::whole(notice, style).0)
}

/// The messages that [`SlackBot`] would show for a deployment that ended after it was seen to go on: the message as it
/// is last, and the replies in its thread.
#[must_use]
pub fn preview_thread(notice: &Notice, style: &SlackStyle) -> Vec<serde_json::Value> {
    let page = message::page(notice, style);
    let logs = message::logs(notice);
    let first = message::head(notice, style).0;
    std::iter::once(first).chain(page).chain(logs).map(|content| json(&content)).collect()
}

/// The message that [`SlackBot`] shows while a deployment goes on.
#[must_use]
pub fn preview_progress(progress: &Progress, style: &SlackStyle) -> serde_json::Value {
    json(&message::under_way(progress, style))
}

fn json(content: &slack_morphism::prelude::SlackMessageContent) -> serde_json::Value {
    // Strings and lists of strings only: there is no key or number in it that JSON could not hold.
    serde_json::to_value(content).unwrap_or_default()
}
