//! Prints a notice as one line and as the message that Slack would get. It sends nothing.
//!
//! `cargo run -p cutover-notify --example preview`; paste the blocks into <https://app.slack.com/block-kit-builder>.

use std::io::Write as _;
use std::time::Duration;

use cutover_notify::{Notice, SlackConfig, Status, preview, text};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = SlackConfig::new("https://hooks.slack.com/services/T0/B0/x".to_owned());
    config.mentions.insert(Status::Failure, vec!["here".parse()?]);
    config.fields = vec!["repo".parse()?, "message".parse()?, "took".parse()?];

    let mut notice = Notice::new(Status::Failure, "web");
    notice.image = Some("ghcr.io/acme/web:1.5".into());
    notice.took = Some(Duration::from_millis(31_200));
    notice.reason = Some("GET /healthz answered 500 for 30 s; the release before serves on".into());
    notice.logs = vec!["listening on :8112".into(), "error: no such table: users".into()];
    notice.source.repo = Some("acme/web".into());
    notice.source.message = Some("Drop the users table <!channel>".into());

    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", text(&notice))?;
    serde_json::to_writer_pretty(&mut out, &preview(&notice, &config))?;
    writeln!(out)?;
    Ok(())
}
