//! What a registry's refusals mean.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde::Deserialize;

use crate::{Credentials, Error};

/// As much of a refusal as is read to find its reason, in bytes.
const REASON_MAX: usize = 16 * 1024;
const REASON_SHOWN: usize = 300;

/// Who was asked for what, for the error to say so.
pub(crate) struct Asked<'a> {
    pub(crate) registry: &'a str,
    pub(crate) repository: &'a str,
    pub(crate) credentials: &'a Credentials,
    /// Another server that answered for the registry: the token server, a blob store.
    pub(crate) via: Option<&'a str>,
}

impl Asked<'_> {
    /// The error for a refusal with this status and reason.
    pub(crate) fn refused(&self, status: StatusCode, retry_after: Option<Duration>, reason: &str) -> Error {
        let registry = self.registry.to_owned();
        let repository = self.repository.to_owned();
        let answered = self.via.unwrap_or(self.registry).to_owned();
        match status {
            StatusCode::UNAUTHORIZED => {
                Error::Unauthorized { registry, repository, detail: self.with_hint(reason) }
            }
            StatusCode::FORBIDDEN => Error::Denied { registry, repository, detail: self.with_hint(reason) },
            StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { registry: answered, retry_after },
            _ if status.is_server_error() => {
                Error::Unavailable { registry: answered, status: status.as_u16(), detail: reason.to_owned() }
            }
            _ => Error::protocol(&answered, format!("unexpected status {status}: {reason}")),
        }
    }

    fn with_hint(&self, reason: &str) -> String {
        let anonymous = matches!(self.credentials, Credentials::Anonymous);
        let hint = match (self.registry, anonymous) {
            ("ghcr.io", true) => {
                "there is no such package, or it is private: give credentials with the scope read:packages"
            }
            ("ghcr.io", false) => {
                "there is no such package, or the token lacks the scope read:packages, has expired, or is not authorised for the organisation"
            }
            ("docker.io", true) => "there is no such repository, or it is private: give credentials",
            (_, true) => "no credentials were given",
            (_, false) => return reason.to_owned(),
        };
        format!("{reason}; {hint}")
    }
}

/// What the server says of its refusal: the OCI distribution specification's `errors`, or the text, or the status.
pub(crate) async fn reason(response: Response) -> String {
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

fn from_json(bytes: &[u8]) -> Option<String> {
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
fn clean(text: &str) -> String {
    let line: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_SHOWN).collect();
    line.trim().to_owned()
}

/// `Retry-After` in seconds. The form with a date is not read: the caller then waits as if there were none.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(registry: &str, credentials: &Credentials, status: u16) -> Error {
        let asked = Asked { registry, repository: "acme/web", credentials, via: None };
        asked.refused(StatusCode::from_u16(status).unwrap(), None, "DENIED: denied")
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
        assert!(matches!(asked("r", &nobody, 401), Error::Unauthorized { .. }));
        assert!(matches!(asked("r", &nobody, 403), Error::Denied { .. }));
        assert!(matches!(asked("r", &nobody, 429), Error::RateLimited { .. }));
        assert!(matches!(asked("r", &nobody, 502), Error::Unavailable { status: 502, .. }));
        assert!(matches!(asked("r", &nobody, 418), Error::Protocol { .. }));
    }

    #[test]
    fn reasons_are_one_clean_line() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m way"},{"message":"really"}]}"#;
        assert_eq!(clean(&from_json(body).unwrap()), "DENIED: no [31m way; really");
        assert_eq!(clean(&"x".repeat(1000)).len(), REASON_SHOWN);
    }
}
