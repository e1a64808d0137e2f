use std::fmt::Write as _;
use std::time::Duration;

use crate::{Facts, Notice, Progress, Requests, Status};

/// Tells `notice` in one line of plain text, for a terminal, a log, or a client that shows no blocks.
///
/// ```
/// use cutover_notify::{Notice, Status, text};
///
/// let mut notice = Notice::new(Status::Success, "web");
/// notice.facts.image = Some("ghcr.io/acme/web:1.4".into());
/// notice.facts.to_slot = Some("green".into());
/// assert_eq!(text(&notice), "web: deployed ghcr.io/acme/web:1.4 to green");
/// ```
#[must_use]
pub fn text(notice: &Notice) -> String {
    let facts = &notice.facts;
    let release = release(facts);
    let mut line = format!("{}: ", facts.app);
    match notice.status {
        Status::Success => {
            line.push_str("deployed");
            add(&mut line, " ", release.as_deref());
            add(&mut line, " to ", said(&facts.to_slot));
        }
        Status::Failure | Status::Cancelled => {
            line.push_str("deployment");
            add(&mut line, " of ", release.as_deref());
            line.push_str(if notice.status == Status::Failure { " failed" } else { " cancelled" });
        }
        Status::RolledBack => {
            line.push_str("rolled back");
            add(&mut line, " from ", release.as_deref());
            add(&mut line, " to ", said(&facts.previous));
        }
        Status::Waiting => {
            line.push_str(release.as_deref().unwrap_or("the release"));
            line.push_str(" waits for its promotion");
        }
    }
    add(&mut line, " on ", said(&facts.host));
    add(&mut line, " by ", said(&facts.actor));
    add(&mut line, " in ", facts.took.map(human).as_deref());
    add(&mut line, ": ", said(&notice.reason));
    one_line(&line)
}

/// Tells how far a deployment is, in one line of plain text.
pub(crate) fn under_way(progress: &Progress) -> String {
    let facts = &progress.facts;
    let mut line = format!("{}: deploying", facts.app);
    add(&mut line, " ", release(facts).as_deref());
    add(&mut line, " on ", said(&facts.host));
    add(&mut line, " by ", said(&facts.actor));
    add(&mut line, ": ", said(&progress.phase));
    one_line(&line)
}

/// The trimmed text, if there is any.
pub(crate) fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

/// The digest with its first 12 digits, as `docker images` shows it: enough to tell releases apart.
pub(crate) fn short_digest(digest: &str) -> &str {
    match digest.split_once(':') {
        Some((algorithm, hex)) if hex.is_ascii() => &digest[..algorithm.len() + 1 + hex.len().min(12)],
        _ => digest,
    }
}

/// A duration for people: `350 ms`, `12.4 s`, `2 min 5 s`, `1 h 2 min`.
pub(crate) fn human(duration: Duration) -> String {
    let millis = duration.as_millis();
    let seconds = duration.as_secs();
    match seconds {
        _ if millis < 1_000 => format!("{millis} ms"),
        0..60 => format!("{seconds}.{} s", millis % 1_000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A short duration for people, to the tenth of a millisecond: `4.1 ms`.
pub(crate) fn fine(duration: Duration) -> String {
    if duration.as_secs() > 0 {
        human(duration)
    } else {
        format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
    }
}

/// Requests for people: `2 lost of 67000, p99 4.1 ms, 5.2 ms, 4.0 ms before, during, after`.
pub(crate) fn requests(requests: &Requests) -> String {
    let mut text = format!("{} lost of {}", requests.lost, requests.total);
    let named = requests.p99.into_iter().zip(["before", "during", "after"]);
    let (times, names): (Vec<String>, Vec<&str>) =
        named.filter_map(|(time, name)| Some((fine(time?), name))).unzip();
    if !times.is_empty() {
        let _ = write!(text, ", p99 {} {}", times.join(", "), names.join(", "));
    }
    text
}

fn release(facts: &Facts) -> Option<String> {
    match (said(&facts.image), said(&facts.digest).map(short_digest)) {
        (Some(image), Some(digest)) if !image.contains(digest) => Some(format!("{image} ({digest})")),
        (Some(image), _) => Some(image.to_owned()),
        (None, digest) => digest.map(str::to_owned),
    }
}

fn add(line: &mut String, before: &str, text: Option<&str>) {
    if let Some(text) = text {
        let _ = write!(line, "{before}{text}");
    }
}

fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
