//! The page: everything there is of a run, in one file.

use std::fmt::Write as _;

use super::chart::svg;
use super::markup::{escaped, time};
use super::tables;
use crate::record::Record;

const STYLE: &str = include_str!("page.css");

/// The page of a run: one file that asks for nothing, reads without a script, and shows nothing from outside but as text.
#[must_use]
pub fn html(record: &Record) -> String {
    let heading = escaped(&format!("{}: {} {}", record.app, record.run.command, record.run.outcome));
    let mut body = String::new();
    section(&mut body, "run", "The run", &facts(record));
    if let Some(figures) = &record.run.probe {
        let asked = record.probe.as_ref().map_or("", |probe| probe.what.as_str());
        let words = format!(
            "<p>{} requests a second, {} in all: <code>{}</code></p>\n",
            figures.rate,
            figures.sent,
            escaped(asked)
        );
        section(&mut body, "requests", "Requests meanwhile", &(words + &tables::figures(figures)));
    }
    section(&mut body, "chart", "Over time", &chart(record));
    section(&mut body, "phases", "Phases", &tables::phases(record));
    section(&mut body, "gate", "What the gates asked", &tables::gate(record));
    section(&mut body, "log", "The release's last lines", &log(record));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<a class=\"skip\" href=\"#main\">Skip to the run</a>\n<header><h1>{heading}</h1></header>\n\
         <main id=\"main\" tabindex=\"-1\">\n{body}</main>\n\
         <footer><p>Written by cutover {} for the run {}.</p></footer>\n</body>\n</html>\n",
        env!("CARGO_PKG_VERSION"),
        escaped(&record.id)
    )
}

fn section(body: &mut String, id: &str, heading: &str, content: &str) {
    let _ = write!(
        body,
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{heading}</h2>\n{content}</section>\n"
    );
}

fn facts(record: &Record) -> String {
    let run = &record.run;
    let slots = match (run.from.as_deref(), run.live.as_deref()) {
        (Some(from), Some(live)) if from != live => Some(format!("{from} \u{2192} {live}")),
        (_, live) => live.map(str::to_owned),
    };
    let known = [
        ("Began", Some(record.began.clone())),
        ("Took", Some(time(record.took_ms))),
        ("By", Some(run.who.clone())),
        ("Image", run.image.clone()),
        ("Digest", run.digest.clone()),
        ("Before", run.previous.clone()),
        ("Slot", slots),
        ("Clients", run.guard.map(|guard| guard.to_string())),
        ("Why", run.reason.clone()),
    ];
    let rows = known.into_iter().filter_map(|(name, value)| {
        Some(format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(&value?)))
    });
    format!("<dl>\n{}</dl>\n", rows.collect::<String>())
}

fn chart(record: &Record) -> String {
    let table = match &record.probe {
        Some(_) => format!(
            "<details>\n<summary>The same as a table</summary>\n{}</details>\n",
            tables::over_time(record)
        ),
        None => "<p>No requests were put on the site; <code>--probe</code> does that.</p>\n".to_owned(),
    };
    format!(
        "<figure>\n{}<figcaption>Dashed lines across are switches of traffic. The slot is the one that nginx was told \
         to send to.</figcaption>\n</figure>\n{table}",
        tables::scrolled("The chart", &svg(record))
    )
}

fn log(record: &Record) -> String {
    if record.logs.is_empty() {
        return "<p>There are none.</p>\n".to_owned();
    }
    let lines: String = record.logs.iter().map(|line| format!("{}\n", escaped(line))).collect();
    let shown = tables::scrolled("The last lines", &format!("<pre>{lines}</pre>\n"));
    format!("<details>\n<summary>{} lines</summary>\n{shown}</details>\n", record.logs.len())
}
