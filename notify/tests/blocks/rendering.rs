//! `docs/notices.md`: what each notice looks like, as text. `UPDATE=1 cargo nextest run -p cutover-notify rendering` writes it.

use std::fmt::Write as _;
use std::path::Path;

use cutover_notify::{Fields, SlackStyle, preview, preview_progress, preview_thread, text};
use serde_json::Value;

use crate::notices::{cancelled, failure, progress, rolled_back, style, success, waiting};

const ABOUT: &str = "# Notices

What each notice looks like in Slack, as text: a headline, then a section or a line of small print each. By a webhook
there is one message at the end. By a bot's token there is one message that changes while the deployment goes on, with the
last lines of a failed release's log in its thread, and a reply for those who are paged (a change of a message pages nobody).
In the end that message is the webhook's, without the mentions and the log.
This file is made by a test of `cutover-notify` from the very messages that are sent; `UPDATE=1` writes it anew.
";

/// The blocks of a message as text.
fn shown(message: &Value) -> String {
    let mut out = String::new();
    let texts = |value: &Value| -> Vec<String> {
        let texts = value.as_array().map(Vec::as_slice).unwrap_or_default();
        texts.iter().map(|text| plain(text["text"].as_str().unwrap_or_default())).collect()
    };
    for block in message["blocks"].as_array().unwrap() {
        let text = plain(block["text"]["text"].as_str().unwrap_or_default());
        match block["type"].as_str().unwrap() {
            "header" => writeln!(out, "{text}\n{}", "=".repeat(text.chars().count())).unwrap(),
            "section" if block["fields"].is_array() => {
                for field in texts(&block["fields"]) {
                    let (title, value) = field.split_once('\n').unwrap();
                    writeln!(out, "{:<10} {value}", title.trim_matches('*')).unwrap();
                }
            }
            "section" => writeln!(out, "{text}").unwrap(),
            _ => writeln!(out, "· {}", texts(&block["elements"]).join("  ·  ")).unwrap(),
        }
        out.push('\n');
    }
    out.trim_end().to_owned()
}

/// Mrkdwn as it is read: no escapes, no fences, links as their label and address.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let (inner, after) = after.split_once('>').unwrap_or((after, ""));
        out.push_str(before);
        match inner.split_once('|') {
            Some((address, label)) => write!(out, "{label} ({address})").unwrap(),
            None => out.push_str(inner.trim_start_matches('!')),
        }
        rest = after;
    }
    out.push_str(rest);
    let joined = out.replace("```\n", "").replace("\n```", "").replace('\u{2060}', "");
    joined.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn the_rendering_in_the_docs_is_what_is_sent() {
    let mut page = ABOUT.to_owned();
    let notices = [
        ("Success", success(), true),
        ("Failure", failure(), false),
        ("Rolled back", rolled_back(), true),
        ("Cancelled", cancelled(), true),
        ("Waiting", waiting(), true),
    ];
    let brief: Fields = "repo,message,commit,author,took".parse().unwrap();
    writeln!(
        page,
        "\n## While it goes on\n\n```text\n{}\n```",
        shown(&preview_progress(&progress(), &style()))
    )
    .unwrap();
    for (title, notice, all) in notices {
        let style = if all { style() } else { SlackStyle { fields: brief.clone(), ..style() } };
        writeln!(page, "\n## {title}\n\nIn one line: `{}`\n", text(&notice)).unwrap();
        writeln!(page, "By a webhook:\n\n```text\n{}\n```", shown(&preview(&notice, &style))).unwrap();
        let thread = preview_thread(&notice, &style);
        for (number, reply) in thread.iter().enumerate().skip(1) {
            writeln!(page, "\nIn the bot's thread, reply {number}:\n\n```text\n{}\n```", shown(reply))
                .unwrap();
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/notices.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "{} is stale: UPDATE=1 cargo nextest run -p cutover-notify rendering",
        path.display()
    );
}
