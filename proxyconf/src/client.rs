//! One GET to a control server, over a connection of its own: a kept one could still lead to a worker of before a reload.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What is kept of a body, in bytes.
const BODY_LIMIT: usize = 1024;

/// An answer, with the first KiB of its body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    /// A header as text; `None` when it is absent or no ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the connection was refused")]
    Refused,
    #[error("no answer within {} s", .0.as_secs_f32())]
    Silent(Duration),
    #[error("the connection broke before the answer had ended")]
    Broken(#[source] hyper::Error),
    #[error("the answer is not HTTP")]
    NotHttp(#[source] hyper::Error),
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    #[error("the request cannot be written")]
    Request(#[source] hyper::http::Error),
}

/// Asks `address` for `path`, all within `limit`.
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    limit: Duration,
) -> Result<Reply, Failure> {
    let mut request = Request::get(path).header("connection", "close");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Empty::new()).map_err(Failure::Request)?;
    timeout(limit, exchange(address, request)).await.unwrap_or(Err(Failure::Silent(limit)))
}

async fn exchange(address: SocketAddr, request: Request<Empty<Bytes>>) -> Result<Reply, Failure> {
    let stream = TcpStream::connect(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        _ => Failure::Connect(error),
    })?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(classify)?;
    let answer = async {
        let response = sender.send_request(request).await.map_err(classify)?;
        read(response).await
    };
    let mut answer = std::pin::pin!(answer);
    let mut connection = std::pin::pin!(connection);
    // The connection is driven here, not in a task: it is gone when the answer is.
    tokio::select! {
        reply = &mut answer => reply,
        ended = &mut connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(classify(error)),
        },
    }
}

async fn read(response: Response<Incoming>) -> Result<Reply, Failure> {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while bytes.len() < BODY_LIMIT
        && let Some(frame) = body.frame().await
    {
        if let Some(data) = frame.map_err(classify)?.data_ref() {
            bytes.extend_from_slice(data);
        }
    }
    bytes.truncate(BODY_LIMIT);
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
}

fn classify(error: hyper::Error) -> Failure {
    if error.is_parse() { Failure::NotHttp(error) } else { Failure::Broken(error) }
}

/// Whether `value` can be the value of a header.
pub(crate) fn is_header_value(value: &str) -> bool {
    HeaderValue::from_str(value).is_ok()
}
