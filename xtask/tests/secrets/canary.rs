//! Secrets that are known by the place they come from, in every form in which one might be told.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use xtask::rig::run;

/// Secrets of this run alone.
pub(crate) struct Canaries(String);

/// Every place that has a secret of its own.
const PLACES: [&str; 12] = [
    "OF_ENV",
    "OF_FILE",
    "OF_COMMAND",
    "OF_ENV_FILE",
    "OF_COMPOSE",
    "OF_COMPOSE_FILE",
    "build-env",
    "build-file",
    "slack-webhook",
    "hook-path",
    "hook-key",
    "proxy",
];

impl Canaries {
    pub(crate) fn new() -> Self {
        Self(run::random())
    }

    /// The secret of a place.
    pub(crate) fn of(&self, place: &str) -> String {
        let number = PLACES.iter().position(|known| *known == place).expect("a place has a secret");
        format!("cnry{number:02}+{}+{number:02}yrnc", self.0)
    }

    /// Which secret is where, of these and of the places'.
    pub(crate) fn found(&self, more: &[(&str, String)], seen: &[(String, Vec<u8>)]) -> Vec<String> {
        let secrets = PLACES.iter().map(|place| (*place, self.of(place))).chain(more.iter().cloned());
        let forms: Vec<(&str, Vec<String>)> =
            secrets.map(|(place, secret)| (place, forms(&secret))).collect();
        let mut found = Vec::new();
        for (place, bytes) in seen {
            let text = String::from_utf8_lossy(bytes);
            for (name, forms) in &forms {
                for form in forms.iter().filter(|form| text.contains(form.as_str())) {
                    let at = text.find(form.as_str()).unwrap_or_default();
                    let around: String =
                        text[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
                    found.push(format!("the secret {name} as {form} in {place}, after {around:?}"));
                }
            }
        }
        found
    }
}

/// The text in base64.
pub(crate) fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// The secret as it is, in hexadecimal, percent-encoded, and in base64 wherever it begins in what was encoded.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = secret
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%{:02X}", u32::from(c)) })
        .collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, percent.to_lowercase(), percent];
    for before in 0..3 {
        let bytes = [&b"xx"[..before], secret.as_bytes()].concat();
        // What shares a character with a neighbour is left out at both ends.
        let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        for engine in [&STANDARD, &URL_SAFE] {
            forms.push(engine.encode(&bytes)[from..to].to_owned());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}
