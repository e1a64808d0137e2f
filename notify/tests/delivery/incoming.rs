//! Notices on their way to an incoming webhook: delivered, tried again, given up; and what the errors tell.

use std::error::Error as _;
use std::time::{Duration, Instant};

use crate::stand_in::{Answer, SECRET, StandIn, answer, ok};
use cutover_notify::{Error, Limits, Notice, Sink, SlackStyle, SlackWebhook, Status, preview};

const LIMITS: Limits =
    Limits { timeout: Duration::from_millis(800), retries: 2, limit: Duration::from_secs(30) };

fn slack(webhook: String) -> SlackWebhook {
    SlackWebhook::new(&webhook.into(), SlackStyle::default(), LIMITS).unwrap()
}

/// Fails if the error, or anything that it has as a source, tells the webhook's path.
pub(crate) fn assert_redacted(error: &Error) {
    let mut told = vec![format!("{error} {error:?} {error:#?}")];
    let mut source = error.source();
    while let Some(error) = source {
        told.push(format!("{error} {error:?}"));
        source = error.source();
    }
    assert!(!told.concat().contains("SECRET"), "{told:?}");
}

async fn fails(webhook: String) -> Error {
    let error = slack(webhook).send(&Notice::new(Status::Failure, "web")).await.unwrap_err();
    assert_redacted(&error);
    error
}

#[tokio::test]
async fn a_host_is_knocked_at_without_a_word() {
    let server = StandIn::start([ok()]).await;
    let slack = slack(server.webhook());
    assert_eq!(slack.knock().await.unwrap(), server.host);
    assert_eq!(server.bodies(), [serde_json::Value::Null; 0]);
    let gone = self::slack(format!("http://127.0.0.1:1/{SECRET}"));
    let refused = gone.knock().await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("SECRET"), "{refused:?}");
}

#[tokio::test]
async fn every_status_is_posted_as_previewed_and_pages_only_its_own() {
    let page = ["<!here>", "<@U0123456>", "<!subteam^S0123456>", "<!channel>", "<@W0123456>"];
    for (status, paged) in Status::ALL.into_iter().zip(page) {
        let server = StandIn::start([ok()]).await;
        let mut style = SlackStyle::default();
        let mentions = ["here", "U0123456", "S0123456", "channel", "W0123456"];
        for (status, mention) in Status::ALL.into_iter().zip(mentions) {
            style.mentions.insert(status, vec![mention.parse().unwrap()]);
        }
        let mut notice = Notice::new(status, "web");
        notice.reason = Some("<!everyone> @everyone".into());
        let expected = preview(&notice, &style);
        let slack = SlackWebhook::new(&server.webhook().into(), style, LIMITS).unwrap();
        let delivered = slack.send(&notice).await.unwrap();
        assert_eq!(delivered.attempts, 1);
        assert_eq!(server.bodies(), std::slice::from_ref(&expected));
        let sent = expected.to_string();
        for mention in page {
            assert_eq!(sent.contains(mention), mention == paged, "{status}: {sent}");
        }
        assert!(!sent.contains("<!everyone>") && !sent.contains("@everyone"), "{sent}");
    }
}

#[tokio::test]
async fn any_answer_that_says_ok_is_success() {
    let json = "content-type: application/json\r\n";
    let answers = [
        ok(),
        answer("200 OK", "", "ok"),
        answer("200 OK", json, r#"{"ok":true}"#),
        answer("204 No Content", "", ""),
    ];
    for reply in answers {
        let server = StandIn::start([reply]).await;
        let slack = slack(server.webhook());
        slack.send(&Notice::new(Status::Success, "web")).await.unwrap();
        assert_eq!(server.bodies().len(), 1);
    }
}

#[tokio::test]
async fn a_429_is_waited_out() {
    for limited in [
        answer("429 Too Many Requests", "retry-after: 1\r\ncontent-type: text/html\r\n", "rate_limited"),
        answer(
            "429 Too Many Requests",
            "retry-after: 1\r\ncontent-type: application/json\r\n",
            r#"{"ok":false}"#,
        ),
    ] {
        let server = StandIn::start([limited, ok()]).await;
        let started = Instant::now();
        let slack: Box<dyn Sink> = Box::new(slack(server.webhook()));
        let delivered = slack.send(&Notice::new(Status::Success, "web")).await.unwrap();
        assert_eq!((delivered.attempts, server.bodies().len()), (2, 2));
        assert!(started.elapsed() >= Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_429_that_asks_for_more_than_the_limit_is_given_up_at_once() {
    let limited = answer("429 Too Many Requests", "retry-after: 3600\r\ncontent-type: text/html\r\n", "");
    let server = StandIn::start([limited]).await;
    let error = fails(server.webhook()).await;
    let expected = format!("{} takes no more messages now (tried once); it asks to wait 3600 s", server.host);
    assert_eq!(error.to_string(), expected);
    assert_eq!(server.bodies().len(), 1);
}

#[tokio::test]
async fn a_5xx_is_tried_twice_more() {
    let down = answer("500 Internal Server Error", "content-type: text/html\r\n", "rollup_error");
    let server = StandIn::start([down.clone(), down.clone(), ok()]).await;
    let slack = slack(server.webhook());
    assert_eq!(slack.send(&Notice::new(Status::Success, "web")).await.unwrap().attempts, 3);

    let server = StandIn::start([down.clone(), down.clone(), down]).await;
    let error = fails(server.webhook()).await;
    assert_eq!(error.to_string(), format!("{} answered 500 (tried 3 times)", server.host));
    assert_eq!(server.bodies().len(), 3);
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again() {
    let server = StandIn::start([Answer::Silence]).await;
    let started = Instant::now();
    assert!(matches!(fails(server.webhook()).await, Error::TimedOut { attempts: 1, .. }));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(server.bodies().len(), 1);

    let server = StandIn::start([Answer::HangUp]).await;
    assert!(matches!(fails(server.webhook()).await, Error::Broken { .. }));
    assert_eq!(server.bodies().len(), 1);
}

#[tokio::test]
async fn the_limit_holds_over_all_tries() {
    let server = StandIn::start([answer("503 Service Unavailable", "", ""), Answer::Silence]).await;
    let limits = Limits { timeout: Duration::from_secs(60), retries: 2, limit: Duration::from_millis(600) };
    let slack = SlackWebhook::new(&server.webhook().into(), SlackStyle::default(), limits).unwrap();
    let started = Instant::now();
    let error = slack.send(&Notice::new(Status::Success, "web")).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { attempts: 2, .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_names_the_host_only() {
    let server = StandIn::start([]).await;
    let (webhook, host) = (server.webhook(), server.host.clone());
    drop(server);
    // The listener goes with its task, a moment after the drop.
    let deadline = Instant::now() + Duration::from_secs(5);
    while tokio::net::TcpStream::connect(&host).await.is_ok() {
        assert!(Instant::now() < deadline, "the stand-in still listens");
        tokio::task::yield_now().await;
    }
    let error = fails(webhook).await;
    assert_eq!(error.to_string(), format!("cannot connect to {host} (tried 3 times)"));
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_refusal_is_told_in_slacks_word_and_not_in_a_proxys_page() {
    let gone = answer("404 Not Found", "content-type: text/html\r\n", "no_service");
    let server = StandIn::start([gone]).await;
    let expected = format!(
        "{} refused the notice: 404 no_service: the webhook was removed, or its address is not complete",
        server.host
    );
    assert_eq!(fails(server.webhook()).await.to_string(), expected);

    let page = answer("404 Not Found", "content-type: text/html\r\n", &format!("no /services/{SECRET} here"));
    let server = StandIn::start([page]).await;
    let error = fails(server.webhook()).await;
    assert!(matches!(&error, Error::Rejected { code, .. } if code == "unexplained"), "{error:?}");

    let page = answer("200 OK", "", &format!("welcome to /services/{SECRET}"));
    let server = StandIn::start([page]).await;
    assert!(matches!(fails(server.webhook()).await, Error::Reply { .. }));
}

#[test]
fn addresses_that_are_no_webhook_are_refused_before_anything_is_sent() {
    let cases = [
        (String::new(), "the address is empty"),
        (" \n".to_owned(), "the address is empty"),
        (format!("services/{SECRET}"), "it is not an address (relative URL without a base)"),
        (format!("ftp://hooks.slack.com/{SECRET}"), "the scheme must be https"),
        (
            format!("http://hooks.slack.com/services/{SECRET}"),
            "http would show the notice to others; use https://hooks.slack.com/…",
        ),
        (
            "https://me:xyzzySECRET@hooks.slack.com/services/x".to_owned(),
            "a user name or password before hooks.slack.com has no use here",
        ),
        ("https://hooks.slack.com".to_owned(), "the part after hooks.slack.com/ is missing"),
    ];
    for (webhook, why) in cases {
        let error = SlackWebhook::new(&webhook.into(), SlackStyle::default(), LIMITS).unwrap_err();
        assert_redacted(&error);
        assert_eq!(error.to_string(), format!("slack webhook refused: {why}"));
    }
}

#[tokio::test]
async fn debug_output_and_name_tell_the_host_only() {
    let slack = slack(format!("http://127.0.0.1:9/services/{SECRET}\n"));
    let told = format!("{slack:?} {slack:#?} {}", Sink::name(&slack));
    assert!(told.contains("127.0.0.1:9") && !told.contains("SECRET"), "{told}");
}
