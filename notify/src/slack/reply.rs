use hyper_util::client::legacy;
use slack_morphism::errors::SlackClientError;

use crate::Error;
use crate::delivery::Trouble;

/// What the answer to the try number `attempts` means. No text of the answer is believed or told but
/// Slack's own short words: a proxy's page of error may hold the address that was asked for.
pub(super) fn read<T>(answer: Result<T, SlackClientError>, host: &str, attempts: u32) -> Result<T, Trouble> {
    let host = host.to_owned();
    let passing = |error| Err(Trouble::Passing { error, retry_after: None });
    let rejected = |host, status, code| Err(Trouble::Final(Error::Rejected { host, status, code }));
    match answer {
        Ok(answer) => Ok(answer),
        Err(SlackClientError::RateLimitError(limited)) => Err(Trouble::Passing {
            error: Error::RateLimited { host, retry_after: limited.retry_after, attempts },
            retry_after: limited.retry_after,
        }),
        Err(SlackClientError::HttpError(answer)) => match answer.status_code.as_u16() {
            status @ 500.. => passing(Error::Unavailable { host, status, attempts }),
            status => rejected(host, status, word(answer.http_response_body.as_deref())),
        },
        Err(SlackClientError::ApiError(refusal)) => match word(Some(&refusal.code)) {
            code if is_limit(&code) => passing(Error::RateLimited { host, retry_after: None, attempts }),
            // Faults of Slack's own that come with status 200.
            code if matches!(code.as_str(), "internal_error" | "fatal_error" | "service_unavailable") => {
                passing(Error::Unavailable { host, status: 200, attempts })
            }
            code => rejected(host, 200, code),
        },
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

fn is_limit(word: &str) -> bool {
    matches!(word, "rate_limited" | "ratelimited")
}

/// slack-morphism takes an answer without a content type for JSON. By then the status, 200 or 429, is lost: the
/// body tells them apart.
pub(super) fn untyped(body: Option<&str>, host: &str, attempts: u32) -> Result<(), Trouble> {
    let host = host.to_owned();
    match body.map(str::trim) {
        Some("ok" | "") => Ok(()),
        Some(word) if is_limit(word) => Err(Trouble::Passing {
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
/// errors](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling-errors),
/// [chat.postMessage](https://docs.slack.dev/reference/methods/chat.postMessage#errors)).
pub(crate) fn advice(code: &str) -> &'static str {
    match code {
        "no_service" | "no_service_id" | "no_active_hooks" | "no_team" | "invalid_token" => {
            ": the webhook was removed, or its address is not complete"
        }
        "channel_not_found" => {
            ": there is no such channel, or the webhook or bot is not in it: for a private one, invite the bot"
        }
        "not_in_channel" => ": invite the bot to the channel, or give it the scope `chat:write.public`",
        "channel_is_archived" | "is_archived" => ": the channel was archived; name another",
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
            ": the token does not hold any more; install the app again and take its new bot token"
        }
        "missing_scope" => {
            ": add the scopes `chat:write` and `reactions:write` under OAuth & Permissions, then install the app again"
        }
        "not_allowed_token_type" => ": it takes a bot token, which begins with xoxb-",
        "action_prohibited" | "posting_to_general_channel_denied" => {
            ": the workspace does not let this webhook post there"
        }
        "team_disabled" => ": the workspace is disabled",
        "user_not_found" => ": a member who is mentioned is not in the workspace",
        _ => "",
    }
}
