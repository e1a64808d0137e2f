//! Notices as Block Kit: value against value, within Slack's limits, and by Slack's own SDK.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, not in what they call")]

mod notices;
mod rendering;
#[path = "../validator/mod.rs"]
mod validator;

use cutover_notify::{
    Notice, Progress, SlackStyle, Status, Template, preview, preview_progress, preview_thread, text,
};
use notices::{cancelled, endless, failure, progress, rolled_back, style, success, waiting};
use proptest::prelude::*;
use serde_json::{Value, json};
use validator::validate;

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
                "*Requests*\n0 lost of 67000, p99 4.1 ms, 5.2 ms, 4.0 ms before, during, after",
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
            context(&[
                "pull 3.2 s · gate 410 ms",
                "<https://github.com/acme/web/compare/fedcba9...0123456|Changes> · \
                 <https://github.com/acme/web/pkgs/container/web|Package>",
            ]),
        ],
    });
    assert_eq!(preview(&success(), &style()), expected);
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
    assert_eq!(preview(&failure(), &style()), expected);
}

#[test]
fn a_notice_that_knows_nothing_is_a_headline() {
    let headlines = [
        (Status::Success, "✅ web: deployed", "web: deployed"),
        (Status::Failure, "❌ web: deployment failed", "web: deployment failed"),
        (Status::Cancelled, "🚫 web: deployment cancelled", "web: deployment cancelled"),
        (Status::RolledBack, "↩️ web: rolled back", "web: rolled back"),
        (Status::Waiting, "⏳ web: waiting for promotion", "web: the release waits for its promotion"),
    ];
    for (status, headline, line) in headlines {
        let message = preview(&Notice::new(status, "web"), &SlackStyle::default());
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
fn a_message_that_follows_tells_what_is_done_and_what_is_being_done() {
    let message = preview_progress(&progress(), &style());
    let blocks = message["blocks"].as_array().unwrap();
    assert_eq!(blocks[0], header("🚀 web: deploying"));
    assert_eq!(blocks[3], section("✓ pull 3.2 s\n✓ gate 410 ms\n▸ watch green"));
    assert_eq!(
        message["text"],
        "web: deploying ghcr.io/acme/web:1.4 (sha256:0123456789ab) on srv1 by anna: watch green"
    );
    let bare = preview_progress(&Progress::new("web"), &SlackStyle::default());
    assert_eq!(bare, json!({"text": "web: deploying", "blocks": [header("🚀 web: deploying")]}));
}

#[test]
fn in_a_thread_the_log_and_the_page_are_replies() {
    let messages = preview_thread(&failure(), &style());
    let [head, page, logs] = messages.as_slice() else { panic!("{messages:#?}") };
    assert!(!head.to_string().contains("<!here>") && !head.to_string().contains("boom"), "{head:#}");
    assert_eq!(page["blocks"][0]["text"]["text"], "<!here> <@U0123456>");
    assert!(logs["blocks"][1]["text"]["text"].as_str().unwrap().starts_with("```\nstarting\n"), "{logs:#}");
    assert_eq!(preview_thread(&success(), &style()).len(), 1);
}

#[test]
fn a_template_gives_the_text_under_the_headline_and_of_the_notification() {
    let template = Template::new("<!here> *{{ status }}* of {{ message }}").unwrap();
    let style = SlackStyle { template: Some(template), ..SlackStyle::default() };
    let message = preview(&failure(), &style);
    let text = "<!here> *failure* of @\u{2060}here &lt;!channel&gt;";
    assert_eq!((&message["text"], &message["blocks"][1]), (&json!(text), &section(text)));
}

/// What is wrong with a message by the limits of Slack's; nothing if all is well.
fn excess(message: &Value) -> Option<String> {
    let length = |text: &Value| text["text"].as_str().map_or(0, |text| text.encode_utf16().count());
    let blocks = message["blocks"].as_array()?;
    let mut sum = 0;
    for block in blocks {
        let (most, texts) = match (block["type"].as_str()?, block["fields"].as_array()) {
            ("header", _) => (150, vec![&block["text"]]),
            ("section", None) => (3_000, vec![&block["text"]]),
            ("section", Some(fields)) => (2_000, fields.iter().collect()),
            ("context", _) => (3_000, block["elements"].as_array()?.iter().collect()),
            (other, _) => return Some(format!("unforeseen block {other}")),
        };
        let well =
            (1..=10).contains(&texts.len()) && texts.iter().all(|text| (1..=most).contains(&length(text)));
        if !well {
            return Some(block.to_string());
        }
        sum += texts.into_iter().map(length).sum::<usize>();
    }
    let well = (1..=50).contains(&blocks.len()) && sum < 10_000 && length(message) <= 1_000;
    (!well).then(|| format!("{} blocks, {sum} in all, a text of {}", blocks.len(), length(message)))
}

/// All messages that there may be of a notice.
fn messages(notice: &Notice, style: &SlackStyle) -> Vec<Value> {
    let progress = Progress { facts: notice.facts.clone(), phase: notice.reason.clone() };
    let mut messages = vec![preview(notice, style), preview_progress(&progress, style)];
    messages.extend(preview_thread(notice, style));
    messages
}

#[test]
fn no_text_is_too_long_for_slack() {
    for (status, unit) in Status::ALL.into_iter().flat_map(|s| UNITS.map(|unit| (s, unit))) {
        for message in messages(&endless(status, unit), &style()) {
            assert_eq!(excess(&message), None, "{status} {unit:?}");
            // A link's target is not text: nothing in it pages.
            let told = message.to_string().replace("<https://ci.example/@here", "");
            assert!(!told.contains("@here"), "{unit:?}: {told}");
        }
    }
}

fn own() -> Template {
    Template::new("{{ message }} {{ reason|upper }} <https://a.example|{{ author }}>").unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_told_keeps_slacks_rules_and_pages_nobody(
        texts in prop::collection::vec("(<!(here|channel)>|<@U0123456>|@(here|channel|everyone)|[`<>&|@*_~\\PC\n\u{1b}]){0,60}", 12),
        long in 1usize..80,
        status in prop::sample::select(Status::ALL.to_vec()),
    ) {
        let text = |n: usize| Some(texts[n].repeat(long));
        let mut notice = Notice::new(status, texts[0].clone());
        let facts = &mut notice.facts;
        (facts.image, facts.digest, facts.previous) = (text(1), text(2), text(3));
        (facts.from_slot, facts.host, facts.actor) = (text(4), text(5), text(6));
        facts.phases = vec![(texts[7].clone(), std::time::Duration::from_secs(1)); long];
        (facts.source.message, facts.source.ref_, facts.source.author) = (text(8), text(9), text(10));
        (notice.reason, notice.next) = (text(11), text(0));
        notice.logs = texts.clone();
        let style = SlackStyle { fields: "all".parse().unwrap(), template: Some(own()), ..SlackStyle::default() };
        for message in messages(&notice, &style) {
            prop_assert_eq!(excess(&message), None);
            // The headline is plain text, in which nothing is a mention.
            let headline = message["blocks"][0]["text"]["text"].to_string();
            let told = message.to_string().replace(&headline, "").to_lowercase();
            for page in ["<!", "<@", "@here", "@channel", "@everyone"] {
                prop_assert!(!told.contains(page), "{} in {}", page, told);
            }
        }
    }
}

#[test]
fn slacks_own_sdk_finds_every_message_valid() {
    let notices = [success(), failure(), rolled_back(), cancelled(), waiting()];
    let mut all: Vec<Value> = notices.iter().flat_map(|notice| messages(notice, &style())).collect();
    for status in Status::ALL {
        all.extend(messages(&Notice::new(status, "web"), &style()));
        all.extend(UNITS.iter().flat_map(|unit| messages(&endless(status, unit), &style())));
    }
    let (code, said) = validate(&json!(all));
    assert_eq!(code, Some(0), "{said}");

    let (code, said) = validate(&json!([{"blocks": [header(&"a".repeat(151))]}]));
    assert_eq!(code, Some(1), "the validator lets a header of 151 pass: {said}");
}
