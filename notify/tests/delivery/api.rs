//! A stand-in for Slack's Web API: it keeps messages and answers as Slack does, or as it is told for once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::stand_in::{Answer, Request, answer, read};

/// The token that it takes. It must show up nowhere.
pub(crate) const TOKEN: &str = "xoxb-1-SECRET";

/// The id of the channel `#deploys`.
pub(crate) const CHANNEL: &str = "C0DEPLOYS1";

/// A call of a method, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) body: Value,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// By their `ts`; a reply has a `thread_ts`.
    messages: Vec<(String, Value)>,
    reactions: Vec<(String, String)>,
    script: VecDeque<(&'static str, Answer)>,
}

/// The stand-in: it listens until it is dropped.
pub(crate) struct Api {
    pub(crate) host: String,
    state: Arc<Mutex<State>>,
    calls: watch::Receiver<usize>,
    serving: JoinHandle<()>,
}

impl Api {
    /// Starts it. The next call of each of these methods is answered so, whatever it asks for.
    pub(crate) async fn start(script: impl IntoIterator<Item = (&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let state = State { script: script.into_iter().collect(), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let (counting, calls) = watch::channel(0);
        let seen = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, Arc::clone(&seen), counting.clone()));
            }
        });
        Self { host, state, calls, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/", self.host)
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state.lock().unwrap().calls.clone()
    }

    /// The names of the methods that were called, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.method).collect()
    }

    /// Waits until so many calls have come.
    pub(crate) async fn wait_for(&self, count: usize) {
        let enough = async {
            self.calls.clone().wait_for(|calls| *calls >= count).await.unwrap();
        };
        let came = tokio::time::timeout(Duration::from_secs(20), enough).await;
        assert!(came.is_ok(), "{count} calls did not come: {:?}", self.methods());
    }

    /// The messages of the channel as they are now, replies left out.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.kept(|message| message["thread_ts"].is_null())
    }

    /// The replies, in order.
    pub(crate) fn replies(&self) -> Vec<Value> {
        self.kept(|message| !message["thread_ts"].is_null())
    }

    pub(crate) fn reactions(&self) -> Vec<String> {
        self.state.lock().unwrap().reactions.iter().map(|(_, name)| name.clone()).collect()
    }

    fn kept(&self, which: impl Fn(&Value) -> bool) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.messages.iter().map(|(_, message)| message.clone()).filter(which).collect()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Slack's word for what it refuses.
pub(crate) fn refused(code: &str) -> Answer {
    ok_json(&json!({"ok": false, "error": code}))
}

fn ok_json(body: &Value) -> Answer {
    answer("200 OK", "content-type: application/json; charset=utf-8\r\n", &body.to_string())
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, counting: watch::Sender<usize>) {
    let request = read(&mut stream).await;
    let method = request.head.split(' ').nth(1).unwrap().strip_prefix("/api/").unwrap().to_owned();
    let answer = {
        let mut state = state.lock().unwrap();
        state.calls.push(Call { method: method.clone(), body: request.json() });
        let scripted = state.script.iter().position(|(of, _)| *of == method);
        match scripted.and_then(|at| state.script.remove(at)) {
            Some((_, answer)) => answer,
            None => ok_json(&state.answer(&method, &request)),
        }
    };
    counting.send_modify(|calls| *calls += 1);
    match answer {
        Answer::Raw(text) => stream.write_all(text.as_bytes()).await.unwrap(),
        Answer::Silence => std::future::pending().await,
        Answer::HangUp => {}
    }
}

impl State {
    fn answer(&mut self, method: &str, request: &Request) -> Value {
        let body = request.json();
        let refused = |code: &str| json!({"ok": false, "error": code});
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refused("invalid_auth");
        }
        if method == "auth.test" {
            return json!({"ok": true, "team": "Acme", "user": "cutover", "url": "https://acme.slack.com/"});
        }
        if body["channel"] != CHANNEL && !(body["channel"] == "#deploys" && method == "chat.postMessage") {
            return refused("channel_not_found");
        }
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match method {
            "chat.postMessage" => {
                let ts = format!("1700000000.{:06}", self.messages.len());
                self.messages.push((ts.clone(), body.clone()));
                json!({"ok": true, "channel": CHANNEL, "ts": ts, "message": {"type": "message", "blocks": [{"type": "unheard-of"}]}})
            }
            "chat.update" => match self.messages.iter_mut().find(|(ts, _)| *ts == text("ts")) {
                Some((ts, message)) => {
                    *message = body.clone();
                    json!({"ok": true, "channel": CHANNEL, "ts": ts, "text": ""})
                }
                None => refused("message_not_found"),
            },
            "reactions.add" => {
                let reaction = (text("timestamp"), text("name"));
                if self.reactions.contains(&reaction) {
                    return refused("already_reacted");
                }
                self.reactions.push(reaction);
                json!({"ok": true})
            }
            _ => refused("unknown_method"),
        }
    }
}
