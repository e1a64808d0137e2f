//! A websocket that asks for an echo every 20 ms.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tungstenite::{Error as WsError, Message, WebSocket};

use super::{Closed, Record, Seen};
use crate::rig::background;
use crate::rig::error::{Doing, Result, unexpected};

const PACE: Duration = Duration::from_millis(20);

/// How long the echo may take before the websocket counts as dead.
const ECHO: Duration = Duration::from_secs(10);

/// An open websocket. Dropping it closes it.
#[derive(Debug)]
pub struct WebSocketProbe {
    record: Record,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WebSocketProbe {
    /// Opens `ws://<host>/ws` at this address.
    ///
    /// # Errors
    ///
    /// When the server does not take the upgrade.
    pub async fn open(address: SocketAddr, host: &str) -> Result<Self> {
        let url = format!("ws://{host}/ws");
        let opened = background::handle().spawn_blocking(move || connect(address, &url)).await;
        let socket = opened.map_err(|panic| unexpected("websocket", panic))??;
        let (record, stopping) = (Record::default(), Arc::<AtomicBool>::default());
        let (writer, stop) = (record.clone(), Arc::clone(&stopping));
        let thread = thread::spawn(move || echo(socket, &writer, &stop));
        Ok(Self { record, stopping, thread: Some(thread) })
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        self.record.seen()
    }

    /// Waits for so many further messages.
    ///
    /// # Errors
    ///
    /// When they do not come in time.
    pub async fn more(&self, messages: usize, within: Duration) -> Result<()> {
        self.record.more("the websocket", messages, within).await
    }

    /// Waits until the other side ends it.
    ///
    /// # Errors
    ///
    /// When it does not in time.
    pub async fn end(&self, within: Duration) -> Result<Closed> {
        self.record.end("the websocket", within).await
    }

    /// Closes it; what it has seen.
    pub fn stop(self) -> Seen {
        let record = self.record.clone();
        drop(self);
        record.seen()
    }
}

impl Drop for WebSocketProbe {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            drop(thread.join());
        }
    }
}

fn connect(address: SocketAddr, url: &str) -> Result<WebSocket<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, ECHO).doing(format!("connect to {address}"))?;
    stream.set_nodelay(true).doing(format!("connect to {address}"))?;
    stream.set_read_timeout(Some(ECHO)).doing(format!("connect to {address}"))?;
    let (socket, _) = tungstenite::client(url, stream).map_err(|error| unexpected(url, error))?;
    Ok(socket)
}

fn echo(mut socket: WebSocket<TcpStream>, record: &Record, stopping: &AtomicBool) {
    for number in 0_u64.. {
        if stopping.load(Ordering::Relaxed) {
            // The server hears of it, or has gone already.
            drop(socket.close(None));
            drop(socket.flush());
            return;
        }
        match exchange(&mut socket, &number.to_string()) {
            Ok(version) => record.message(&version),
            Err(how) => return record.closed(how),
        }
        thread::sleep(PACE);
    }
}

/// Sends a text and waits for its echo; the version before it.
fn exchange(socket: &mut WebSocket<TcpStream>, text: &str) -> std::result::Result<String, String> {
    socket.send(Message::text(text)).map_err(|error| describe(&error))?;
    loop {
        match socket.read().map_err(|error| describe(&error))? {
            Message::Text(reply) => {
                let version = reply.strip_suffix(text).and_then(|start| start.strip_suffix(' '));
                return version.map(str::to_owned).ok_or_else(|| format!("{reply:?} for {text:?}"));
            }
            Message::Close(frame) => {
                let frame = frame.map_or("empty".to_owned(), |frame| frame.to_string());
                return Err(format!("close frame: {frame}"));
            }
            _ => {}
        }
    }
}

fn describe(error: &WsError) -> String {
    match error {
        WsError::Io(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            format!("no echo within {ECHO:?}")
        }
        other => other.to_string(),
    }
}
