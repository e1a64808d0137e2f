//! Deployment notices: what happened to which app, where, by whom and how long it took, told in Slack.
//!
//! A [`Notice`] is plain data. A [`Sink`] delivers it; [`Slack`] is the one there is so far, an [incoming
//! webhook](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) spoken to in [Block
//! Kit](https://docs.slack.dev/block-kit). [`preview`] shows the very message without sending it, [`text`]
//! tells the notice in one line.
//!
//! ```no_run
//! use cutover_notify::{Notice, Slack, SlackConfig, Status};
//!
//! # async fn tell(webhook: String) -> Result<(), cutover_notify::Error> {
//! let mut config = SlackConfig::new(webhook);
//! config.mentions.insert(Status::Failure, vec!["here".parse()?]);
//! config.fields = vec!["repo".parse()?, "commit".parse()?];
//! let slack = Slack::new(config)?;
//!
//! let mut notice = Notice::new(Status::Failure, "web");
//! notice.image = Some("ghcr.io/acme/web:1.4".into());
//! notice.reason = Some("GET /healthz answered 500 for 30 s".into());
//! let delivered = slack.send(&notice).await?;
//! assert!(delivered.attempts >= 1);
//! # Ok(())
//! # }
//! ```
//!
//! What holds for every notice:
//!
//! - It pages those whom [`SlackConfig::mentions`] names for its status, and nobody else, whatever a commit's
//!   message, a reason or a log says.
//! - It fits Slack's limits: too long a text is cut between characters, and a log to its last lines.
//! - [`Slack::send`] ends within [`SlackConfig::limit`].
//! - The webhook's path, which is its secret, is in no error, no `Debug` output and no log.
//!
//! The crate reads no environment, configuration or terminal, and needs no TLS provider to be installed.

mod error;
mod field;
mod mention;
mod notice;
mod sink;
mod slack;
mod status;
mod summary;

pub use error::Error;
pub use field::Field;
pub use mention::Mention;
pub use notice::{Notice, Source};
pub use sink::{Delivered, Sending, Sink};
pub use slack::{Slack, SlackConfig, preview};
pub use status::Status;
pub use summary::text;
