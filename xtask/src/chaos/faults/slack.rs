//! Slack fails. What a release comes to, and how `ship` ends, is the same.

use crate::rig::slack::Reply;

use super::{Command, Fault, Ground, Mend, Phase};

fn replies(name: &'static str, reply: Reply) -> Fault {
    Fault::new(name, Phase::Before, move |world| {
        Box::pin(async move {
            world.slack()?.reply_with(reply);
            Ok(Mend::by("Slack is well", |world| {
                Box::pin(async move {
                    world.slack()?.reply_with(Reply::Ok);
                    Ok(())
                })
            }))
        })
    })
    .on(Ground::Slack)
    .meets(Command::Ship)
    .exits(&[0])
    .tells(&["warning: "])
}

/// Nobody listens where the webhook leads to.
fn down() -> Fault {
    Fault::new("Slack down", Phase::Before, |world| {
        Box::pin(async move {
            let there = world.env("SLACK_WEBHOOK_URL", "http://127.0.0.1:9/services/T0/B0/down");
            Ok(Mend::by("Slack is back", move |world| {
                Box::pin(async move {
                    world.env("SLACK_WEBHOOK_URL", &there);
                    Ok(())
                })
            }))
        })
    })
    .on(Ground::Slack)
    .meets(Command::Ship)
    .exits(&[0])
    .tells(&["warning: "])
    .doctor(&["slack.webhook"])
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        down(),
        replies("Slack hung", Reply::Hang),
        replies("Slack answers 500", Reply::Status(500)),
        replies("Slack answers 404: the webhook is gone", Reply::Status(404)),
        replies("Slack answers 429: wait an hour", Reply::TooMany { retry_after: 3600 }),
    ]
}
