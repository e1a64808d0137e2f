//! The way to an engine: a socket before its own, on which requests can be held, dropped and delayed.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::background::{self, Task};
use super::error::{Doing as _, Error, Result};

/// The longest head of a request, in bytes.
const HEAD: usize = 64 << 10;

/// How requests fare from now on, those under way too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// They pass.
    Pass,
    /// They are taken and not answered, and what was being answered is not answered further.
    Hang,
    /// Nobody listens on the socket, and what was under way is cut off.
    Refuse,
    /// The socket is gone, and what was under way is cut off.
    Gone,
    /// Each waits so long before it passes.
    Slow(Duration),
}

/// A request that is waited for: a method, and a path without its version and query. A part `*` is any one, and `**`
/// at the end is all that follow.
pub type Ask = (&'static str, &'static str);

#[derive(Debug)]
struct State {
    manner: Manner,
    awaited: VecDeque<Ask>,
    met: bool,
}

/// The socket. What was under way is cut off, and the socket removed, on drop.
#[derive(Debug)]
pub struct Wire {
    state: watch::Sender<State>,
    socket: PathBuf,
    _accepting: Task,
    _place: TempDir,
}

impl Wire {
    /// Begins to listen before the engine's socket.
    ///
    /// # Errors
    /// When there is no room for a socket.
    pub fn before(engine: &Path) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let socket = place.path().join("engine.sock");
        let (state, seen) =
            watch::channel(State { manner: Manner::Pass, awaited: VecDeque::new(), met: false });
        let listener = {
            let _entered = background::handle().enter();
            UnixListener::bind(&socket).doing(format!("listen on {}", socket.display()))?
        };
        let accepting = Task::spawn(accept(socket.clone(), engine.to_owned(), listener, state.clone(), seen));
        Ok(Self { state, socket, _accepting: accepting, _place: place })
    }

    /// What `DOCKER_HOST` is to be.
    #[must_use]
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Has everything hang from the request on that ends this sequence; those between are of no account.
    pub fn hold_at(&self, sequence: &[Ask]) {
        self.state.send_modify(|state| {
            state.met = false;
            state.awaited = sequence.iter().copied().collect();
        });
    }

    /// Waits until a request is held.
    ///
    /// # Errors
    /// When none comes.
    pub async fn holds(&self, within: Duration) -> Result<()> {
        let held =
            timeout(within, self.state.subscribe().wait_for(|state| state.met)).await.map(|it| it.is_ok());
        let late = |_| Error::Late { what: "the request that is to be held".to_owned(), within };
        held.map_err(late).map(drop)
    }

    /// From now on requests fare so; what is held too.
    pub fn now(&self, manner: Manner) {
        self.state.send_modify(|state| {
            state.manner = manner;
            state.awaited.clear();
        });
    }

    /// How requests fare.
    #[must_use]
    pub fn manner(&self) -> Manner {
        self.state.borrow().manner
    }
}

async fn accept(
    socket: PathBuf,
    engine: PathBuf,
    listener: UnixListener,
    state: watch::Sender<State>,
    mut seen: watch::Receiver<State>,
) {
    let (mut listener, mut connections) = (Some(listener), JoinSet::new());
    loop {
        let manner = seen.borrow_and_update().manner;
        match manner {
            Manner::Refuse => listener = None,
            Manner::Gone => {
                listener = None;
                drop(std::fs::remove_file(&socket));
            }
            _ if listener.is_none() => {
                drop(std::fs::remove_file(&socket));
                listener = UnixListener::bind(&socket).ok();
            }
            _ => {}
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
                    connections.spawn(pass(client, engine.clone(), state.clone()));
                }
            }
            changed = seen.changed() => if changed.is_err() { return },
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Passes one connection on. Each of the tested program's is for one request.
async fn pass(mut client: UnixStream, engine: PathBuf, state: watch::Sender<State>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read_buf(&mut head).await {
            Ok(read) if read > 0 && head.len() < HEAD => {}
            _ => return,
        }
    }
    meet(&state, &head);
    let mut seen = state.subscribe();
    let passes = |state: &State| state.manner != Manner::Hang;
    match seen.wait_for(passes).await.map(|state| state.manner) {
        Ok(Manner::Slow(by)) => sleep(by).await,
        Ok(Manner::Pass) => {}
        _ => return,
    }
    let Ok(mut engine) = UnixStream::connect(engine).await else { return };
    if engine.write_all(&head).await.is_err() {
        return;
    }
    let both = copy_bidirectional(&mut client, &mut engine);
    tokio::pin!(both);
    loop {
        let manner = seen.borrow_and_update().manner;
        if matches!(manner, Manner::Refuse | Manner::Gone) {
            return;
        }
        tokio::select! {
            _ = &mut both, if manner != Manner::Hang => return,
            changed = seen.changed() => if changed.is_err() { return },
        }
    }
}

/// Takes note of a request that is waited for.
fn meet(state: &watch::Sender<State>, head: &[u8]) {
    let line = String::from_utf8_lossy(head);
    let line = line.lines().next().unwrap_or_default();
    state.send_if_modified(|state| {
        let Some(ask) = state.awaited.front() else { return false };
        if !is(*ask, line) {
            return false;
        }
        state.awaited.pop_front();
        if state.awaited.is_empty() {
            (state.met, state.manner) = (true, Manner::Hang);
        }
        state.met
    });
}

fn is((method, pattern): Ask, line: &str) -> bool {
    let mut words = line.split(' ');
    let (given, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let mut parts = path.split('/').skip(1).skip_while(|part| part.starts_with("v1."));
    let mut wanted = pattern.split('/').skip(1);
    let same = loop {
        match (wanted.next(), parts.next()) {
            (Some("**"), _) | (None, None) => break true,
            (Some("*"), Some(_)) => {}
            (Some(one), Some(other)) if one == other => {}
            _ => break false,
        }
    };
    given == method && same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_method_and_the_parts_of_its_path() {
        let start = ("POST", "/containers/*/start");
        assert!(is(start, "POST /v1.41/containers/0af/start?x=/y HTTP/1.1"));
        assert!(is(start, "POST /containers/0af/start HTTP/1.1"));
        assert!(!is(start, "GET /containers/0af/start HTTP/1.1"));
        assert!(!is(("GET", "/containers/json"), "GET /containers/0af/json HTTP/1.1"));
        assert!(is(("GET", "/images/**"), "GET /v1.41/images/a:1/b@sha256:c/json HTTP/1.1"));
    }
}
