//! A way to a registry that breaks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Passes everything on, but for connections that carry much: so many of them break off in the middle.
pub(crate) struct Cutter {
    pub(crate) host: String,
    cuts: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Cutter {
    /// Before the registry at `upstream`; the first `cuts` connections that carry more than `after` bytes there break.
    pub(crate) async fn before(upstream: &str, cuts: usize, after: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let cuts = Arc::new(AtomicUsize::new(cuts));
        let (left, upstream) = (Arc::clone(&cuts), upstream.to_owned());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, upstream.clone(), Arc::clone(&left), after));
            }
        });
        Self { host, cuts, task }
    }

    /// How many connections will yet break.
    pub(crate) fn left(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(client: TcpStream, upstream: String, cuts: Arc<AtomicUsize>, after: usize) {
    let Ok(server) = TcpStream::connect(upstream).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let (mut carried, mut buffer) = (0, vec![0; 16 * 1024]);
    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
        carried += read;
        let less = |left: usize| left.checked_sub(1);
        if carried > after && cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok() {
            back.abort();
            return;
        }
        if to_server.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
    to_server.shutdown().await.ok();
    back.await.ok();
}
