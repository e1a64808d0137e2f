//! The connections that live long: server-sent events and websockets. Both end politely when the service stops.

use std::io::{self, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role};
use tungstenite::{Error, Message, WebSocket};

use crate::service::Service;

/// How often an event is sent, and how soon a stream notices that the service stops.
const TICK: Duration = Duration::from_millis(100);

/// How many ticks the peer of a closing websocket has to answer.
const CLOSING_TICKS: usize = 10;

/// Appends the head of an event stream (the HTML standard, section 9.2), chunked as RFC 9112, section 7.1 has it.
pub(crate) fn start_events(out: &mut Vec<u8>, version: &str) {
    // A Vec takes every write.
    drop(write!(
        out,
        "HTTP/1.1 200 OK\r\nX-Version: {version}\r\nContent-Type: text/event-stream\r\n\
         Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    ));
}

/// Sends an event with the version every 100 ms until the client goes or the service stops.
pub(crate) fn events(stream: &mut TcpStream, service: &Service) -> io::Result<()> {
    let mut out = Vec::with_capacity(128);
    for number in 0_u64.. {
        if service.is_stopping() {
            break;
        }
        let event = format!("id: {number}\ndata: version {}\n\n", service.version());
        out.clear();
        write!(out, "{:x}\r\n{event}\r\n", event.len())?;
        stream.write_all(&out)?;
        thread::sleep(TICK);
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Answers the upgrade (RFC 6455, section 4.2.2) and echoes each text, prefixed with the version and a blank.
pub(crate) fn websocket(
    mut stream: TcpStream,
    early: Vec<u8>,
    key: &str,
    service: &Service,
) -> io::Result<()> {
    let accept = derive_accept_key(key.as_bytes());
    let version = service.version();
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nX-Version: {version}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.set_read_timeout(Some(TICK))?;
    let mut socket = WebSocket::from_partially_read(stream, early, Role::Server, None);
    let mut closing = 0;
    loop {
        if service.is_stopping() {
            if closing == 0 {
                let frame = CloseFrame { code: CloseCode::Away, reason: "stopping".into() };
                socket.close(Some(frame)).map_err(io::Error::other)?;
            }
            closing += 1;
            if closing > CLOSING_TICKS {
                return Ok(());
            }
        }
        match socket.read() {
            Ok(Message::Text(text)) => {
                let reply = Message::text(format!("{version} {text}"));
                socket.send(reply).map_err(io::Error::other)?;
            }
            Ok(_) => {}
            Err(Error::Io(error)) if is_timeout(&error) => {}
            Err(Error::ConnectionClosed) => return Ok(()),
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
