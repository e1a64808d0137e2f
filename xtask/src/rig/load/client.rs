//! One connection of a client, with nothing between it and the socket that could hide a failure.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{CONNECTION, HOST, HeaderMap};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::tls::{Protocol, Tls};
use crate::rig::background::Task;

/// A client leaves an HTTP/2 connection after so many requests: nginx does so after 1000, and what it says then
/// (GOAWAY) may cross the next request.
const STREAMS: u32 = 500;

/// What is asked.
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) body: Bytes,
    /// Whether the connection is to be closed after this.
    pub(super) last: bool,
}

/// A whole answer.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) version: String,
    pub(super) body: Bytes,
    /// Whether the server said that it closes the connection.
    pub(super) closes: bool,
}

/// An open connection. Dropping it closes it.
pub(super) struct Client {
    sender: Sender,
    _driver: Task,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    /// With how many requests it has sent.
    Http2(http2::SendRequest<Full<Bytes>>, u32),
}

impl Client {
    pub(super) async fn connect(
        address: SocketAddr,
        tls: Option<&Tls>,
        within: Duration,
    ) -> Result<Self, String> {
        let opened = timeout(within, Self::open(address, tls)).await;
        let opened = opened.map_err(|_| format!("no connection within {within:?}"))?;
        opened.map_err(|error| format!("no connection: {}", with_sources(&*error)))
    }

    async fn open(
        address: SocketAddr,
        tls: Option<&Tls>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = tls else { return Ok(Self::speak(stream, Protocol::Http1).await?) };
        Ok(Self::speak(tls.shake(stream).await?, tls.protocol).await?)
    }

    /// What ends the connection reaches the request that it cuts.
    async fn speak(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        protocol: Protocol,
    ) -> hyper::Result<Self> {
        let io = TokioIo::new(stream);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(io).await?;
                let driver = Task::spawn(async move { drop(connection.await) });
                Self { sender: Sender::Http1(sender), _driver: driver }
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                let driver = Task::spawn(async move { drop(connection.await) });
                Self { sender: Sender::Http2(sender, 0), _driver: driver }
            }
        })
    }

    pub(super) async fn ask(&mut self, ask: &Ask, host: &str, within: Duration) -> Result<Answered, String> {
        let asked = timeout(within, self.exchange(ask, host)).await;
        asked.map_err(|_| format!("no answer within {within:?}"))?
    }

    async fn exchange(&mut self, ask: &Ask, host: &str) -> Result<Answered, String> {
        let (response, last) = self.sender.send(ask, host).await?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("a cut answer: {}", with_sources(&error)))?;
        Ok(Answered {
            status: head.status,
            version: text(&head.headers, "x-version"),
            closes: last || text(&head.headers, "connection").eq_ignore_ascii_case("close"),
            body: body.to_bytes(),
        })
    }
}

impl Sender {
    /// Sends it; the answer, and whether the client leaves the connection after it.
    async fn send(&mut self, ask: &Ask, host: &str) -> Result<(Response<Incoming>, bool), String> {
        let request = Request::builder().method(&ask.method);
        let request = match self {
            Self::Http1(_) if ask.last => {
                request.uri(&ask.target).header(HOST, host).header(CONNECTION, "close")
            }
            Self::Http1(_) => request.uri(&ask.target).header(HOST, host),
            // The host goes as `:authority` (RFC 9113, 8.3.1).
            Self::Http2(..) => request.uri(format!("https://{host}{}", ask.target)),
        };
        let request = request.body(Full::new(ask.body.clone())).map_err(|error| with_sources(&error))?;
        let (answer, last) = match self {
            Self::Http1(sender) => (sender.send_request(request).await, false),
            Self::Http2(sender, sent) => {
                *sent += 1;
                (sender.send_request(request).await, *sent >= STREAMS)
            }
        };
        answer.map(|answer| (answer, last)).map_err(|error| with_sources(&error))
    }
}

fn text(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

/// hyper says the kind of a failure, and only its source the cause.
fn with_sources(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}
