//! Requests that bollard has no call for: streamed both ways, and upgraded connections.
//!
//! bollard's build reads the context from memory once secrets are needed, and its push leaves out the digest.

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body_util::{BodyDataStream, BodyExt, Limited, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response};
use serde::de::DeserializeOwned;
use tokio::task::JoinSet;

use crate::Engine;
use crate::api::Api;
use crate::connection::{Dialler, Lost};
use crate::error::{Error, Result, Source};

/// A body that is produced while it is sent. Dropped before its end, it breaks the request off.
pub(crate) type Body = UnsyncBoxBody<Bytes, Source>;

/// The longest line of an answer, in bytes: a trace of a build holds up to a megabyte of output.
const LONGEST: usize = 32 << 20;
/// How much of a refusal is read, in bytes.
const REFUSAL: usize = 64 << 10;

/// An answer of the engine, over a connection of its own. Dropped, it closes the connection, and by that the engine
/// ends what it does for it.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    /// The connection, which moves only in a task of its own.
    pub(crate) connection: JoinSet<()>,
}

pub(crate) fn empty() -> Body {
    http_body_util::Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn streamed<E: Into<Source>>(
    parts: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> Body {
    StreamBody::new(parts.map(|part| part.map(Frame::data).map_err(Into::into))).boxed_unsync()
}

impl Engine {
    /// Sends a POST to that path with its query; `doing` says in errors what for.
    pub(crate) async fn post(
        &self,
        doing: &str,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Answer> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.headers_mut() = headers;
        send(self.dialler(), doing, &self.path(path), request).await
    }
}

/// Pings what listens there; the newest version of the API that it speaks.
pub(crate) async fn hello(dialler: &Dialler) -> Result<Api, Source> {
    let answer = send(dialler, "answer a ping", "/_ping", Request::new(empty())).await?;
    let status = answer.response.status();
    let told = answer.response.headers().get("api-version").and_then(|version| version.to_str().ok());
    match told.and_then(Api::parse) {
        Some(api) if status.is_success() => Ok(api),
        _ if !status.is_success() => match answer.lines().await {
            Err((status, message)) => Err(format!("it answered {status} to a ping: {message}").into()),
            Ok(_) => Err("it answered a ping badly".into()),
        },
        _ => Err("its answer to a ping names no version of the Engine API".into()),
    }
}

/// Sends the request to that path, over a connection of its own.
pub(crate) async fn send(
    dialler: &Dialler,
    doing: &str,
    path: &str,
    mut request: Request<Body>,
) -> Result<Answer> {
    let broken = |source: Source| {
        let lost = Lost::find(source.as_ref()).cloned();
        Error::Exchange { doing: doing.to_owned(), source: lost.map_or(source, Into::into) }
    };
    *request.uri_mut() = path.parse().map_err(|e: hyper::http::uri::InvalidUri| broken(e.into()))?;
    let agent = concat!("cutover/", env!("CARGO_PKG_VERSION"));
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(agent));
    let (response, connection) = dialler.exchange(request).await.map_err(|e| broken(e.into()))?;
    Ok(Answer { response, connection })
}

impl Answer {
    /// The lines of the answer, or the status and message with which the engine refused.
    pub(crate) async fn lines(self) -> Result<Lines, (u16, String)> {
        let status = self.response.status();
        if status.is_success() {
            let parts = BodyDataStream::new(self.response.into_body());
            return Ok(Lines { parts, held: Held::default(), _connection: self.connection });
        }
        let body = Limited::new(self.response.into_body(), REFUSAL).collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Err((status.as_u16(), message(&body)))
    }
}

/// What the engine says in the body of a refusal.
pub(crate) fn message(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    serde_json::from_slice::<Refusal>(body)
        .map_or_else(|_| String::from_utf8_lossy(body).trim().to_owned(), |refusal| refusal.message)
}

/// The lines of JSON that the engine tells of its work in.
pub(crate) struct Lines {
    parts: BodyDataStream<Incoming>,
    held: Held,
    _connection: JoinSet<()>,
}

impl Lines {
    /// The next line; `None` at the end.
    pub(crate) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Source> {
        loop {
            if let Some(line) = self.held.line()? {
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            match self.parts.try_next().await? {
                Some(part) => self.held.push(&part),
                None => return Ok(self.held.rest().map(|line| serde_json::from_slice(&line)).transpose()?),
            }
        }
    }
}

/// What has come and is no whole line yet.
#[derive(Default)]
pub(crate) struct Held {
    bytes: BytesMut,
    /// So many of them hold no end of a line.
    seen: usize,
}

impl Held {
    pub(crate) fn push(&mut self, part: &[u8]) {
        self.bytes.extend_from_slice(part);
    }

    /// The next whole line that says something.
    pub(crate) fn line(&mut self) -> Result<Option<BytesMut>, Source> {
        while let Some(end) = self.bytes[self.seen..].iter().position(|&byte| byte == b'\n') {
            let line = self.bytes.split_to(self.seen + end + 1);
            self.seen = 0;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
        self.seen = self.bytes.len();
        if self.seen > LONGEST {
            return Err(format!("a line of its answer is longer than {LONGEST} bytes").into());
        }
        Ok(None)
    }

    /// The last line, now that nothing more comes, if it says something.
    pub(crate) fn rest(&mut self) -> Option<BytesMut> {
        self.seen = 0;
        Some(self.bytes.split()).filter(|line| !line.trim_ascii().is_empty())
    }
}

/// A line in which the engine tells of a build, a push or a load.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) id: Option<String>,
    pub(crate) stream: Option<String>,
    pub(crate) status: Option<String>,
    #[serde(rename = "progressDetail")]
    pub(crate) detail: Option<Detail>,
    pub(crate) error: Option<String>,
    #[serde(rename = "errorDetail")]
    pub(crate) error_detail: Option<ErrorDetail>,
    pub(crate) aux: Option<serde_json::Value>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Detail {
    pub(crate) current: Option<i64>,
    pub(crate) total: Option<i64>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ErrorDetail {
    pub(crate) code: Option<i64>,
    pub(crate) message: Option<String>,
}

impl Line {
    /// What the engine failed with, if this line says so.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.error_detail.as_ref().and_then(|detail| detail.message.as_deref()).or(self.error.as_deref())
    }

    /// A field of what it adds for programs.
    pub(crate) fn aux(&self, field: &str) -> Option<&str> {
        self.aux.as_ref()?.get(field)?.as_str()
    }
}
