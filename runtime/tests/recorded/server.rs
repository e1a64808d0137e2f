//! Plays recorded answers over a socket, one for each request in the order in which it stands in the recording.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cutover_runtime::{Endpoint, Engine};
use futures_util::StreamExt as _;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::UnixListener;
use tokio::task::JoinSet;

type Body = BoxBody<Bytes, Infallible>;

/// What an engine answers.
#[derive(Deserialize)]
struct Recording {
    /// The newest version of the API that it speaks.
    newest: String,
    /// The oldest.
    oldest: String,
    exchanges: Vec<Exchange>,
}

#[derive(Deserialize)]
struct Exchange {
    /// The method and the path without its version. Where a query stands here, it must begin so.
    ask: String,
    status: u16,
    /// One JSON value, where it is one.
    #[serde(default)]
    answer: Option<Value>,
    /// A stream of JSON values, where it is that.
    #[serde(default)]
    lines: Vec<Value>,
    /// The bytes of an answer that is no JSON, as text.
    #[serde(default)]
    text: String,
    /// Whether the answer does not end.
    #[serde(default)]
    open: bool,
}

impl Exchange {
    fn body(&self) -> String {
        let lines: String = self.lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.answer.as_ref().map_or(lines, Value::to_string) + &self.text
    }
}

/// A played engine. It goes on drop.
pub(crate) struct Played {
    pub(crate) engine: Engine,
    asked: Arc<Mutex<Vec<String>>>,
    _place: tempfile::TempDir,
    _serving: JoinSet<()>,
}

/// What came in: each request by its method and its path, with the version.
impl Played {
    /// Plays a recording of that name, and connects to it.
    pub(crate) async fn new(name: &str) -> Self {
        Self::try_new(name, |_| {}).await.unwrap()
    }

    /// As [`Played::new`], with the recording changed first: its newest version of the API.
    pub(crate) async fn speaking(name: &str, newest: &str) -> cutover_runtime::Result<Self> {
        Self::try_new(name, |recording| newest.clone_into(&mut recording.newest)).await
    }

    async fn try_new(name: &str, change: impl FnOnce(&mut Recording)) -> cutover_runtime::Result<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/recorded").join(name);
        let mut recording: Recording = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        change(&mut recording);
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let (recording, asked) = (Arc::new(recording), Arc::<Mutex<Vec<String>>>::default());
        let seen = Arc::<Mutex<HashMap<String, usize>>>::default();
        let mut serving = JoinSet::new();
        let (heard, played) = (Arc::clone(&asked), Arc::clone(&recording));
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (recording, heard, seen) = (Arc::clone(&played), Arc::clone(&heard), Arc::clone(&seen));
                connections.spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let answer = answer(&recording, &heard, &seen, &request);
                        async move {
                            // The client must have been heard out, or it may miss the answer.
                            drop(request.into_body().collect().await);
                            Ok::<_, Infallible>(answer)
                        }
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        let engine = Engine::connect(&Endpoint::Unix(socket)).await?;
        Ok(Self { engine, asked, _place: place, _serving: serving })
    }

    /// What was asked so far, each by its method and its path with the version.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    recording: &Recording,
    heard: &Mutex<Vec<String>>,
    seen: &Mutex<HashMap<String, usize>>,
    request: &Request<Incoming>,
) -> Response<Body> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    heard.lock().unwrap().push(format!("{} {path}", request.method()));
    let Some((version, path)) = versioned(path) else {
        return match path {
            "/_ping" => response(200, &recording.newest, "OK".to_owned()),
            _ => refusal(recording, &format!("{path} was asked without a version")),
        };
    };
    let bound = |text: &str| text.split_once('.').and_then(|(_, minor)| minor.parse::<u32>().ok()).unwrap();
    if version < bound(&recording.oldest) {
        let words = format!(
            "client version 1.{version} is too old. Minimum supported API version is {}, please upgrade your client to \
             a newer version",
            recording.oldest
        );
        return refusal(recording, &words);
    }
    if version > bound(&recording.newest) {
        let newest = &recording.newest;
        let words =
            format!("client version 1.{version} is too new. Maximum supported API version is {newest}");
        return refusal(recording, &words);
    }
    let ask = format!("{} {path}", request.method());
    let bare = ask.split('?').next().unwrap_or_default();
    let fits = |exchange: &&Exchange| match exchange.ask.contains('?') {
        true => ask.starts_with(&exchange.ask),
        false => exchange.ask == bare,
    };
    let fits: Vec<&Exchange> = recording.exchanges.iter().filter(fits).collect();
    let turn = {
        let mut seen = seen.lock().unwrap();
        let turn = seen.entry(bare.to_owned()).or_default();
        *turn += 1;
        *turn - 1
    };
    // The last answer is given again and again.
    match fits.get(turn).or(fits.last()) {
        Some(exchange) => {
            let answer = response(exchange.status, &recording.newest, exchange.body());
            if exchange.open { answer.map(|body| endless(body).boxed()) } else { answer }
        }
        None => refusal(recording, &format!("nothing is recorded for {ask}")),
    }
}

/// The minor version of a path, and the path below it.
fn versioned(path: &str) -> Option<(u32, &str)> {
    let (version, rest) = path.strip_prefix("/v1.")?.split_once('/')?;
    Some((version.parse().ok()?, &path[path.len() - rest.len() - 1..]))
}

/// What was said, and nothing after it.
fn endless(said: Body) -> impl hyper::body::Body<Data = Bytes, Error = Infallible> + Send + Sync {
    let frames = BodyStream::new(said);
    StreamBody::new(frames.chain(futures_util::stream::pending()))
}

fn refusal(recording: &Recording, words: &str) -> Response<Body> {
    response(400, &recording.newest, serde_json::json!({ "message": words }).to_string())
}

fn response(status: u16, newest: &str, body: String) -> Response<Body> {
    let content = match body.starts_with(['{', '[']) {
        true => "application/json",
        false => "text/plain; charset=utf-8",
    };
    let response = Response::builder().status(status).header("Api-Version", newest).header("Ostype", "linux");
    response.header("Content-Type", content).body(Full::from(body).boxed()).unwrap()
}
