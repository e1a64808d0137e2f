//! A webhook on loopback: it gives the answers it was told, one a request, and keeps what it was sent.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The path that must show up nowhere.
pub(crate) const SECRET: &str = "T0SECRET/B0SECRET/xyzzySECRET";

pub(crate) struct StandIn {
    pub(crate) host: String,
    bodies: Arc<Mutex<Vec<serde_json::Value>>>,
    serving: JoinHandle<()>,
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
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<Answer> = answers.into_iter().collect();
        let serving = tokio::spawn(serve(listener, answers, Arc::clone(&bodies)));
        Self { host, bodies, serving }
    }

    pub(crate) fn webhook(&self) -> String {
        format!("http://{}/services/{SECRET}", self.host)
    }

    pub(crate) fn bodies(&self) -> Vec<serde_json::Value> {
        self.bodies.lock().unwrap().clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, answers: Vec<Answer>, bodies: Arc<Mutex<Vec<serde_json::Value>>>) {
    let mut silent = Vec::new();
    for answer in answers {
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = body(&mut stream).await;
        bodies.lock().unwrap().push(body);
        match answer {
            Answer::Raw(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Answer::Silence => silent.push(stream),
            Answer::HangUp => drop(stream),
        }
    }
    // One request more than was foreseen is answered too, and shows in the count of bodies.
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let body = body(&mut stream).await;
        bodies.lock().unwrap().push(body);
    }
}

async fn body(stream: &mut TcpStream) -> serde_json::Value {
    let mut request = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request ended early");
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with(&format!("POST /services/{SECRET} HTTP/1.1\r\n")), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if request.len() >= head.len() + 4 + length.parse::<usize>().unwrap() {
            return serde_json::from_slice(&request[head.len() + 4..]).unwrap();
        }
    }
}
