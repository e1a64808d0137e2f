//! What a registry's refusals say.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::refusal::{Refusal, Said, TokenKind};
use crate::scope::Scope;
use crate::{Credentials, Error};

/// As much of a refusal as is read to find its reason, in bytes.
const REASON_MAX: usize = 16 * 1024;
pub(crate) const REASON_SHOWN: usize = 300;
/// GitHub's registries put this on every answer.
const GITHUB_HEADER: &str = "x-github-request-id";

/// A refusal, read.
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    retry_after: Option<Duration>,
    reason: String,
    github: bool,
}

impl Answered {
    pub(crate) async fn read(response: Response) -> Self {
        let status = response.status();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let github = response.headers().contains_key(GITHUB_HEADER);
        Self { status, retry_after, reason: reason(response).await, github }
    }
}

/// Who was asked for what, for the error to say so.
pub(crate) struct Asked<'a> {
    pub(crate) scope: &'a Scope,
    pub(crate) credentials: &'a Credentials,
    /// Another server that answered for the registry: the token server, a blob store.
    pub(crate) via: Option<&'a str>,
}

impl Asked<'_> {
    /// The error for a refusal.
    pub(crate) fn refused(&self, answered: &Answered) -> Error {
        let Answered { status, retry_after, .. } = *answered;
        let registry = self.scope.registry().to_owned();
        let repository = self.scope.repository().to_owned();
        let from = self.via.unwrap_or(self.scope.registry()).to_owned();
        match status {
            StatusCode::UNAUTHORIZED => {
                let (refusal, detail) = self.meaning(answered);
                Error::Unauthorized { registry, repository, refusal, detail }
            }
            StatusCode::FORBIDDEN => {
                let (refusal, detail) = self.meaning(answered);
                Error::Denied { registry, repository, refusal, detail }
            }
            StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { registry: from, retry_after },
            _ if status.is_server_error() => {
                let detail = answered.reason.clone();
                Error::Unavailable { registry: from, status: status.as_u16(), detail, retry_after }
            }
            _ => Error::protocol(&from, format!("unexpected status {status}: {}", answered.reason)),
        }
    }

    fn meaning(&self, answered: &Answered) -> (Refusal, String) {
        let said = Said {
            status: answered.status.as_u16(),
            text: &answered.reason,
            github: answered.github || self.scope.registry() == "ghcr.io",
            pushing: self.scope.is_push(),
            token: TokenKind::of(self.credentials),
        };
        let refusal = Refusal::read(&said);
        let detail = match refusal.advice(&said) {
            Some(advice) => format!("{}; {advice}", answered.reason),
            None => answered.reason.clone(),
        };
        (refusal, detail)
    }
}

/// What the server says of its refusal: the OCI distribution specification's `errors`, or the text, or the status.
async fn reason(response: Response) -> String {
    let status = response.status();
    let bytes = beginning(response).await;
    let told = from_json(&bytes).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(&bytes);
        // A page of HTML or XML tells a person nothing here.
        if text.trim_start().starts_with('<') { String::new() } else { text.into_owned() }
    });
    let told = clean(&told);
    if told.is_empty() { status.to_string() } else { told }
}

async fn beginning(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= REASON_MAX {
            break;
        }
    }
    bytes
}

pub(crate) fn from_json(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        errors: Vec<Reason>,
        details: Option<String>,
        error_description: Option<String>,
    }
    #[derive(Deserialize)]
    struct Reason {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let refusal: Refusal = serde_json::from_slice(bytes).ok()?;
    let listed: Vec<_> = refusal
        .errors
        .into_iter()
        .map(|Reason { code, message }| if code.is_empty() { message } else { format!("{code}: {message}") })
        .collect();
    if listed.is_empty() { refusal.error_description.or(refusal.details) } else { Some(listed.join("; ")) }
}

/// One line without control characters, of a length that fits a message.
pub(crate) fn clean(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_SHOWN).collect();
    line.trim().to_owned()
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3).
///
/// A date is measured from the server's own clock where it tells it, so that ours need not be right.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let after = text(RETRY_AFTER)?;
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(after).ok()?;
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(registry: &str, credentials: &Credentials, status: u16) -> Error {
        let image = format!("{registry}/acme/web").parse().unwrap();
        let answered = Answered {
            status: StatusCode::from_u16(status).unwrap(),
            retry_after: None,
            reason: "DENIED: denied".to_owned(),
            github: false,
        };
        Asked { scope: &Scope::pull(&image), credentials, via: None }.refused(&answered)
    }

    #[test]
    fn a_denial_at_ghcr_says_what_to_do() {
        let named = Credentials::Basic { username: "acme".into(), password: "secret".into() };
        let message = asked("ghcr.io", &named, 403).to_string();
        assert!(message.contains("DENIED: denied"), "{message}");
        assert!(message.contains("no such package"), "{message}");
        assert!(message.contains("read:packages"), "{message}");
        let message = asked("ghcr.io", &Credentials::Anonymous, 401).to_string();
        assert!(message.contains("give credentials with the scope read:packages"), "{message}");
    }

    #[test]
    fn each_status_has_its_error() {
        let nobody = Credentials::Anonymous;
        assert!(matches!(asked("r.io", &nobody, 401), Error::Unauthorized { .. }));
        assert!(matches!(asked("r.io", &nobody, 403), Error::Denied { .. }));
        assert!(matches!(asked("r.io", &nobody, 429), Error::RateLimited { .. }));
        assert!(matches!(asked("r.io", &nobody, 502), Error::Unavailable { status: 502, .. }));
        assert!(matches!(asked("r.io", &nobody, 418), Error::Protocol { .. }));
    }

    #[test]
    fn reasons_are_one_clean_line() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m way"},{"message":"really"}]}"#;
        assert_eq!(clean(&from_json(body).unwrap()), "DENIED: no [31m way; really");
        assert_eq!(clean(&"x".repeat(1000)).len(), REASON_SHOWN);
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let now = SystemTime::UNIX_EPOCH;
        let read = |after: &'static str, date: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, after.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            retry_after(&headers, now).map(|pause| pause.as_secs())
        };
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read(" 7 ", date), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:49 GMT", date), Some(12), "by the server's clock");
        assert_eq!(read("Sun, 06 Nov 1994 08:49:00 GMT", date), Some(0), "it is over");
        assert_eq!(read("Thu, 01 Jan 1970 00:00:05 GMT", None), Some(5), "by ours");
        assert_eq!(read("soon", date), None);
    }
}
