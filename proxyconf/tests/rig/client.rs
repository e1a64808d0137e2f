//! HTTP/1.1 by hand, to keep connections and to see bytes as they come.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The head of a request or an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) text: String,
}

impl Head {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn length(&self) -> usize {
        self.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn status(&self) -> u16 {
        self.text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// Reads up to the empty line, byte by byte; `None` at the end of the stream.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<Head> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    Some(Head { text: String::from_utf8(bytes).unwrap() })
}

/// A connection that is kept.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Head {
        self.try_send(method, path, headers, body).await.expect("an answer")
    }

    async fn try_send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Option<Head> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: example.com\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.0.write_all(request.as_bytes()).await.ok()?;
        read_head(&mut self.0).await
    }

    /// Status and body; `None` when the connection broke.
    pub(crate) async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Option<(u16, String)> {
        let head = self.try_send(method, path, headers, body).await?;
        let mut bytes = vec![0; head.length()];
        self.0.read_exact(&mut bytes).await.ok()?;
        Some((head.status(), String::from_utf8(bytes).unwrap()))
    }
}

/// Status and body, over a connection of its own.
pub(crate) async fn once(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> (u16, String) {
    Client::connect(address).await.exchange(method, path, headers, body).await.expect("an answer")
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    once(address, "GET", path, "", "").await
}
