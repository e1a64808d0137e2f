use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{plain, probe};
use crate::{Check, Reason};

const ATTEMPT: Duration = Duration::from_millis(500);

/// A service that takes one connection, reads the request and answers with these bytes.
async fn answers(reply: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0, "there is a request");
        stream.write_all(reply).await.unwrap();
        // Open until the other side has enough.
        stream.read_to_end(&mut Vec::new()).await.ok();
    });
    address
}

async fn reason(reply: &'static [u8]) -> Reason {
    probe(&Check::http("/"), answers(reply).await, ATTEMPT).await.unwrap_err()
}

#[tokio::test]
async fn the_head_of_a_good_answer_is_enough() {
    let address = answers(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(probe(&Check::http("/healthz?deep=1"), address, ATTEMPT).await, Ok(()));
}

#[tokio::test]
async fn a_body_that_does_not_come_leaves_the_status() {
    let got = reason(b"HTTP/1.1 503 Busy\r\nContent-Length: 99\r\n\r\nwarm").await;
    assert_eq!(got, Reason::Status { got: 503, expected: "200-299".into(), body: "warm".into() });
}

#[tokio::test]
async fn half_an_answer_is_silence() {
    assert_eq!(reason(b"HTTP/1.1 200").await, Reason::Silent);
}

#[tokio::test]
async fn what_is_not_http_is_told_so() {
    let got = reason(b"\x15\x03\x01\x00\x02\x02\x16").await;
    assert!(matches!(got, Reason::NotHttp(_)), "{got:?}");
}

#[tokio::test]
async fn nobody_there_is_a_refusal() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for check in [Check::Tcp, Check::http("/")] {
        let got = probe(&check, address, ATTEMPT).await.unwrap_err();
        assert!(matches!(got, Reason::Refused { .. }), "{got:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_told_without_asking() {
    let address = "127.0.0.1:1".parse().unwrap();
    let got = probe(&Check::http("/a b"), address, ATTEMPT).await.unwrap_err();
    assert!(matches!(got, Reason::Unaskable(_)), "{got:?}");
}

#[test]
fn text_from_outside_cannot_move_the_cursor() {
    assert_eq!(plain("a\u{1b}[2J\r\nb\u{7}"), "a[2J  b");
    assert_eq!(plain(&"é".repeat(300)).chars().count(), 200);
}
