//! A small service: it says its version, and echoes what is posted.

use std::convert::Infallible;
use std::env;

use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

type Body = Either<Full<Bytes>, Incoming>;

fn main() -> std::io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
}

async fn serve() -> std::io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", 8080)).await?;
    // As PID 1 a program gets no default action for a signal. By the time it comes, the slot is drained.
    let mut term = signal(SignalKind::terminate())?;
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = term.recv() => return Ok(()),
        };
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            if let Err(error) = connection.serve_connection(TokioIo::new(stream), service_fn(answer)).await {
                eprintln!("a connection ended early: {error}");
            }
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let version = env::var("VERSION").unwrap_or_else(|_| "1".to_owned());
    let (status, body) = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => (StatusCode::OK, Either::Left(format!("version {version}\n").into())),
        (&Method::GET, "/healthz") => (StatusCode::OK, Either::Left("well\n".into())),
        (&Method::POST, "/echo") => (StatusCode::OK, Either::Right(request.into_body())),
        _ => (StatusCode::NOT_FOUND, Either::Left("not found\n".into())),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Ok(version) = version.parse() {
        response.headers_mut().insert("x-version", version);
    }
    Ok(response)
}
