//! A small HTTP server on a loopback port: what the token server and the stand-in for Slack are made of.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::background::{self, Task};
use super::error::{Doing, Result, unexpected};

/// A request with its whole body.
pub(crate) type Asked = Request<Bytes>;

/// The response to one; `None` never answers.
pub(crate) type Answer = Option<Response<Full<Bytes>>>;

/// The running server; dropping it closes every connection.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    _accepting: Task,
}

impl Server {
    /// Starts a server that answers with `answer`.
    pub(crate) async fn start(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> Result<Self> {
        let bound = background::handle().spawn(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await;
        let listener = bound.map_err(|panic| unexpected("loopback", panic))?.doing("listen on loopback")?;
        let address = listener.local_addr().doing("listen on loopback")?;
        let answer = Arc::new(answer);
        let accepting = Task::spawn(async move {
            // Dropped with this task, and its connections with it.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&answer)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, _accepting: accepting })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(stream: TcpStream, answer: Arc<impl Fn(Asked) -> Answer + Send + Sync + 'static>) {
    let service = service_fn(|request: Request<Incoming>| {
        let answer = Arc::clone(&answer);
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            match answer(Request::from_parts(parts, body)) {
                Some(response) => Ok::<_, hyper::Error>(response),
                None => std::future::pending().await,
            }
        }
    });
    // A client that breaks off is its own affair.
    drop(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
}

/// A response of text.
pub(crate) fn text(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
