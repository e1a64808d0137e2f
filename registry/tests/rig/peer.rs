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
    /// The first byte that `Range` asks for.
    pub(crate) fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }

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
    /// After how many bytes of the body nothing more comes, with the connection left open.
    stalls: Option<usize>,
    /// Whether the body comes again and again, without a length.
    endless: bool,
    hangs: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            claimed: None,
            stalls: None,
            endless: false,
            hangs: false,
        }
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

    /// What a range asks for of these bytes, or all of them.
    pub(crate) fn range(bytes: &[u8], request: &Request) -> Self {
        let Some(from) = request.range() else { return Self::new(200, bytes) };
        match bytes.get(from..).filter(|rest| !rest.is_empty()) {
            Some(rest) => {
                let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
                Self::new(206, rest).with("Content-Range", range)
            }
            None => Self::new(416, ""),
        }
    }

    /// Breaks the connection off after so many bytes of the body.
    pub(crate) fn broken_after(mut self, length: usize) -> Self {
        let whole = self.body.len();
        self.body.truncate(length);
        self.claiming(whole)
    }

    /// Sends so many bytes of the body and then no more, without an end.
    pub(crate) fn stalled_after(mut self, length: usize) -> Self {
        self.stalls = Some(length.min(self.body.len()));
        self
    }

    /// Sends the body again and again, in chunks of it, for as long as somebody reads.
    pub(crate) fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// How many bytes of the body are sent.
    pub(crate) fn length(&self) -> usize {
        self.stalls.unwrap_or(self.body.len())
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

    /// From which bytes on this blob was asked for, 0 for all of it, in the order of the requests.
    pub(crate) fn asked_from(&self, blob: &[u8]) -> Vec<usize> {
        let path = format!("/v2/acme/web/blobs/{}", Digest::of(blob));
        let requests = self.requests();
        let asked = requests.iter().filter(|request| request.path == path);
        asked.map(|request| request.range().unwrap_or(0)).collect()
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
    let digest = name.strip_prefix("blobs/").unwrap_or_default();
    let mut blobs = image.blobs.iter().zip(&image.digests);
    let blob = blobs.find(|(_, named)| named.to_string() == digest);
    blob.map_or_else(|| Reply::new(404, ""), |(blob, _)| Reply::range(blob, request))
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
    let length = match reply.endless {
        true => "Transfer-Encoding: chunked".to_owned(),
        false => format!("Content-Length: {}", reply.claimed.unwrap_or(reply.body.len())),
    };
    let mut head = format!("HTTP/1.1 {} -\r\nConnection: close\r\n{length}\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    if reply.endless {
        let chunk = [format!("{:x}\r\n", reply.body.len()).as_bytes(), &reply.body, b"\r\n"].concat();
        stream.write_all(head.as_bytes()).await.ok();
        while stream.write_all(&chunk).await.is_ok() {}
        return;
    }
    // A client that has had enough hangs up; that is its right.
    let sent = stream.write_all(head.as_bytes()).await.is_ok()
        && stream.write_all(&reply.body[..reply.length()]).await.is_ok();
    if sent && reply.stalls.is_some() {
        std::future::pending::<()>().await;
    }
    if sent {
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
