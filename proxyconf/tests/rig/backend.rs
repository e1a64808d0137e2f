//! An app of a few lines: says its name, streams, upgrades, breaks.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use super::client::{Head, read_head};

/// How many connections may wait to be accepted: what Rust's standard library asks for, and less than most others do.
const QUEUE: u32 = 128;

/// How many requests for `/crowd` are answered together, once they are all there.
pub(crate) const CROWD: usize = 256;

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    /// Connections that were ever opened.
    connections: Arc<AtomicUsize>,
    /// Requests whose body has been read.
    pub(crate) taken: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Backend {
    pub(crate) async fn start(name: &'static str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(QUEUE).unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::new(AtomicUsize::new(0));
        let connections = Arc::new(AtomicUsize::new(0));
        let (count, opened) = (Arc::clone(&taken), Arc::clone(&connections));
        let crowd = Arc::new(Barrier::new(CROWD));
        let task = tokio::spawn(async move {
            // The connections end with the listener, as those of a process do.
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                opened.fetch_add(1, Ordering::SeqCst);
                connections.spawn(serve(stream, name, Arc::clone(&count), Arc::clone(&crowd)));
            }
        });
        Self { address, connections, taken, task }
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Stops as a killed process does.
    pub(crate) async fn kill(&mut self) {
        self.task.abort();
        drop((&mut self.task).await);
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    name: &'static str,
    taken: Arc<AtomicUsize>,
    crowd: Arc<Barrier>,
) -> Option<()> {
    loop {
        let head = read_head(&mut stream).await?;
        let mut body = vec![0; head.length()];
        stream.read_exact(&mut body).await.ok()?;
        taken.fetch_add(1, Ordering::SeqCst);
        match head.path() {
            "/crowd" => {
                crowd.wait().await;
                reply(&mut stream, "200 OK", name).await?;
            }
            "/broken" => return None,
            "/socket" if head.header("upgrade").is_some() => return echo(stream).await,
            "/events" => return events(stream).await,
            "/teapot" => reply(&mut stream, "418 I'm a teapot", name).await?,
            "/headers" => reply(&mut stream, "200 OK", &head.text).await?,
            "/body" => reply(&mut stream, "200 OK", &String::from_utf8_lossy(&body)).await?,
            _ => reply(&mut stream, "200 OK", name).await?,
        }
    }
}

async fn reply(stream: &mut TcpStream, status: &str, body: &str) -> Option<()> {
    let text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok()
}

async fn echo(mut stream: TcpStream) -> Option<()> {
    let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";
    stream.write_all(head.as_bytes()).await.ok()?;
    let (mut read, mut write) = stream.split();
    tokio::io::copy(&mut read, &mut write).await.ok().map(|_| ())
}

/// One event, then silence: whoever sees it has it unbuffered.
async fn events(mut stream: TcpStream) -> Option<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n";
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.read_u8().await.ok().map(|_| ())
}

impl Head {
    fn path(&self) -> &str {
        self.text.split([' ', '?']).nth(1).unwrap_or_default()
    }
}
