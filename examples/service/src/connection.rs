//! One connection: requests in, responses out, until one side has had enough.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use crate::request::{self, Head, Method};
use crate::response::{self, OK};
use crate::service::{Health, Service};
use crate::stream;

/// How long a kept-alive connection may be idle: as long as Node's and uvicorn's.
const IDLE: Duration = Duration::from_secs(5);

/// How often the idle time may pass within a request before the client is given up.
const PATIENCE: usize = 6;

/// Serves a connection until it closes. Failures end it: the client sees them, nobody else needs to.
pub(crate) fn serve(stream: TcpStream, service: &Service) {
    let connection = Connection { stream, input: Vec::with_capacity(4096), output: Vec::with_capacity(4096) };
    // A client that went away is none of our troubles.
    drop(connection.run(service));
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// What to do after a response.
enum After {
    Keep,
    Close,
    Events,
    Websocket(String),
}

impl Connection {
    fn run(mut self, service: &Service) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.stream.set_read_timeout(Some(IDLE))?;
        self.stream.set_write_timeout(Some(IDLE * 6))?;
        loop {
            if self.input.is_empty() && !self.fill()? {
                return Ok(());
            }
            let _busy = service.busy();
            let Some(head) = self.read_request()? else { return Ok(()) };
            self.output.clear();
            let after = self.answer(&head, service);
            self.stream.write_all(&self.output)?;
            self.input.drain(..head.length + head.body);
            match after {
                After::Keep => {}
                After::Close => return self.stream.shutdown(Shutdown::Write),
                After::Events => return stream::events(&mut self.stream, service),
                After::Websocket(key) => return stream::websocket(self.stream, self.input, &key, service),
            }
        }
    }

    /// Reads what is there; false at the end of the stream and after the idle time.
    fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    self.input.extend_from_slice(&chunk[..count]);
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn fill_patiently(&mut self) -> io::Result<bool> {
        for _ in 0..PATIENCE {
            if self.fill()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a whole request, body included; `None` when it never became whole or was refused.
    fn read_request(&mut self) -> io::Result<Option<Head>> {
        let head = loop {
            match request::parse(&self.input) {
                Ok(Some(head)) => break head,
                Ok(None) => {
                    if !self.fill_patiently()? {
                        return Ok(None);
                    }
                }
                Err(refusal) => {
                    self.output.clear();
                    response::write(&mut self.output, refusal, "-", false, b"");
                    self.stream.write_all(&self.output)?;
                    return Ok(None);
                }
            }
        };
        let whole = head.length + head.body;
        if head.expects && self.input.len() < whole {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while self.input.len() < whole {
            if !self.fill_patiently()? {
                return Ok(None);
            }
        }
        Ok(Some(head))
    }

    /// Puts the response to a whole request into the output.
    fn answer(&mut self, head: &Head, service: &Service) -> After {
        let path = &self.input[head.path.clone()];
        let query = &self.input[head.query.clone()];
        let body = &self.input[head.length..head.length + head.body];
        let out = &mut self.output;
        let version = service.version();
        if path == b"/slow" {
            let millis = request::parameter(query, "ms").and_then(|text| text.parse().ok()).unwrap_or(0);
            thread::sleep(Duration::from_millis(millis));
        }
        // Decided after the wait: a response that is made while stopping says so.
        let keep = head.keep && !service.is_stopping();
        let failing = service.health() == Health::Failing;
        if path != b"/healthz" && service.fails() {
            response::write(out, ERROR, version, keep, b"failing\n");
            return if keep { After::Keep } else { After::Close };
        }
        match (head.method, path) {
            (Method::Get, b"/") if !failing => {
                service.used();
                if keep {
                    out.extend_from_slice(service.hello());
                } else {
                    hello(out, version, keep);
                }
            }
            (Method::Get, b"/") => response::write(out, ERROR, version, keep, b"failing\n"),
            (Method::Get, b"/healthz") => health(out, service, keep),
            (Method::Get, b"/slow") => hello(out, version, keep),
            (Method::Post, b"/echo" | b"/slow") => response::write(out, OK, version, keep, body),
            (Method::Get, b"/env") => {
                let value = request::parameter(query, "name").and_then(|name| std::env::var(name).ok());
                match value {
                    Some(value) => response::write(out, OK, version, keep, value.as_bytes()),
                    None => response::write(out, NOT_FOUND, version, keep, b"not set\n"),
                }
            }
            (Method::Get, b"/events") => {
                stream::start_events(out, version);
                return After::Events;
            }
            (Method::Get, b"/ws") => {
                if let Some(key) = head.websocket.clone() {
                    return After::Websocket(String::from_utf8_lossy(&self.input[key]).into_owned());
                }
                response::write(out, "426 Upgrade Required", version, keep, b"a websocket\n");
            }
            (_, b"/" | b"/healthz" | b"/slow" | b"/echo" | b"/env" | b"/events" | b"/ws") => {
                response::write(out, "405 Method Not Allowed", version, keep, b"");
            }
            _ => response::write(out, NOT_FOUND, version, keep, b"not found\n"),
        }
        if keep { After::Keep } else { After::Close }
    }
}

const ERROR: &str = "500 Internal Server Error";
const NOT_FOUND: &str = "404 Not Found";

fn hello(out: &mut Vec<u8>, version: &str, keep: bool) {
    response::write(out, OK, version, keep, format!("version {version}\n").as_bytes());
}

fn health(out: &mut Vec<u8>, service: &Service, keep: bool) {
    let version = service.version();
    match service.health() {
        Health::Good if !service.drains() => response::write(out, OK, version, keep, b"ok\n"),
        Health::Good | Health::Bad | Health::Failing => {
            response::write(out, ERROR, version, keep, b"unhealthy\n");
        }
        Health::Elsewhere => {
            let location = "Location: /elsewhere\r\n";
            response::write_with(out, "301 Moved Permanently", version, keep, location, b"elsewhere\n");
        }
    }
}
