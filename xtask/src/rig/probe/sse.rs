//! A stream of server-sent events.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Closed, Record, Seen};
use crate::rig::background::{self, Task};
use crate::rig::error::{Result, unexpected};

const OPEN: Duration = Duration::from_secs(10);

/// An open event stream. Dropping it closes it.
#[derive(Debug)]
pub struct SseProbe {
    record: Record,
    _driver: Task,
    _reader: Task,
}

impl SseProbe {
    /// Opens `http://<host>/events` at this address.
    ///
    /// # Errors
    ///
    /// When the server does not answer 200 within 10 s.
    pub async fn open(address: SocketAddr, host: &str) -> Result<Self> {
        let host = host.to_owned();
        let opening = background::handle().spawn(timeout(OPEN, open(address, host)));
        let opened = opening.await.map_err(|panic| unexpected("event stream", panic))?;
        let opened = opened.map_err(|_| unexpected("event stream", format!("{address} did not answer")))?;
        let (response, driver) =
            opened.map_err(|error| unexpected(format!("event stream of {address}"), error))?;
        if response.status() != 200 {
            return Err(unexpected(format!("event stream of {address}"), response.status()));
        }
        let record = Record::default();
        let reader = Task::spawn(read(response.into_body(), record.clone()));
        Ok(Self { record, _driver: driver, _reader: reader })
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        self.record.seen()
    }

    /// Waits for so many further events.
    ///
    /// # Errors
    ///
    /// When they do not come in time.
    pub async fn more(&self, events: usize, within: Duration) -> Result<()> {
        self.record.more("the event stream", events, within).await
    }

    /// Waits until the other side ends it.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub async fn end(&self, within: Duration) -> Result<Closed> {
        self.record.end("the event stream", within).await
    }

    /// Closes it; what it has seen.
    pub fn stop(self) -> Seen {
        self.record.seen()
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn open(address: SocketAddr, host: String) -> std::result::Result<(Response<Incoming>, Task), Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    let driver = Task::spawn(async move { drop(connection.await) });
    let request = Request::get("/events").header(HOST, host).body(Empty::<Bytes>::new())?;
    Ok((sender.send_request(request).await?, driver))
}

async fn read(mut body: Incoming, record: Record) {
    let mut pending = String::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                pending.push_str(&String::from_utf8_lossy(&data));
                while let Some((event, rest)) = pending.split_once("\n\n") {
                    for version in event.lines().filter_map(|line| line.strip_prefix("data: version ")) {
                        record.message(version);
                    }
                    pending = rest.to_owned();
                }
            }
            Some(Err(error)) => return record.closed(error.to_string()),
            None => return record.closed("end of stream"),
        }
    }
}
