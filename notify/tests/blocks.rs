//! Notices as Block Kit: value against value, within Slack's limits, and by Slack's own SDK.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, not in what they call")]

mod notices;

use std::io::Write as _;
use std::process::{Command, Stdio};

use cutover_notify::{Notice, SlackConfig, Status, preview, text};
use notices::{config, endless, failure, success};
use serde_json::{Value, json};

const UNITS: [&str; 6] = ["a", "<", "`", "🚀", "배포 ", "@here\n"];

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text, "verbatim": true})
}

fn header(text: &str) -> Value {
    json!({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": true}})
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": mrkdwn(text)})
}

fn fields(texts: &[&str]) -> Value {
    json!({"type": "section", "fields": texts.iter().map(|text| mrkdwn(text)).collect::<Vec<_>>()})
}

fn context(texts: &[&str]) -> Value {
    json!({"type": "context", "elements": texts.iter().map(|text| mrkdwn(text)).collect::<Vec<_>>()})
}

#[test]
fn a_success_tells_all_that_is_known() {
    let expected = json!({
        "text": "web: deployed ghcr.io/acme/web:1.4 (sha256:0123456789ab) to green on srv1 by anna in 12.4 s",
        "blocks": [
            header("✅ web: deployed"),
            context(&["boy672820"]),
            fields(&[
                "*Release*\n`ghcr.io/acme/web:1.4`",
                "*Digest*\n`sha256:0123456789ab`",
                "*Previous*\n`ghcr.io/acme/web:1.3`",
                "*Slot*\nblue → green",
                "*Host*\nsrv1",
                "*By*\nanna",
            ]),
            section("*Next*\n```\ncutover rollback web\n```"),
            fields(&[
                "*repo*\n<https://github.com/acme/web|acme/web>",
                "*message*\nFix &lt;b&gt; &amp; co",
                "*commit*\n<https://github.com/acme/web/commit/0123456|0123456>",
                "*author*\nAnna &lt;anna@example.com&gt;",
                "*action*\ndeploy",
                "*eventName*\npush",
                "*ref*\n`refs/heads/main`",
                "*workflow*\n<https://github.com/acme/web/actions/runs/1?a=1&amp;b=2|CI>",
                "*job*\nship",
                "*took*\n12.4 s",
            ]),
            context(&["pull 3.2 s · gate 410 ms"]),
        ],
    });
    assert_eq!(preview(&success(), &config()), expected);
}

#[test]
fn a_failure_says_why_shows_the_log_and_pages_only_who_was_named() {
    let expected = json!({
        "text": "web: deployment of ghcr.io/acme/web:1.5 failed in 31.0 s: GET /healthz answered 500 for 30 s",
        "blocks": [
            header("❌ web: deployment failed"),
            context(&["boy672820"]),
            json!({"type": "section", "text": {"type": "mrkdwn", "text": "<!here> <@U0123456>"}}),
            fields(&["*Release*\n`ghcr.io/acme/web:1.5`"]),
            section("GET /healthz answered 500\nfor 30 s"),
            section("```\nstarting\npanic: &lt;!channel&gt; ``\u{2060}`boom``\u{2060}`\n```"),
            fields(&["*message*\n@\u{2060}here &lt;!channel&gt;", "*took*\n31.0 s"]),
            context(&["<https://ci.example/1|CI run>"]),
        ],
    });
    assert_eq!(preview(&failure(), &config()), expected);
}

#[test]
fn a_notice_that_knows_nothing_is_a_headline() {
    let config = SlackConfig::new("https://hooks.slack.com/services/x".to_owned());
    let headlines = [
        (Status::Success, "✅ web: deployed", "web: deployed"),
        (Status::Failure, "❌ web: deployment failed", "web: deployment failed"),
        (Status::Cancelled, "🚫 web: deployment cancelled", "web: deployment cancelled"),
        (Status::RolledBack, "↩️ web: rolled back", "web: rolled back"),
    ];
    for (status, headline, line) in headlines {
        let message = preview(&Notice::new(status, "web"), &config);
        assert_eq!(message, json!({"text": line, "blocks": [header(headline)]}));
    }
}

#[test]
fn the_line_of_text_is_one_line_that_tells_the_release() {
    let mut notice = success();
    notice.status = Status::RolledBack;
    notice.reason = Some("the release\nexited 1".into());
    assert_eq!(
        text(&notice),
        "web: rolled back from ghcr.io/acme/web:1.4 (sha256:0123456789ab) to ghcr.io/acme/web:1.3 on srv1 by anna \
         in 12.4 s: the release exited 1"
    );
}

#[test]
fn no_text_is_too_long_for_slack() {
    for (status, unit) in Status::ALL.into_iter().flat_map(|s| UNITS.map(|unit| (s, unit))) {
        let message = preview(&endless(status, unit), &config());
        let blocks = message["blocks"].as_array().unwrap();
        assert!((7..=50).contains(&blocks.len()), "{}", blocks.len());
        let mut sum = 0;
        for block in blocks {
            let length = |text: &Value| text["text"].as_str().unwrap().encode_utf16().count();
            let (most, texts) = match (block["type"].as_str().unwrap(), block["fields"].as_array()) {
                ("header", _) => (150, vec![&block["text"]]),
                ("section", None) => (3_000, vec![&block["text"]]),
                ("section", Some(fields)) => (2_000, fields.iter().collect()),
                ("context", _) => (3_000, block["elements"].as_array().unwrap().iter().collect()),
                (other, _) => panic!("unforeseen block {other}"),
            };
            assert!((1..=10).contains(&texts.len()), "{block}");
            assert!(texts.iter().all(|text| (1..=most).contains(&length(text))), "{block}");
            sum += texts.into_iter().map(length).sum::<usize>();
        }
        assert!(sum < 10_000, "{sum} in all");
        // A link's target is not text: nothing in it pages.
        let told = message.to_string().replace("<https://ci.example/@here", "");
        assert!(!told.contains("@here"), "{unit:?}: {told}");
    }
}

#[test]
fn slacks_own_sdk_finds_every_message_valid() {
    let mut messages = vec![preview(&success(), &config()), preview(&failure(), &config())];
    for status in Status::ALL {
        messages.push(preview(&Notice::new(status, "web"), &config()));
        messages.extend(UNITS.map(|unit| preview(&endless(status, unit), &config())));
    }
    let (code, said) = validate(&json!(messages));
    assert_eq!(code, Some(0), "{said}");

    let (code, said) = validate(&json!([{"blocks": [header(&"a".repeat(151))]}]));
    assert_eq!(code, Some(1), "the validator lets a header of 151 pass: {said}");
}

fn validate(messages: &Value) -> (Option<i32>, String) {
    let python = std::env::var_os("CUTOVER_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut validator = Command::new(&python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/validate_blocks.py"))
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}; install python3", python.display()));
    let mut stdin = validator.stdin.take().unwrap();
    // Without slack_sdk the validator ends before it has read, and the pipe is broken: its status tells.
    let written = stdin.write_all(messages.to_string().as_bytes());
    drop(stdin);
    let output = validator.wait_with_output().unwrap();
    let python = python.display();
    assert_ne!(
        output.status.code(),
        Some(3),
        "slack_sdk is missing: `{python} -m pip install slack_sdk`, or name a python that has it in CUTOVER_TEST_PYTHON"
    );
    written.unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}
