//! One look at a service over the network.

use std::error::Error as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderValue, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::{Check, Reason, StatusRanges};

/// How much of a body is told, in characters.
const TOLD: usize = 200;

/// Asks once, over a connection of its own, and gives the answer `attempt` to come.
///
/// # Errors
///
/// The [`Reason`] why the service is not healthy. [`Check::Image`] cannot be asked over the network: it needs
/// [`Engine::probe`](crate::Engine::probe).
pub async fn probe(check: &Check, target: SocketAddr, attempt: Duration) -> Result<(), Reason> {
    let deadline = Instant::now() + attempt;
    match check {
        Check::Image => {
            Err(Reason::Unaskable("the engine must be asked for the image's HEALTHCHECK".to_owned()))
        }
        Check::Tcp => connect(target, deadline).await.map(drop),
        Check::Http { path, host, expect } => {
            let request = request(path, host.as_deref(), target)?;
            let stream = connect(target, deadline).await?;
            timeout_at(deadline, exchange(stream, request, expect, target, deadline))
                .await
                .map_err(|_| Reason::Silent)?
        }
    }
}

async fn connect(target: SocketAddr, deadline: Instant) -> Result<TcpStream, Reason> {
    match timeout_at(deadline, TcpStream::connect(target)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(e)) if e.kind() == ErrorKind::ConnectionRefused => {
            Err(Reason::Refused { port: target.port(), listening: Vec::new(), loopback: Vec::new() })
        }
        Ok(Err(e)) => Err(Reason::Unreachable(format!("{target}: {e}"))),
        Err(_) => Err(Reason::Unreachable(format!("{target} does not answer to a connection"))),
    }
}

fn request(path: &str, host: Option<&str>, target: SocketAddr) -> Result<Request<Empty<Bytes>>, Reason> {
    let host = host.map_or_else(|| target.to_string(), str::to_owned);
    let host = HeaderValue::from_str(&host)
        .map_err(|_| Reason::Unaskable(format!("`{host}` is not a host name")))?;
    Request::get(path)
        .header(HOST, host)
        .header(CONNECTION, "close")
        .header(USER_AGENT, concat!("cutover/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .map_err(|e| Reason::Unaskable(format!("`{path}` is not a path that can be asked for: {e}")))
}

async fn exchange(
    stream: TcpStream,
    request: Request<Empty<Bytes>>,
    expect: &StatusRanges,
    target: SocketAddr,
    deadline: Instant,
) -> Result<(), Reason> {
    let broken = |e: &hyper::Error| broken(e, target);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| broken(&e))?;
    // The connection moves only while it is polled; both live and end here, so that dropping the probe ends it all.
    let asking = async {
        let response = sender.send_request(request).await.map_err(|e| broken(&e))?;
        judge(response, expect, deadline).await
    };
    tokio::pin!(connection, asking);
    let mut connected = true;
    loop {
        tokio::select! {
            biased;
            verdict = &mut asking => return verdict,
            // Its error reaches the request as well, which tells it better.
            _ = &mut connection, if connected => connected = false,
        }
    }
}

async fn judge(response: Response<Incoming>, expect: &StatusRanges, deadline: Instant) -> Result<(), Reason> {
    let status = response.status();
    if expect.contains(status.as_u16()) {
        return Ok(());
    }
    let (got, expected) = (status.as_u16(), expect.to_string());
    if status.is_redirection() {
        let location =
            response.headers().get(LOCATION).map(|to| plain(&String::from_utf8_lossy(to.as_bytes())));
        return Err(Reason::Redirect { status: got, expected, location: location.unwrap_or_default() });
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    // The status is known; a body that does not come in time is no worse than none.
    while bytes.len() < TOLD * 4 {
        match timeout_at(deadline, body.frame()).await {
            Ok(Some(Ok(frame))) => bytes.extend(frame.into_data().unwrap_or_default()),
            _ => break,
        }
    }
    Err(Reason::Status { got, expected, body: plain(&String::from_utf8_lossy(&bytes)) })
}

/// The beginning of a text from outside, fit to be shown on a terminal.
fn plain(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let shown: String = spaced.filter(|c| !c.is_control()).take(TOLD).collect();
    shown.trim().to_owned()
}

fn broken(error: &hyper::Error, target: SocketAddr) -> Reason {
    let reset = error.source().and_then(|source| source.downcast_ref::<std::io::Error>()).is_some_and(|e| {
        matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof)
    });
    if reset || error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Reason::Closed { port: target.port(), listening: Vec::new() };
    }
    match error.source() {
        Some(source) => Reason::NotHttp(format!("{error} ({source})")),
        None => Reason::NotHttp(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
