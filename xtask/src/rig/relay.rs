//! The way to a server on loopback: a port before its own, on which connections can be refused, hung, slowed, cut and lied on.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::background::{self, Task};
use super::error::{Doing as _, Result};
use super::port;

/// What an answer with something of the registry's own in its body has in its head.
const REGISTRYS_OWN: &[u8] = b"application/vnd.";

/// How connections fare from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// They pass.
    Pass,
    /// Nobody listens, and what was under way is cut off.
    Refuse,
    /// They are taken, and nothing comes of them.
    Hang,
    /// Answers come so few bytes at a time, 10 ms apart.
    Trickle(usize),
    /// Answers with a manifest end soon after their head.
    Truncate,
    /// In answers, the first bytes are found to be the second, of the same length.
    Lie(&'static [u8], &'static [u8]),
}

/// The port. What was under way is cut off on drop.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    manner: watch::Sender<Manner>,
    _accepting: Task,
}

impl Relay {
    /// Begins to listen before a server.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(server: SocketAddr) -> Result<Self> {
        let address = port::free()?;
        let bound = background::handle().spawn(TcpListener::bind(address)).await;
        let listener = bound
            .map_err(|panic| super::unexpected("loopback", panic))?
            .doing(format!("listen on {address}"))?;
        let (manner, seen) = watch::channel(Manner::Pass);
        let accepting = Task::spawn(accept(address, server, listener, seen));
        Ok(Self { address, manner, _accepting: accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections fare so; those that are open are cut off.
    pub fn now(&self, manner: Manner) {
        self.manner.send_replace(manner);
    }
}

async fn accept(
    address: SocketAddr,
    server: SocketAddr,
    listener: TcpListener,
    mut seen: watch::Receiver<Manner>,
) {
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        let manner = *seen.borrow_and_update();
        if manner == Manner::Refuse {
            listener = None;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
        }
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.ok(),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = accepted => {
                if let Some((client, _)) = accepted {
                    connections.spawn(pass(client, server, manner));
                }
            }
            changed = seen.changed() => {
                connections.abort_all();
                if changed.is_err() {
                    return;
                }
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(client: TcpStream, server: SocketAddr, manner: Manner) {
    if manner == Manner::Hang {
        return std::future::pending().await;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((mut asks, answers), (from, mut to)) = (client.into_split(), server.into_split());
    tokio::select! {
        _ = tokio::io::copy(&mut asks, &mut to) => {}
        () = answer(from, answers, manner) => {}
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, manner: Manner) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(read) = from.read(&mut bytes).await
        && read > 0
    {
        let answer = &mut bytes[..read];
        let written = match manner {
            Manner::Trickle(few) => trickle(&mut to, answer, few).await,
            Manner::Truncate if find(answer, REGISTRYS_OWN).is_some() => {
                let head = find(answer, b"\r\n\r\n").map_or(0, |at| at + 4);
                drop(to.write_all(&answer[..(head + 20).min(read)]).await);
                return;
            }
            Manner::Lie(truth, lie) => {
                while let Some(at) = find(answer, truth) {
                    answer[at..at + lie.len()].copy_from_slice(lie);
                }
                to.write_all(answer).await
            }
            _ => to.write_all(answer).await,
        };
        if written.is_err() {
            return;
        }
    }
}

async fn trickle(to: &mut OwnedWriteHalf, answer: &[u8], few: usize) -> std::io::Result<()> {
    for part in answer.chunks(few) {
        to.write_all(part).await?;
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
