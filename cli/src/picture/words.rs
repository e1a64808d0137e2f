//! A run in words, for a terminal.

use std::fmt::Write as _;

use super::markup::{cell, short, time};
use crate::record::Record;

/// A run in words.
#[must_use]
pub fn text(record: &Record) -> String {
    let run = &record.run;
    let heading = format!("{}: {}, {}", record.app, run.command, run.outcome);
    let mut lines = vec![format!("{} in {}", plain(&heading), time(record.took_ms))];
    let mut line = |name: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("  {name:<9} {}", plain(value))));
    };
    line("run", Some(&record.id));
    line("by", Some(&run.who));
    line("image", run.image.as_deref());
    line("digest", run.digest.as_deref());
    line("why", run.reason.as_deref());
    line("served", Some(&serving(record)));
    line("clients", run.guard.map(|guard| guard.to_string()).as_deref());
    if let Some(probe) = &record.probe {
        line("probe", Some(&probe.what));
    }
    if let Some(figures) = &run.probe {
        let row = |name: &str, cells: [&str; 5]| {
            cells.iter().fold(format!("  {name:<9} "), |line, cell| format!("{line}{cell:>10}"))
        };
        lines.push(row("", ["sent", "failed", "p50 ms", "p99 ms", "max ms"]));
        for (name, span) in figures.parts() {
            let [p50, p99, max] = [span.p50_ms, span.p99_ms, span.max_ms].map(cell);
            lines.push(row(name, [&span.sent.to_string(), &span.failed.to_string(), &p50, &p99, &max]));
        }
        lines.extend(figures.why.as_ref().map(|why| format!("  the first that failed: {}", plain(why))));
    }
    for phase in &record.phases {
        let (took, end) = (time(phase.to_ms - phase.from_ms), if phase.done { "" } else { "  stopped" });
        lines.push(format!("  {:>8}  {took:>8}  {}{end}", time(phase.from_ms), plain(&phase.name)));
    }
    lines.join("\n")
}

fn serving(record: &Record) -> String {
    record.serving.iter().fold(String::new(), |mut text, part| {
        let slot = part.slot.as_deref().unwrap_or("nothing");
        let digest = part.slot.as_deref().and_then(|slot| record.digest_in(slot)).map(short);
        if !text.is_empty() {
            let _ = write!(text, ", from {} on ", time(part.from_ms));
        }
        text.push_str(&[Some(slot), digest].into_iter().flatten().collect::<Vec<_>>().join(" "));
        text
    })
}

/// Text from outside in one line, fit for a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
