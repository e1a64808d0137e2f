//! Chromium without a window, driven over the DevTools protocol: it looks at a page as people will.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

use super::deadline::until;
use super::error::{Doing as _, Result, unexpected};
use super::process::Guard;

/// How long the browser may take to start, or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The colours that a page is asked to be shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A node of the tree that a screen reader is given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// What it is: `heading`, `image`, `region`.
    pub role: String,
    /// What it is called.
    pub name: String,
    /// What else is said of it.
    pub description: String,
}

/// A browser with one page. It ends when this is dropped.
pub struct Browser {
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    calls: u64,
    _process: Guard,
    _place: TempDir,
}

impl Browser {
    /// Starts it, and opens an empty page.
    ///
    /// # Errors
    /// When it is not installed, or does not start in time.
    pub async fn start() -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let mut command = Command::new("chromium");
        // Its sandbox wants to be no root; the page is our own, and asks for nothing.
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]);
        command.args(["--no-first-run", "--disable-extensions", "--hide-scrollbars"]);
        command.args(["--disable-background-networking", "--disable-component-update"]);
        command.args(["--remote-debugging-port=0", "about:blank"]);
        command.arg(format!("--user-data-dir={}", place.path().display()));
        let log = place.path().join("log");
        let process = Guard::spawn(&mut command, &log)?;
        let told = place.path().join("DevToolsActivePort");
        let told = until("chromium tells its port", PATIENCE, async || {
            let text = std::fs::read_to_string(&told).ok()?;
            let (port, path) = text.trim().split_once('\n')?;
            Some((port.parse::<u16>().ok()?, path.to_owned()))
        });
        let (port, path) =
            told.await.map_err(|late| unexpected(late, std::fs::read_to_string(&log).unwrap_or_default()))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let stream = TcpStream::connect(address).doing(format!("connect to {address}"))?;
        stream.set_read_timeout(Some(PATIENCE)).doing("limit the wait for an answer")?;
        let url = format!("ws://{address}{path}");
        let (socket, _) = tungstenite::client(&url, stream).map_err(|error| unexpected(&url, error))?;
        let mut browser = Self { socket, session: None, calls: 0, _process: process, _place: place };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attached)?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        Ok(browser)
    }

    /// Calls a method of the [protocol](https://chromedevtools.github.io/devtools-protocol/); its result.
    ///
    /// # Errors
    /// When the browser refuses, or does not answer in time.
    pub fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(session) = &self.session {
            call["sessionId"] = session.as_str().into();
        }
        let failed = |error| unexpected(method, error);
        self.socket.send(Message::text(call.to_string())).map_err(failed)?;
        loop {
            let message = self.socket.read().map_err(failed)?;
            let Ok(text) = message.to_text() else { continue };
            let mut answer: Value = serde_json::from_str(text).unwrap_or_default();
            // Events come in between.
            if answer["id"] == self.calls {
                return match &answer["error"] {
                    Value::Null => Ok(answer["result"].take()),
                    error => Err(unexpected(method, error)),
                };
            }
        }
    }

    /// Opens a file, and waits until it is shown.
    ///
    /// # Errors
    /// When it does not load in time.
    pub async fn open(&mut self, file: &Path) -> Result<()> {
        let url = format!("file://{}", file.display());
        self.call("Page.navigate", &json!({ "url": url }))?;
        let loaded = format!("location.href === {} && document.readyState === 'complete'", json!(url));
        until(&format!("{url} is shown"), PATIENCE, async || {
            self.evaluate(&loaded).ok().filter(|value| *value == true)
        })
        .await
        .map(drop)
    }

    /// Shows the page in these colours, this wide.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn show(&mut self, scheme: Scheme, width: u32) -> Result<()> {
        let value = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", &features)?;
        let metrics = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// The value of an expression in the page's JavaScript.
    ///
    /// # Errors
    /// When it throws.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let params = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut told = self.call("Runtime.evaluate", &params)?;
        match &told["exceptionDetails"] {
            Value::Null => Ok(told["result"]["value"].take()),
            thrown => Err(unexpected(expression, thrown)),
        }
    }

    /// Presses a key, by its name in the protocol and its number.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn press(&mut self, key: &str, number: u32) -> Result<()> {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let params = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": number, "text": text,
            });
            self.call("Input.dispatchKeyEvent", &params)?;
        }
        Ok(())
    }

    /// What a screen reader is given, without what it passes over.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn nodes(&mut self) -> Result<Vec<Node>> {
        let tree = self.call("Accessibility.getFullAXTree", &json!({}))?;
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let seen = |node: &&Value| node["ignored"] == false;
        let nodes = tree["nodes"].as_array().into_iter().flatten().filter(seen);
        let node = |node: &Value| Node {
            role: text(&node["role"]),
            name: text(&node["name"]),
            description: text(&node["description"]),
        };
        Ok(nodes.map(node).collect())
    }

    /// A picture of the whole page, as PNG.
    ///
    /// # Errors
    /// When the browser refuses.
    pub fn picture(&mut self) -> Result<Vec<u8>> {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let shot = self.call("Page.captureScreenshot", &params)?;
        STANDARD
            .decode(shot["data"].as_str().unwrap_or_default())
            .map_err(|error| unexpected("the picture", error))
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser").field("session", &self.session).finish_non_exhaustive()
    }
}
