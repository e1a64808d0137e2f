//! Notices to a program of one's own.

use std::time::{Duration, SystemTime};

use cutover_notify::{Error, Limits, Notice, Requests, SIGNATURE_HEADER, Sink as _, Status, Webhook, verify};
use secrecy::SecretString;
use serde_json::json;

use crate::incoming::assert_redacted;
use crate::stand_in::{Answer, SECRET, StandIn, answer};

const LIMITS: Limits =
    Limits { timeout: Duration::from_millis(800), retries: 2, limit: Duration::from_secs(30) };

fn key() -> SecretString {
    "a key of 16 bytes or more".into()
}

fn webhook(server: &StandIn) -> Webhook {
    Webhook::new(&server.webhook().into(), Some(&key()), LIMITS).unwrap()
}

fn taken() -> Answer {
    answer("202 Accepted", "", "")
}

fn notice() -> Notice {
    let mut notice = Notice::new(Status::RolledBack, "web");
    notice.facts.took = Some(Duration::from_millis(1_500));
    notice.facts.phases = vec![("pull".into(), Duration::from_millis(500))];
    notice.facts.requests =
        Some(Requests { total: 67_000, lost: 2, p99: [Some(Duration::from_millis(4)), None, None] });
    notice.facts.source.event_name = Some("push".into());
    notice.reason = Some("배포 <실패>".into());
    notice
}

#[tokio::test]
async fn the_body_is_the_notice_and_the_signature_holds_for_it() {
    let server = StandIn::start([taken()]).await;
    assert_eq!(webhook(&server).send(&notice()).await.unwrap().attempts, 1);
    let body = json!({
        "version": 1,
        "status": "rolled-back",
        "app": "web",
        "text": "web: rolled back in 1.5 s: 배포 <실패>",
        "took": 1.5,
        "phases": [{"name": "pull", "took": 0.5}],
        "requests": {
            "total": 67_000, "lost": 2, "p99": {"before": 0.004, "during": null, "after": null}
        },
        "eventName": "push",
        "reason": "배포 <실패>",
        "logs": [],
    });
    assert_eq!(server.bodies(), [body]);
    let request = server.requests().remove(0);
    assert_eq!(request.header("content-type"), Some("application/json"));
    let (header, now) = (request.header(SIGNATURE_HEADER).unwrap(), SystemTime::now());
    let tolerance = Duration::from_secs(60);
    verify(&key(), header, request.body.as_bytes(), now, tolerance).unwrap();
    let forged = request.body.replace("web", "api");
    let error = verify(&key(), header, forged.as_bytes(), now, tolerance).unwrap_err();
    assert!(matches!(error, Error::Signature { .. }), "{error}");
}

#[tokio::test]
async fn it_is_tried_again_with_the_same_signature_and_never_followed_elsewhere() {
    let down = answer("503 Service Unavailable", "", "");
    let limited = answer("429 Too Many Requests", "retry-after: 0\r\n", "");
    let server = StandIn::start([down, limited, taken()]).await;
    assert_eq!(webhook(&server).send(&notice()).await.unwrap().attempts, 3);
    let signatures: Vec<_> =
        server.requests().iter().map(|request| request.header(SIGNATURE_HEADER).map(str::to_owned)).collect();
    assert!(signatures[0].is_some() && signatures.iter().all(|signature| *signature == signatures[0]));

    let elsewhere = StandIn::start([taken()]).await;
    let moved = answer("307 Temporary Redirect", &format!("location: {}\r\n", elsewhere.webhook()), "");
    let server = StandIn::start([moved]).await;
    let error = webhook(&server).send(&notice()).await.unwrap_err();
    assert_redacted(&error);
    assert!(matches!(error, Error::Rejected { status: 307, .. }), "{error:?}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn what_may_have_arrived_is_not_sent_again_and_the_address_is_told_nowhere() {
    for (answer, told) in [
        (Answer::Silence, "no answer from"),
        (Answer::HangUp, "broke before an answer"),
        (answer("401 Unauthorized", "", SECRET), "refused the notice: 401"),
    ] {
        let server = StandIn::start([answer]).await;
        let error = webhook(&server).send(&notice()).await.unwrap_err();
        assert_redacted(&error);
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn addresses_and_keys_that_are_none_are_refused_before_anything_is_sent() {
    let new = |url: &str, key: &str| Webhook::new(&url.into(), Some(&key.into()), LIMITS);
    let well = format!("https://deploys.example/{SECRET}");
    let error = new(&well, "short-SECRET").unwrap_err();
    assert_redacted(&error);
    assert_eq!(error.to_string(), "webhook secret refused: it has fewer than 16 bytes");
    let error = new(&well.replace("https", "http"), "a key of 16 bytes or more").unwrap_err();
    assert_redacted(&error);
    assert!(error.to_string().starts_with("webhook refused: http would show"), "{error}");
    let webhook = new("http://127.0.0.1:9/xSECRET", "a key of 16 SECRET bytes").unwrap();
    let told = format!("{webhook:?} {}", webhook.name());
    assert!(told.contains("127.0.0.1:9") && !told.contains("SECRET"), "{told}");
}
