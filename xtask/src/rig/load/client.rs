//! One connection of a client, with nothing between it and the socket that could hide a failure.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONNECTION, HOST, HeaderMap};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::rig::background::Task;

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
    sender: SendRequest<Full<Bytes>>,
    _driver: Task,
}

impl Client {
    pub(super) async fn connect(address: SocketAddr, within: Duration) -> Result<Self, String> {
        let opened = timeout(within, TcpStream::connect(address)).await;
        let stream = opened.map_err(|_| format!("no connection within {within:?}"))?;
        let stream = stream.map_err(|error| format!("no connection: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("no connection: {error}"))?;
        let shaken = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| format!("no connection: {error}"))?;
        // What ends the connection reaches the request that it cuts.
        let driver = Task::spawn(async move { drop(connection.await) });
        Ok(Self { sender, _driver: driver })
    }

    pub(super) async fn ask(&mut self, ask: &Ask, host: &str, within: Duration) -> Result<Answered, String> {
        let asked = timeout(within, self.exchange(ask, host)).await;
        asked.map_err(|_| format!("no answer within {within:?}"))?
    }

    async fn exchange(&mut self, ask: &Ask, host: &str) -> Result<Answered, String> {
        let mut request = Request::builder().method(&ask.method).uri(&ask.target).header(HOST, host);
        if ask.last {
            request = request.header(CONNECTION, "close");
        }
        let request = request.body(Full::new(ask.body.clone())).map_err(|error| with_sources(&error))?;
        let response = self.sender.send_request(request).await.map_err(|error| with_sources(&error))?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("a cut answer: {}", with_sources(&error)))?;
        Ok(Answered {
            status: head.status,
            version: text(&head.headers, "x-version"),
            closes: text(&head.headers, "connection").eq_ignore_ascii_case("close"),
            body: body.to_bytes(),
        })
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
