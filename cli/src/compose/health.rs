//! A service's `healthcheck`.

use std::time::Duration;

use cutover_runtime::{Healthcheck, Healthtest};

use super::reader::{Read, Reader};
use super::yaml::{Node, Value};

/// What the engine takes where a healthcheck says nothing.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRIES: u32 = 3;

/// A container has at least so long to become well.
const LEAST: Duration = Duration::from_secs(30);

/// Reads `healthcheck`. None where it only changes the times of the image's own, which is told.
pub(super) fn read(reader: &Reader<'_>, node: &Node) -> Read<Option<Healthcheck>> {
    let truth = |key: &str| node.get(key).map(|node| reader.truth(node)).transpose();
    if truth("disable")?.unwrap_or_default() {
        return Ok(Some(Healthcheck::Off));
    }
    let time = |key: &str| node.get(key).map(|node| reader.time(node)).transpose();
    if let Some((key, _)) = node.entry("start_interval") {
        reader.warn(&key.span, "`start_interval` is not taken", "the check is made at its `interval`");
    }
    let Some(test) = node.get("test") else {
        let mend = "write its `test` here too, or say `health` in cutover.toml";
        reader.warn(&node.span, "a healthcheck without a `test` is not taken", mend);
        return Ok(None);
    };
    let test = match &test.value {
        Value::List(_) => reader.texts(test)?,
        _ => vec!["CMD-SHELL".to_owned(), reader.text(test)?.text],
    };
    match test.first().map(String::as_str) {
        Some("NONE") => return Ok(Some(Healthcheck::Off)),
        Some("CMD" | "CMD-SHELL") if test.len() > 1 => {}
        _ => {
            let mend = "write [\"CMD\", \"program\", …], [\"CMD-SHELL\", \"text\"], or the text alone";
            return Err(reader.invalid(&node.span, "the healthcheck's test is none", mend));
        }
    }
    let retries = node.get("retries").map(|node| reader.integer(node)).transpose()?;
    let retries = retries.map(|retries| u32::try_from(retries).ok().filter(|retries| *retries > 0));
    Ok(Some(Healthcheck::Run(Healthtest {
        test,
        interval: time("interval")?.filter(|time| !time.is_zero()),
        timeout: time("timeout")?.filter(|time| !time.is_zero()),
        retries: retries.flatten(),
        start_period: time("start_period")?.filter(|time| !time.is_zero()),
    })))
}

/// How long a container may take until a verdict of this check must be there.
pub(super) fn patience(check: &Healthtest) -> Duration {
    let once = check.interval.unwrap_or(INTERVAL) + check.timeout.unwrap_or(TIMEOUT);
    let all = once.saturating_mul(check.retries.unwrap_or(RETRIES));
    check.start_period.unwrap_or_default().saturating_add(all).max(LEAST)
}
