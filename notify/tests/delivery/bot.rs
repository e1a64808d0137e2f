//! A bot's message that follows a deployment.

use std::time::{Duration, Instant};

use cutover_notify::{
    Delivered, Error, Limits, Notice, Part, Progress, Sink as _, Sinks, SlackBot, SlackStyle, Status,
    preview_progress, preview_thread,
};
use serde_json::{Value, json};

use crate::api::{Api, CHANNEL, TOKEN, refused};
use crate::incoming::assert_redacted;
use crate::stand_in::{Answer, answer};
use crate::validator::validate;

const LIMITS: Limits =
    Limits { timeout: Duration::from_millis(800), retries: 2, limit: Duration::from_secs(30) };
const LONG: Duration = Duration::from_secs(60);

fn style() -> SlackStyle {
    let mut style = SlackStyle::default();
    style.mentions.insert(Status::Failure, vec!["here".parse().unwrap()]);
    style
}

fn bot(api: &Api) -> SlackBot {
    SlackBot::at(&api.url().parse().unwrap(), &TOKEN.into(), "#deploys".parse().unwrap(), style(), LIMITS)
        .unwrap()
}

fn sinks(api: &Api) -> Sinks {
    let mut sinks = Sinks::new();
    sinks.add(bot(api));
    sinks
}

fn progress(phase: &str) -> Progress {
    Progress { phase: Some(phase.to_owned()), ..Progress::new("web") }
}

fn failure() -> Notice {
    Notice { logs: vec!["boom".into()], ..Notice::new(Status::Failure, "web") }
}

/// What the one sink has to say of the end.
async fn end(live: cutover_notify::Live, notice: &Notice) -> Result<Delivered, Error> {
    let mut told = live.end(notice, LONG).await;
    assert_eq!(told.len(), 1);
    let told = told.remove(0);
    assert_eq!(told.sink, "slack (#deploys)");
    told.result.inspect_err(assert_redacted)
}

/// A message as it was sent, without where it was sent.
fn content(message: &Value) -> Value {
    json!({"text": message["text"], "blocks": message["blocks"]})
}

#[tokio::test]
async fn a_deployment_is_one_message_that_changes_and_its_log_stands_in_the_thread() {
    let api = Api::start([]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    assert_eq!(content(&api.messages()[0]), preview_progress(&progress("pull the image"), &style()));
    live.progress(progress("gate green"));
    api.wait_for(2).await;
    assert_eq!(content(&api.messages()[0]), preview_progress(&progress("gate green"), &style()));

    let delivered = end(live, &failure()).await.unwrap();
    assert!(delivered.lacking.is_empty(), "{delivered:?}");
    let shown = preview_thread(&failure(), &style());
    assert_eq!(api.messages().iter().map(content).collect::<Vec<_>>(), shown[..1]);
    assert_eq!(api.replies().iter().map(content).collect::<Vec<_>>(), shown[1..]);
    for reply in api.replies() {
        assert_eq!((&reply["channel"], &reply["thread_ts"]), (&json!(CHANNEL), &json!("1700000000.000000")));
    }
    // Who is paged sees it in the channel; the log stays in the thread.
    assert_eq!(api.replies()[0]["reply_broadcast"], true);
    assert!(api.replies()[1]["reply_broadcast"].is_null());
    assert_eq!(api.reactions(), ["x"]);

    let sent: Vec<Value> =
        api.calls().into_iter().map(|call| call.body).filter(|body| body["blocks"].is_array()).collect();
    assert_eq!(sent.len(), 5);
    let (code, said) = validate(&json!(sent));
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test]
async fn a_notice_without_a_beginning_is_posted_whole_and_pages_by_itself() {
    let api = Api::start([]).await;
    let delivered = bot(&api).send(&failure()).await.unwrap();
    assert_eq!((delivered.attempts, delivered.lacking.len()), (1, 0));
    assert_eq!(api.methods(), ["chat.postMessage", "chat.postMessage", "reactions.add"]);
    assert!(api.messages()[0].to_string().contains("<!here>"));
    assert!(api.replies()[0].to_string().contains("boom"));
}

#[tokio::test]
async fn of_many_states_the_newest_are_told_at_most_one_a_second_and_the_last_always() {
    let api = Api::start([]).await;
    let began = Instant::now();
    let live = sinks(&api).begin(progress("0"));
    api.wait_for(1).await;
    for state in 1..=500 {
        live.progress(progress(&state.to_string()));
        tokio::task::yield_now().await;
    }
    api.wait_for(2).await;
    assert_eq!(content(&api.messages()[0]), preview_progress(&progress("500"), &style()));
    end(live, &Notice::new(Status::Success, "web")).await.unwrap();
    let changes = api.methods().iter().filter(|method| method.starts_with("chat.")).count();
    assert!(changes as u64 <= 1 + began.elapsed().as_secs(), "{changes} in {:?}", began.elapsed());
    assert_eq!(api.messages()[0]["blocks"][0]["text"]["text"], "✅ web: deployed");
    assert_eq!(api.reactions(), ["white_check_mark"]);
}

#[tokio::test]
async fn a_slack_that_hangs_holds_up_nothing_and_the_end_is_bounded() {
    let api =
        Api::start([("chat.postMessage", Answer::Silence), ("chat.postMessage", Answer::Silence)]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    let told = end(live, &failure()).await.unwrap_err();
    assert!(matches!(told, Error::TimedOut { attempts: 1, .. }), "{told:?}");
    assert_eq!(api.methods().len(), 2);

    let api = Api::start([("chat.postMessage", Answer::Silence)]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    let mut told = live.end(&failure(), Duration::from_millis(1)).await;
    let error = told.remove(0).result.unwrap_err();
    assert!(matches!(error, Error::Unfinished { .. }), "{error:?}");
}

#[tokio::test]
async fn what_slack_refuses_is_told_with_the_mend_and_asked_once_more_at_the_end() {
    for (code, mend) in [
        ("invalid_auth", "take its new bot token"),
        ("channel_not_found", "invite the bot"),
        ("not_in_channel", "invite the bot"),
        ("missing_scope", "`chat:write`"),
        ("something_new", "200 something_new"),
    ] {
        let api = Api::start(["chat.postMessage"; 2].map(|method| (method, refused(code)))).await;
        let live = sinks(&api).begin(progress("pull the image"));
        api.wait_for(1).await;
        live.progress(progress("gate green"));
        let error = end(live, &failure()).await.unwrap_err().to_string();
        assert!(error.contains(code) && error.contains(mend), "{error}");
        assert_eq!(api.methods().len(), 2, "{code}: {:?}", api.methods());
    }
}

#[tokio::test]
async fn a_limit_a_fault_and_a_broken_connection_are_tried_again_where_that_doubles_nothing() {
    let limited = answer(
        "429 Too Many Requests",
        "retry-after: 1\r\ncontent-type: application/json\r\n",
        r#"{"ok":false,"error":"ratelimited"}"#,
    );
    let down = answer("500 Internal Server Error", "content-type: text/html\r\n", "");
    let api = Api::start([
        ("chat.postMessage", limited),
        ("chat.postMessage", down.clone()),
        ("reactions.add", refused("already_reacted")),
    ])
    .await;
    let delivered = bot(&api).send(&Notice::new(Status::Success, "web")).await.unwrap();
    assert_eq!((delivered.attempts, delivered.lacking.len(), api.messages().len()), (3, 0, 1));

    // A change that is made twice is made once; a message that may be there is not posted twice.
    let api = Api::start([("chat.update", Answer::Silence), ("chat.update", Answer::HangUp)]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    let delivered = end(live, &Notice::new(Status::Success, "web")).await.unwrap();
    assert_eq!((delivered.attempts, api.messages().len()), (3, 1));

    let api = Api::start([("chat.postMessage", Answer::HangUp)]).await;
    let error = bot(&api).send(&Notice::new(Status::Success, "web")).await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    assert_eq!(api.methods().len(), 1);
}

#[tokio::test]
async fn answers_that_slack_does_not_give_are_told_as_such() {
    let page = |body: &str| answer("200 OK", "content-type: text/html\r\n", body);
    let json = |body: &str| answer("200 OK", "content-type: application/json\r\n", body);
    for garbage in [page("<html>log in</html>"), json("{}"), json(r#"{"ok":true}"#), json("[1, SECRET")] {
        let api = Api::start([("chat.postMessage", garbage)]).await;
        let error = bot(&api).send(&Notice::new(Status::Success, "web")).await.unwrap_err();
        assert_redacted(&error);
        assert!(matches!(error, Error::Reply { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_anew() {
    let api = Api::start([("chat.update", refused("message_not_found"))]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    end(live, &failure()).await.unwrap();
    assert_eq!(api.messages().len(), 2);
    assert!(api.messages()[1].to_string().contains("<!here>"));
}

#[tokio::test]
async fn what_the_message_lacks_is_told_beside_it() {
    let api = Api::start([("reactions.add", refused("missing_scope"))]).await;
    let live = sinks(&api).begin(progress("pull the image"));
    api.wait_for(1).await;
    let delivered = end(live, &failure()).await.unwrap();
    let [(Part::Reaction, error)] = delivered.lacking.as_slice() else { panic!("{delivered:?}") };
    assert!(error.to_string().contains("`reactions:write`"), "{error}");
    assert_eq!(api.replies().len(), 2);
}

#[tokio::test]
async fn a_bot_can_be_checked_without_telling_anyone_anything() {
    let api = Api::start([]).await;
    let identity = bot(&api).identify().await.unwrap();
    assert_eq!((identity.team.as_str(), identity.bot.as_str()), ("Acme", "cutover"));
    let (url, channel) = (api.url().parse().unwrap(), "#deploys".parse().unwrap());
    let other = SlackBot::at(&url, &"xoxb-2-SECRET".into(), channel, style(), LIMITS).unwrap();
    let error = other.identify().await.unwrap_err();
    assert_redacted(&error);
    assert!(error.to_string().contains("invalid_auth"), "{error}");
    assert!(api.messages().is_empty());
}

#[test]
fn a_token_that_is_none_is_refused_and_one_that_is_shows_nowhere() {
    let new = |token: &str, api: &str| {
        SlackBot::at(&api.parse()?, &token.into(), "#deploys".parse().unwrap(), style(), LIMITS)
    };
    for token in ["", "SECRET", "xoxb-1 SECRET", "Bearer xoxb-SECRET"] {
        let error = new(token, "https://slack.com/api").unwrap_err();
        assert_redacted(&error);
        assert_eq!(
            error.to_string(),
            "slack token refused: it is none of Slack's: a bot's token begins with xoxb-"
        );
    }
    let error = new(TOKEN, "http://slack.example/api").unwrap_err();
    assert!(error.to_string().starts_with("slack api refused: http would show"), "{error}");
    let told = format!(
        "{:?} {:#?}",
        new(TOKEN, "http://127.0.0.1:9").unwrap(),
        new("xoxb-SECRET\n", "http://127.0.0.1:9")
    );
    assert!(!told.contains("SECRET"), "{told}");
}
