//! `docs/notices.md`: what each notice looks like, as text. `UPDATE=1 cargo nextest run -p cutover-notify rendering` writes it.

use std::fmt::Write as _;
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::Path;

use cutover_notify::{
    Fields, Limits, Sink as _, SlackStyle, Webhook, preview, preview_progress, preview_thread, text,
};
use serde_json::Value;

use crate::notices::{cancelled, failure, progress, rolled_back, style, success, waiting};

const ABOUT: &str = "# Notices

What each notice looks like in Slack, as text: a headline, then a section or a line of small print each. By a webhook
there is one message at the end. By a bot's token there is one message that changes while the deployment goes on, with the
last lines of a failed release's log in its thread, and a reply for those who are paged (a change of a message pages nobody).
In the end that message is the webhook's, without the mentions and the log.
This file is made by a test of `cutover-notify` from the very messages that are sent; `UPDATE=1` writes it anew.
";

const REST: &str = "
## In your own words

`template` in `[notify.slack]` and `[notify.stdout]` is the text in [Jinja's language](https://docs.rs/minijinja/latest/minijinja/syntax/):

```toml
template = \"{{ app }} is {{ status }}{% if reason %}: {{ reason }}{% endif %}{% if run_url %} <{{ run_url }}|the run>{% endif %}\"
```

It is rendered for every outcome when the file is read, so that a slip is told with its place before anything is touched.
Its variables are the names in the JSON below (but for `version`), `reason` and `preview`; what is not known is `none` and
written as nothing. In Slack the template's own words may link and mention, what it is filled with may not.

## To a program of your own

`[notify.webhook]` posts JSON. What is not known is left out; times are in seconds:

```json
JSON
```

With `secret`, the header `X-Cutover-Signature` is `t=T,v1=S`: T the time of sending in seconds since 1970, S the HMAC-SHA256 of
`T.BODY` by that key, in hexadecimal. A receiver computes S anew, compares in constant time, and refuses a T that is
minutes away: `printf '%s.' \"$T\" | cat - body | openssl dgst -sha256 -hmac \"$KEY\"`. In Rust it is `cutover_notify::verify`.
";

/// What a webhook is sent for a notice.
async fn posted(notice: &cutover_notify::Notice) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut stream = std::io::BufReader::new(listener.accept().unwrap().0);
        let mut length = 0;
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().unwrap(),
                None if line == "\r\n" => break,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).unwrap();
        stream.get_mut().write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
        serde_json::from_slice::<Value>(&body).unwrap()
    });
    let webhook = Webhook::new(&url.into(), None, Limits::default()).unwrap();
    webhook.send(notice).await.unwrap();
    serde_json::to_string_pretty(&serving.join().unwrap()).unwrap()
}

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

#[tokio::test]
async fn the_rendering_in_the_docs_is_what_is_sent() {
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
    page.push_str(&REST.replace("JSON\n```", &format!("{}\n```", posted(&success()).await)));
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
