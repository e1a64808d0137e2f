//! Slack: configured, and reached. Nothing is ever posted.

use super::finding::Finding;
use super::ground::Ground;
use crate::notice;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    const MEND: &str = "notices would not arrive; releases do not depend on them";
    let Some(slack) = &ground.config.file.notify.slack else { return Vec::new() };
    let name = if slack.webhook.is_some() { "slack.webhook" } else { "slack.token" };
    vec![match notice::reach_slack(ground.config, slack).await {
        Ok(found) => Finding::ok(name, found),
        Err(failure) => Finding::warning(name, failure.reason(), failure.mend().unwrap_or(MEND)),
    }]
}
