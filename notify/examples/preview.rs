//! Prints a notice as one line and as the message that Slack would get. It sends nothing.
//!
//! `cargo run -p cutover-notify --example preview`; paste the blocks into <https://app.slack.com/block-kit-builder>.

use std::time::Duration;

use cutover_notify::{Facts, Notice, Sink as _, SlackStyle, Status, Writer, package_url, preview};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut style = SlackStyle { fields: "repo,message,took".parse()?, ..SlackStyle::default() };
    style.mentions.insert(Status::Failure, vec!["here".parse()?]);

    let mut notice = Notice::new(Status::Failure, "web");
    notice.facts = Facts {
        image: Some("ghcr.io/acme/web:1.5".into()),
        took: Some(Duration::from_millis(31_200)),
        package_url: package_url("ghcr.io/acme/web:1.5", Some("acme/web")),
        ..notice.facts
    };
    notice.facts.source.repo = Some("acme/web".into());
    notice.facts.source.message = Some("Drop the users table <!channel>".into());
    notice.reason = Some("GET /healthz answered 500 for 30 s; the release before serves on".into());
    notice.logs = vec!["listening on :8112".into(), "error: no such table: users".into()];

    let stdout = Writer::new("stdout", std::io::stdout(), None);
    stdout.send(&notice).await?;
    serde_json::to_writer_pretty(stdout.into_inner(), &preview(&notice, &style))?;
    Ok(())
}
