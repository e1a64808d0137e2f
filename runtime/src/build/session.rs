//! The session that BuildKit asks us over: for the context, for secrets, for credentials.
//!
//! It is a connection turned round: the engine calls, and we serve gRPC. bollard's own session can send the context or
//! the secrets, but not both without holding the context in memory, so this is spoken here.

#[cfg(any(fuzzing, test))]
pub(super) mod fuzz;
mod grpc;
mod message;
mod sync;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretSlice};
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use self::grpc::{Body, Failure, Messages};
use self::message::{
    CredentialsRequest, CredentialsResponse, HealthResponse, SERVING, SecretRequest, SecretResponse,
};
pub(super) use self::message::{Status, Vertex};
#[cfg(test)]
pub(super) use self::message::{Timestamp, VertexLog};
use self::sync::{Outlet, Source};
use super::Sent;
use super::context::Context;
use crate::{Credentials, Engine, wire};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SECRET: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const CREDENTIALS: &str = "/moby.filesync.v1.Auth/Credentials";
const FILES: &str = "/moby.filesync.v1.FileSync/DiffCopy";

/// What BuildKit may ask for.
pub(super) struct Answers {
    pub(super) context: Arc<Context>,
    pub(super) secrets: BTreeMap<String, SecretSlice<u8>>,
    pub(super) credentials: BTreeMap<String, Credentials>,
    pub(super) told: UnboundedSender<Sent>,
    /// What the context is known by from build to build, so that only what changed is sent.
    pub(super) shared_key: String,
}

/// A session that is served. Dropped, it ends.
pub(super) struct Session {
    pub(super) id: String,
    _serving: JoinSet<()>,
    _connection: JoinSet<()>,
}

impl Session {
    /// Opens a session; `Err` says in the engine's words why it has none.
    pub(super) async fn open(engine: &Engine, answers: Answers) -> crate::Result<Result<Self, String>> {
        let id = random();
        let answer = engine
            .post("open a session", "/session", headers(&id, &answers.shared_key), wire::empty())
            .await?;
        if answer.response.status() != StatusCode::SWITCHING_PROTOCOLS {
            let said = match answer.lines().await {
                Ok(_) => "it does not open a session for BuildKit".to_owned(),
                Err((status, said)) => format!("{} (status {status})", said.trim()),
            };
            return Ok(Err(said));
        }
        let upgraded = hyper::upgrade::on(answer.response).await;
        let upgraded = upgraded
            .map_err(|e| crate::Error::Exchange { doing: "open a session".to_owned(), source: e.into() })?;
        let answers = Arc::new(answers);
        let service = service_fn(move |request| {
            let answers = Arc::clone(&answers);
            async move { Ok::<_, Infallible>(answers.answer(request).await) }
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let served = http2::Builder::new(TokioExecutor::new()).serve_connection(upgraded, service).await;
            if let Err(e) = served {
                tracing::debug!(error = &e as &dyn std::error::Error, "the build session ended");
            }
        });
        Ok(Ok(Self { id, _serving: serving, _connection: answer.connection }))
    }
}

fn headers(id: &str, shared_key: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("h2c"));
    let named = [("uuid", id), ("name", "cutover"), ("sharedkey", shared_key)];
    let methods = [HEALTH, SECRET, CREDENTIALS, FILES].map(|method| ("grpc-method", method));
    for (name, value) in named.into_iter().chain(methods) {
        let name = HeaderName::from_bytes(format!("x-docker-expose-session-{name}").as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.append(name, value);
        }
    }
    headers
}

/// A name that no other session has.
pub(super) fn random() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("cutover{:016x}{:016x}", word(), word())
}

impl Answers {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        match head.uri.path() {
            HEALTH => grpc::one(Ok(HealthResponse { status: SERVING })),
            SECRET => grpc::one(Messages::new(body).only().await.and_then(|asked| self.secret(&asked))),
            CREDENTIALS => grpc::one(Messages::new(body).only().await.map(|asked| self.credentials(&asked))),
            FILES => {
                let outlet = Outlet { context: Arc::clone(&self.context), told: self.told.clone() };
                let folder = head.headers.get("dir-name").map(HeaderValue::as_bytes).unwrap_or_default();
                let paths = head.headers.get_all("followpaths").iter();
                let paths = paths.map(|path| String::from_utf8_lossy(path.as_bytes()).into_owned()).collect();
                match Source::asked(folder, paths) {
                    Some(source) => outlet.send(source, body),
                    None => grpc::one(Err::<HealthResponse, _>(Failure::not_found("no such folder"))),
                }
            }
            _ => grpc::one(Err::<HealthResponse, _>(Failure::unimplemented())),
        }
    }

    fn secret(&self, asked: &SecretRequest) -> Result<SecretResponse, Failure> {
        match self.secrets.get(&asked.id) {
            Some(secret) => Ok(SecretResponse { data: secret.expose_secret().to_vec() }),
            None => Err(Failure::not_found(format!("secret {} not found", asked.id))),
        }
    }

    /// None at all are for somebody who asks anonymously.
    fn credentials(&self, asked: &CredentialsRequest) -> CredentialsResponse {
        let hub = ["registry-1.docker.io", "index.docker.io", "https://index.docker.io/v1/"];
        let host = if hub.contains(&asked.host.as_str()) { "docker.io" } else { &asked.host };
        self.credentials.get(host).map_or_else(CredentialsResponse::default, |known| CredentialsResponse {
            // As BuildKit has it: an identity token comes without a name.
            username: if known.username == "<token>" { String::new() } else { known.username.clone() },
            secret: known.password.expose_secret().to_owned(),
        })
    }
}
