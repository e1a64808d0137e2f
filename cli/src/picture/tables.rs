//! The page's tables: all figures that the chart shows, as text.

use super::columns::columns;
use super::markup::{cell, escaped, short, time};
use crate::probe::Figures;
use crate::record::Record;

/// Something wide, in a frame of its own that is scrolled, by keyboard too.
pub(super) fn scrolled(name: &str, content: &str) -> String {
    format!(
        "<div class=\"scrolled\" role=\"region\" aria-label=\"{}\" tabindex=\"0\">\n{content}</div>\n",
        escaped(name)
    )
}

/// A table: its caption, its columns with whether they are of numbers, and the cells of its rows, escaped already.
fn table(caption: &str, columns: &[(&str, bool)], rows: impl Iterator<Item = Vec<String>>) -> String {
    let class = |number: bool| if number { " class=\"number\"" } else { "" };
    let head: String = columns
        .iter()
        .map(|(name, number)| format!("<th scope=\"col\"{}>{name}</th>", class(*number)))
        .collect();
    let row = |cells: Vec<String>| {
        let cells = cells.iter().zip(columns).enumerate().map(|(place, (cell, (_, number)))| match place {
            0 => format!("<th scope=\"row\"{}>{cell}</th>", class(*number)),
            _ => format!("<td{}>{cell}</td>", class(*number)),
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = rows.map(row).collect();
    let table = format!(
        "<table>\n<caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        escaped(caption)
    );
    scrolled(caption, &table)
}

fn failed(failed: u64) -> String {
    if failed == 0 { "0".to_owned() } else { format!("<strong class=\"bad\">{failed}</strong>") }
}

/// Sent, failed and times before, during and after the switch.
pub(super) fn figures(figures: &Figures) -> String {
    let columns =
        [("", false), ("sent", true), ("failed", true), ("p50 ms", true), ("p99 ms", true), ("max ms", true)];
    let rows = figures.parts().map(|(name, span)| {
        let times = [span.p50_ms, span.p99_ms, span.max_ms].map(cell);
        [name.to_owned(), span.sent.to_string(), failed(span.failed)].into_iter().chain(times).collect()
    });
    let caption = match figures.during {
        Some(_) => "Before the switch, during the second after it, and from then on",
        None => "The whole run; traffic was not switched",
    };
    let why = figures.why.as_deref();
    let why = why.map(|why| format!("<p>The first that failed: {}</p>\n", escaped(why)));
    table(caption, &columns, rows) + &why.unwrap_or_default()
}

/// The chart's figures.
pub(super) fn over_time(record: &Record) -> String {
    let names = [
        ("from s", true),
        ("to s", true),
        ("slot", false),
        ("release", false),
        ("sent", true),
        ("failed", true),
        ("p50 ms", true),
        ("p99 ms", true),
    ];
    let rows = columns(record).into_iter().map(|column| {
        let release = column.slot.as_deref().and_then(|slot| record.digest_in(slot)).map(short);
        vec![
            format!("{:.1}", column.from_ms / 1_000.0),
            format!("{:.1}", column.to_ms / 1_000.0),
            escaped(column.slot.as_deref().unwrap_or("nothing")),
            escaped(release.unwrap_or("\u{2013}")),
            column.sent.to_string(),
            failed(column.failed),
            cell(column.p50_ms),
            cell(column.p99_ms),
        ]
    });
    table("Requests over time, after the run's beginning", &names, rows)
}

/// The phases, and those that came before the run.
pub(super) fn phases(record: &Record) -> String {
    let names = [("phase", false), ("began s", true), ("took", true), ("", false)];
    let before = ["build", "push", "resolve", "observe", "probe"];
    let before = before.into_iter().filter_map(|name| {
        let took = time(record.run.phases.get(name)? * 1_000.0);
        let what = if name == "probe" { "waited for requests" } else { name };
        Some(vec![what.to_owned(), "\u{2013}".to_owned(), took, String::new()])
    });
    let steps = record.phases.iter().map(|phase| {
        vec![
            escaped(&phase.name),
            format!("{:.2}", phase.from_ms / 1_000.0),
            time(phase.to_ms - phase.from_ms),
            if phase.done { String::new() } else { "<span class=\"bad\">stopped</span>".to_owned() },
        ]
    });
    table("What was done, and how long it took", &names, before.chain(steps))
}

/// What the gates asked, and what came back.
pub(super) fn gate(record: &Record) -> String {
    if record.gate.is_empty() {
        return "<p>Nothing was asked.</p>\n".to_owned();
    }
    let names = [("from s", true), ("who", false), ("asked", false), ("times", true), ("came back", false)];
    let rows = record.gate.iter().map(|asked| {
        let answer = asked.wrong.as_deref().map(escaped);
        vec![
            format!("{:.2}", asked.from_ms / 1_000.0),
            escaped(&asked.who),
            escaped(&asked.what),
            asked.times.to_string(),
            answer.map_or_else(|| "well".to_owned(), |wrong| format!("<span class=\"bad\">{wrong}</span>")),
        ]
    });
    table("Questions with the same answer stand in one line", &names, rows)
}
