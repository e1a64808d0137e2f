//! Deployment notices: what happened to which app, where, by whom and how long it took; and what is happening.
//!
//! A [`Notice`] is plain data. A [`Sink`] delivers it:
//!
//! | sink | what it does |
//! |---|---|
//! | [`SlackWebhook`] | one message in [Block Kit](https://docs.slack.dev/block-kit) by an incoming webhook, at the end |
//! | [`SlackBot`] | by a bot's token: one message that changes while the deployment goes on, with a thread and a reaction |
//! | [`Webhook`] | a `POST` of JSON to a program of one's own, signed; [`verify`] is the other side |
//! | [`Writer`] | a line of text to stdout, a file, anything that can be written to |
//!
//! [`Sinks`] tells several at once. [`Sinks::begin`] gives a [`Live`] notice: it is told of [`Progress`] and of the end,
//! and never holds the deployment up. A [`Template`] puts the text in one's own words. [`preview`] shows the very message
//! without sending it, [`text`] tells the notice in one line.
//!
//! ```no_run
//! use std::time::Duration;
//! use cutover_notify::{Limits, Notice, Progress, Sinks, SlackBot, SlackStyle, Status};
//!
//! # async fn tell(token: secrecy::SecretString) -> Result<(), cutover_notify::Error> {
//! let mut style = SlackStyle { fields: "repo,message,commit".parse()?, ..SlackStyle::default() };
//! style.mentions.insert(Status::Failure, vec!["here".parse()?]);
//! let mut sinks = Sinks::new();
//! sinks.add(SlackBot::new(&token, "#deploys".parse()?, style, Limits::default())?);
//!
//! let live = sinks.begin(Progress::new("web"));
//! live.progress(Progress { phase: Some("pull the image".into()), ..Progress::new("web") });
//!
//! let mut notice = Notice::new(Status::Failure, "web");
//! notice.reason = Some("GET /healthz answered 500 for 30 s".into());
//! for told in live.end(&notice, Duration::from_secs(45)).await {
//!     told.result?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What holds for every notice:
//!
//! - It pages those whom [`SlackStyle::mentions`] or the template itself names, and nobody else, whatever a commit's
//!   message, a reason or a log says.
//! - It fits Slack's limits: too long a text is cut between characters, and a log to its last lines.
//! - Every delivery ends within [`Limits::limit`], or for a bot's message four such: the message, the page, the log and
//!   the reaction. [`Live::end`] bounds all of it.
//! - What may have arrived is not sent twice.
//! - The secrets, a webhook's path, a token, a key, are in no error, no `Debug` output and no log.
//!
//! The crate reads no environment, configuration or terminal, and needs no TLS provider to be installed. It needs a Tokio
//! runtime.

mod address;
mod delivery;
mod error;
mod field;
mod link;
mod live;
mod mention;
mod notice;
mod record;
mod signature;
mod sink;
mod sinks;
mod slack;
mod status;
mod summary;
mod template;
mod transport;
mod webhook;
mod writer;

pub use delivery::Limits;
pub use error::Error;
pub use field::{Field, Fields};
pub use link::{compare_url, package_url};
pub use live::Live;
pub use mention::Mention;
pub use notice::{Facts, Notice, Progress, Requests, Source};
pub use signature::{SIGNATURE_HEADER, verify};
pub use sink::{Delivered, Part, Sending, Sink, Thread};
pub use sinks::{Sinks, Told};
pub use slack::{
    SlackApi, SlackBot, SlackChannel, SlackIdentity, SlackStyle, SlackWebhook, preview, preview_progress,
    preview_thread,
};
pub use status::Status;
pub use summary::text;
pub use template::Template;
pub use webhook::Webhook;
pub use writer::Writer;
