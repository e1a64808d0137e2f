//! A server on loopback that answers as a test has it answer, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cutover_registry::{Digest, ImageRef, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::image::{MANIFEST, TestImage};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Of how many bytes the body is said to be, when that is not the truth.
    claimed: Option<usize>,
    hangs: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), claimed: None, hangs: false }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn manifest(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(200, bytes).with("Content-Type", MANIFEST)
    }

    pub(crate) fn redirect(to: impl Into<String>) -> Self {
        Self::new(307, "").with("Location", to)
    }

    pub(crate) fn bearer(realm: &str) -> Self {
        let challenge = format!(r#"Bearer realm="{realm}",service="test",scope="repository:acme/web:pull""#);
        Self::new(401, "").with("WWW-Authenticate", challenge)
    }

    /// Says that more follows, and closes.
    pub(crate) fn claiming(mut self, length: usize) -> Self {
        self.claimed = Some(length);
        self
    }

    /// Never answers.
    pub(crate) fn hang() -> Self {
        Self { hangs: true, ..Self::new(200, "") }
    }
}

/// The server. It ends when dropped.
pub(crate) struct Peer {
    /// Its address, as a reference names it.
    pub(crate) host: String,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Starts a server that answers by `answer`, given the request and how many it had before.
    pub(crate) async fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&seen), Arc::clone(&answer)));
            }
        });
        Self { host, requests, task }
    }

    /// A registry that has `acme/web:latest` and tells the truth about it, but where `lie` answers first.
    pub(crate) async fn registry(
        image: &TestImage,
        lie: impl Fn(&Request, usize) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let image = image.clone();
        Self::start(move |request, before| lie(request, before).unwrap_or_else(|| honest(&image, request)))
            .await
    }

    pub(crate) fn image(&self) -> ImageRef {
        format!("{}/acme/web:latest", self.host).parse().unwrap()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A client with nothing set.
pub(crate) fn client() -> Registry {
    Registry::builder().build().unwrap()
}

pub(crate) fn honest(image: &TestImage, request: &Request) -> Reply {
    let name = request.path.strip_prefix("/v2/acme/web/").unwrap_or_default();
    if name == "manifests/latest" || name == format!("manifests/{}", image.digest()) {
        return Reply::manifest(image.manifest.clone());
    }
    let blob = image.blobs.iter().find(|blob| name == format!("blobs/{}", Digest::of(blob)));
    blob.map_or_else(|| Reply::new(404, ""), |blob| Reply::new(200, blob.clone()))
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<Mutex<Vec<Request>>>,
    answer: Arc<impl Fn(&Request, usize) -> Reply>,
) {
    let Some(request) = receive(&mut stream).await else { return };
    let before = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    let reply = answer(&request, before);
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    let length = reply.claimed.unwrap_or(reply.body.len());
    let mut head =
        format!("HTTP/1.1 {} -\r\nConnection: close\r\nContent-Length: {length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    // A client that has had enough hangs up; that is its right.
    if stream.write_all(head.as_bytes()).await.is_ok() && stream.write_all(&reply.body).await.is_ok() {
        stream.shutdown().await.ok();
    }
}

async fn receive(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut start = lines.next()?.split(' ');
    let (method, path) = (start.next()?.to_owned(), start.next()?.to_owned());
    let headers: HashMap<_, _> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(Request { method, path, headers, body })
}
