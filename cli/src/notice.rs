//! From the account of a run to a notice, and sending it. Never changes how the run ended.

use std::time::Duration;

use cutover_notify::{Notice, Slack, SlackConfig, Status};

use crate::config::Config;
use crate::failure::Failure;
use crate::history::Entry;
use crate::origin::Origin;
use crate::outcome::{Outcome, Result as Ended};
use crate::release::located;

/// The notice of a run.
#[must_use]
pub fn of_outcome(outcome: &Outcome, origin: &Origin) -> Notice {
    let mut notice = Notice::new(status(outcome.outcome), outcome.app.clone());
    notice.image.clone_from(&outcome.image);
    notice.digest.clone_from(&outcome.digest);
    notice.previous.clone_from(&outcome.previous);
    notice.from_slot.clone_from(&outcome.from);
    notice.to_slot.clone_from(&outcome.live);
    notice.took = Duration::try_from_secs_f64(outcome.took).ok();
    notice.phases = outcome
        .phases
        .iter()
        .filter_map(|(name, took)| Some((name.clone(), Duration::try_from_secs_f64(*took).ok()?)))
        .collect();
    notice.reason.clone_from(&outcome.reason);
    notice.logs.clone_from(&outcome.logs);
    notice.next = match outcome.outcome {
        Ended::Deployed | Ended::BackedUp => Some(format!("cutover rollback {}", outcome.app)),
        Ended::Waiting => Some(format!("cutover promote {}", outcome.app)),
        _ => None,
    };
    with_origin(notice, origin)
}

/// The notice of a CI job's status, with what the history knows of the app's last run.
#[must_use]
pub fn of_job(status: Status, app: &str, last: Option<&Entry>, origin: &Origin) -> Notice {
    let mut notice = Notice::new(status, app);
    if let Some(last) = last {
        notice.image.clone_from(&last.image);
        notice.digest.clone_from(&last.digest);
        notice.previous.clone_from(&last.previous);
        notice.from_slot.clone_from(&last.from);
        notice.to_slot.clone_from(&last.live);
        notice.reason.clone_from(&last.reason);
    }
    with_origin(notice, origin)
}

fn with_origin(mut notice: Notice, origin: &Origin) -> Notice {
    notice.host = Some(origin.host.clone());
    notice.actor = Some(origin.actor.clone());
    notice.source = origin.source.clone();
    notice
}

fn status(ended: Ended) -> Status {
    match ended {
        Ended::Deployed | Ended::Unchanged | Ended::Waiting | Ended::BackedUp | Ended::Aborted => {
            Status::Success
        }
        Ended::RolledBack => Status::RolledBack,
        Ended::Interrupted => Status::Cancelled,
        Ended::Rejected | Ended::Failed => Status::Failure,
    }
}

/// Sends a notice to whom the file names; `false` if it names nobody.
///
/// # Errors
/// When it could not be delivered. No part of the webhook's address is in the error.
pub async fn send(config: &Config, notice: &Notice) -> Result<bool, Failure> {
    let Some(slack) = &config.file.notify.slack else { return Ok(false) };
    let read = slack.webhook.value.read(config.base()).await;
    let webhook = read.map_err(|error| located(config, slack.webhook.span.clone(), &error))?;
    let mut settings = SlackConfig::new(webhook);
    settings.mentions = slack
        .mention
        .iter()
        .map(|(status, mentions)| (*status.get(), mentions.iter().map(|m| m.get().clone()).collect()))
        .collect();
    settings.fields = slack.fields.iter().map(|field| *field.get()).collect();
    settings.author_name.clone_from(&slack.author_name);
    if let Some(timeout) = &slack.timeout {
        settings.timeout = timeout.0;
    }
    let failed =
        |error: cutover_notify::Error| Failure::from_error(crate::failure::Exit::Unreachable, &error);
    let slack = Slack::new(settings).map_err(failed)?;
    slack.send(notice).await.map_err(failed)?;
    Ok(true)
}
