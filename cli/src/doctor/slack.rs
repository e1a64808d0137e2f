//! Slack: configured, and its host reached. Nothing is ever posted.

use cutover_notify::{Slack, SlackConfig};

use super::finding::Finding;
use super::ground::Ground;
use crate::release::located;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    const NAME: &str = "slack.webhook";
    const MEND: &str = "notices would not arrive; releases do not depend on them";
    let Some(table) = &ground.config.file.notify.slack else { return Vec::new() };
    let webhook = match table.webhook.value.read(ground.config.base()).await {
        Ok(webhook) => webhook,
        Err(error) => {
            let failure = located(ground.config, table.webhook.span.clone(), &error);
            return vec![Finding::warning(NAME, failure.reason(), failure.mend().unwrap_or(MEND))];
        }
    };
    let mut config = SlackConfig::new(webhook);
    if let Some(timeout) = &table.timeout {
        config.timeout = timeout.0;
    }
    let slack = match Slack::new(config) {
        Ok(slack) => slack,
        Err(error) => return vec![Finding::warning(NAME, error.to_string(), MEND)],
    };
    vec![match slack.knock().await {
        Ok(host) => Finding::ok(NAME, format!("{host} is reached; nothing was posted")),
        Err(error) => Finding::warning(NAME, format!("the webhook's host cannot be reached: {error}"), MEND),
    }]
}
