//! Many clients, each with a cookie of its own, over a few connections.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::rig::Result;
use crate::rig::error::Doing as _;

/// How many connections the crowd has.
const CONNECTIONS: usize = 8;

const PATIENCE: Duration = Duration::from_secs(10);

/// Clients that are known by their cookies.
pub(super) struct Crowd {
    site: SocketAddr,
    cookie: String,
    /// Whether each has been answered by the new release.
    moved: Vec<bool>,
    /// How many were answered by the old one after that.
    pub(super) back: u64,
    pub(super) sent: u64,
    pub(super) lost: u64,
    /// What became of the first that was lost.
    pub(super) why: Option<String>,
}

/// What one connection's clients saw: for each its number and version, or why not.
type Seen = Vec<(usize, std::result::Result<String, String>)>;

impl Crowd {
    pub(super) fn new(site: SocketAddr, app: &str, clients: usize) -> Self {
        let cookie = format!("cutover_{}", app.replace('-', "_"));
        Self { site, cookie, moved: vec![false; clients], back: 0, sent: 0, lost: 0, why: None }
    }

    /// Has each client ask once; the percentage that the new release answered.
    pub(super) async fn ask(&mut self, old: &str, new: &str) -> Result<f64> {
        let size = self.moved.len().div_ceil(CONNECTIONS);
        let tasks: Vec<_> = (0..self.moved.len())
            .step_by(size)
            .map(|first| {
                let (site, cookie) = (self.site, self.cookie.clone());
                let clients = first..(first + size).min(self.moved.len());
                tokio::task::spawn_blocking(move || ask_each(site, &cookie, clients))
            })
            .collect();
        let mut answered = 0_u32;
        for task in tasks {
            for (client, seen) in task.await.map_err(io::Error::other).flatten().doing("ask for the crowd")? {
                self.sent += 1;
                match seen {
                    Ok(version) if version == new => {
                        self.moved[client] = true;
                        answered += 1;
                    }
                    Ok(version) if version == old => self.back += u64::from(self.moved[client]),
                    Ok(version) => self.lose(format!("an answer of version {version}")),
                    Err(why) => self.lose(why),
                }
            }
        }
        let clients = u32::try_from(self.moved.len()).unwrap_or(u32::MAX);
        Ok(f64::from(answered) * 100.0 / f64::from(clients))
    }

    fn lose(&mut self, why: String) {
        self.lost += 1;
        self.why.get_or_insert(why);
    }
}

fn ask_each(site: SocketAddr, cookie: &str, clients: std::ops::Range<usize>) -> io::Result<Seen> {
    let mut stream = None;
    let mut seen = Vec::new();
    for client in clients {
        let mut open = match stream.take() {
            Some(open) => open,
            None => connect(site)?,
        };
        let answered = ask(&mut open, cookie, client);
        if let Ok((_, true)) = answered {
            stream = Some(open);
        }
        seen.push((client, answered.map(|(version, _)| version).map_err(|error| error.to_string())));
    }
    Ok(seen)
}

fn connect(site: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(site)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// The version that answers this client, and whether the connection stays open.
fn ask(stream: &mut BufReader<TcpStream>, cookie: &str, client: usize) -> io::Result<(String, bool)> {
    let request = format!("GET / HTTP/1.1\r\nHost: site\r\nCookie: {cookie}=client-{client:08}\r\n\r\n");
    stream.get_mut().write_all(request.as_bytes())?;
    let (mut version, mut length, mut open, mut status) = (String::new(), 0, true, String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some((name, value)) => match name.to_ascii_lowercase().as_str() {
                "x-version" => value.clone_into(&mut version),
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "connection" => open = value != "close",
                _ => {}
            },
            None => line.clone_into(&mut status),
        }
    }
    io::copy(&mut stream.by_ref().take(length), &mut io::sink())?;
    if status.split(' ').nth(1) == Some("200") { Ok((version, open)) } else { Err(io::Error::other(status)) }
}
