//! A peer on loopback: it gives the answers it was told, one a request, and keeps what it was sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The path that must show up nowhere.
pub(crate) const SECRET: &str = "T0SECRET/B0SECRET/xyzzySECRET";

pub(crate) struct StandIn {
    pub(crate) host: String,
    requests: Arc<Mutex<Vec<Request>>>,
    serving: JoinHandle<()>,
}

/// A request as it came.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let headers = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        headers.into_iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What to do with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    Raw(String),
    Silence,
    HangUp,
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Answer {
    Answer::Raw(format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    ))
}

/// Slack's own answer to a notice it has taken.
pub(crate) fn ok() -> Answer {
    answer("200 OK", "content-type: text/html\r\n", "ok")
}

impl StandIn {
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<Answer> = answers.into_iter().collect();
        let serving = tokio::spawn(serve(listener, answers, Arc::clone(&requests)));
        Self { host, requests, serving }
    }

    pub(crate) fn webhook(&self) -> String {
        format!("http://{}/services/{SECRET}", self.host)
    }

    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        let requests = self.requests();
        let path = format!("POST /services/{SECRET} HTTP/1.1");
        assert!(requests.iter().all(|request| request.head.starts_with(&path)));
        requests.iter().map(Request::json).collect()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, answers: Vec<Answer>, requests: Arc<Mutex<Vec<Request>>>) {
    let mut silent = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        requests.lock().unwrap().push(request);
        match answer {
            Answer::Raw(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Answer::Silence => silent.push(stream),
            Answer::HangUp => drop(stream),
        }
    }
    // One request more than was foreseen is answered too, and shows in the count.
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        requests.lock().unwrap().push(request);
    }
}

/// Reads one request with its whole body.
pub(crate) async fn read(stream: &mut TcpStream) -> Request {
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request ended early");
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if request.len() >= head.len() + 4 + length.parse::<usize>().unwrap() {
            let body = String::from_utf8(request.split_off(head.len() + 4)).unwrap();
            return Request { head: head.to_owned(), body };
        }
    }
}
