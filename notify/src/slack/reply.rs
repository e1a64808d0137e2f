use std::time::Duration;

use hyper_util::client::legacy;
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::SlackApiPostWebhookMessageResponse;

use crate::Error;

/// Why a try did not deliver the notice.
pub(super) enum Trouble {
    /// Another try may succeed, and cannot deliver the notice twice.
    Passing { error: Error, retry_after: Option<Duration> },
    /// Another try would meet the same, or could deliver the notice twice.
    Final(Error),
}

/// What the answer to the try number `attempts` means. No text of the answer is believed or told but
/// Slack's own short words: a proxy's page of error may hold the address that was asked for.
pub(super) fn read(
    answer: Result<SlackApiPostWebhookMessageResponse, SlackClientError>,
    host: &str,
    attempts: u32,
) -> Result<(), Trouble> {
    let host = host.to_owned();
    let passing = |error| Err(Trouble::Passing { error, retry_after: None });
    let rejected = |host, status, code| Err(Trouble::Final(Error::Rejected { host, status, code }));
    match answer {
        Ok(_) => Ok(()),
        Err(SlackClientError::RateLimitError(limited)) => Err(Trouble::Passing {
            error: Error::RateLimited { host, retry_after: limited.retry_after, attempts },
            retry_after: limited.retry_after,
        }),
        Err(SlackClientError::HttpError(answer)) => match answer.status_code.as_u16() {
            status @ 500.. => passing(Error::Unavailable { host, status, attempts }),
            status => rejected(host, status, word(answer.http_response_body.as_deref())),
        },
        Err(SlackClientError::ApiError(refusal)) => rejected(host, 200, word(Some(&refusal.code))),
        Err(SlackClientError::ProtocolError(answer)) => untyped(answer.json_body.as_deref(), host, attempts),
        Err(SlackClientError::HttpProtocolError(failure)) => match failure.cause {
            Some(source) if is_connect(source.as_ref()) => {
                passing(Error::Unreachable { host, attempts, source })
            }
            Some(source) => Err(Trouble::Final(Error::Broken { host, source })),
            None => Err(Trouble::Final(Error::Reply { host })),
        },
        Err(_) => Err(Trouble::Final(Error::Reply { host })),
    }
}

/// slack-morphism takes an answer without a content type for JSON. By then the status, 200 or 429, is lost: the
/// body tells them apart.
fn untyped(body: Option<&str>, host: String, attempts: u32) -> Result<(), Trouble> {
    match body.map(str::trim) {
        Some("ok" | "") => Ok(()),
        Some("rate_limited" | "ratelimited") => Err(Trouble::Passing {
            error: Error::RateLimited { host, retry_after: None, attempts },
            retry_after: None,
        }),
        _ => Err(Trouble::Final(Error::Reply { host })),
    }
}

fn is_connect(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect)
}

/// The body, if it is one of Slack's words.
fn word(body: Option<&str>) -> String {
    body.map(str::trim)
        .filter(|body| (1..=64).contains(&body.len()))
        .filter(|body| body.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .unwrap_or("unexplained")
        .to_owned()
}

/// What to do about Slack's word for a refusal ([Handling
/// errors](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors)).
pub(crate) fn advice(code: &str) -> &'static str {
    match code {
        "no_service" | "no_service_id" | "no_active_hooks" | "no_team" | "invalid_token" => {
            ": the webhook was removed, or its address is not complete"
        }
        "channel_not_found" | "channel_is_archived" => ": the webhook's channel is gone; make a new webhook",
        "action_prohibited" | "posting_to_general_channel_denied" => {
            ": the workspace does not let this webhook post there"
        }
        "team_disabled" => ": the workspace is disabled",
        "user_not_found" => ": a member who is mentioned is not in the workspace",
        _ => "",
    }
}
