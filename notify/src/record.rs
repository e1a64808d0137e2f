//! A notice as names and values: what a webhook's body holds, and what a template may name.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::summary::{fine, human, said, text};
use crate::{Notice, Requests};

/// How a duration is written.
#[derive(Clone, Copy)]
pub(crate) enum Times {
    /// In seconds, as a number.
    Seconds,
    /// For people: `12.4 s`.
    Words,
}

/// Every name there is, with null for what is not known.
pub(crate) fn record(notice: &Notice, times: Times) -> Map<String, Value> {
    let (facts, source) = (&notice.facts, &notice.facts.source);
    let time = |duration: Duration| match times {
        Times::Seconds => json!(duration.as_secs_f64()),
        Times::Words => json!(human(duration)),
    };
    let fine = |duration: Duration| match times {
        Times::Seconds => json!(duration.as_secs_f64()),
        Times::Words => json!(fine(duration)),
    };
    let phases: Vec<Value> =
        facts.phases.iter().map(|(name, took)| json!({"name": name, "took": time(*took)})).collect();
    let requests = facts.requests.map(|Requests { total, lost, p99: [before, during, after] }| {
        let p99 = json!({
            "before": before.map(fine), "during": during.map(fine), "after": after.map(fine)
        });
        json!({"total": total, "lost": lost, "p99": p99})
    });
    let texts = [
        ("image", &facts.image),
        ("digest", &facts.digest),
        ("previous", &facts.previous),
        ("from", &facts.from_slot),
        ("to", &facts.to_slot),
        ("host", &facts.host),
        ("actor", &facts.actor),
        ("preview", &facts.preview),
        ("package_url", &facts.package_url),
        ("reason", &notice.reason),
        ("next", &notice.next),
        ("repo", &source.repo),
        ("message", &source.message),
        ("commit", &source.commit),
        ("author", &source.author),
        ("action", &source.action),
        ("eventName", &source.event_name),
        ("ref", &source.ref_),
        ("workflow", &source.workflow),
        ("job", &source.job),
        ("run_url", &source.run_url),
        ("commit_url", &source.commit_url),
        ("repo_url", &source.repo_url),
        ("compare_url", &source.compare_url),
    ];
    let mut record: Map<String, Value> =
        texts.into_iter().map(|(name, value)| (name.to_owned(), said(value).into())).collect();
    let others = [
        ("status", notice.status.as_str().into()),
        ("app", facts.app.as_str().into()),
        ("text", text(notice).into()),
        ("took", facts.took.map(time).into()),
        ("phases", phases.into()),
        ("requests", requests.into()),
        ("logs", notice.logs.clone().into()),
    ];
    record.extend(others.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
    record
}
