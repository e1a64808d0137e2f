//! Hearing of requests: nginx tells of them while a marker of this time is there, over a socket.
//!
//! A marker is good for 100 s and named by them, so that nginx falls silent by itself after a listener that was killed.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use tokio::net::UnixDatagram;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::debug;

use crate::app::folder;
use crate::{AppName, Error, Nginx, Surface, Told};

/// The name of the socket, in the folder of the app's markers.
pub(crate) const SOCKET: &str = "told";
/// What the names of the markers begin with. The first digits of the time follow: seconds, without the last two digits.
pub(crate) const MARKER: &str = "hear-";
/// How long one marker is good for, in seconds.
const PERIOD: u64 = 100;

/// So many requests are kept for a listener that is busy.
const KEPT: usize = 1 << 16;
/// The longest datagram that is read whole, in bytes: many tries are long to tell.
const LONGEST: usize = 8192;

/// Hears of the requests of an app; see [`Nginx::listen`].
#[derive(Debug)]
pub struct Ear {
    heard: mpsc::Receiver<io::Result<Told>>,
    reader: JoinHandle<()>,
}

impl Ear {
    /// Reads the socket all the time: the kernel keeps but a few datagrams (`net.unix.max_dgram_qlen`), and nginx drops the
    /// next.
    fn new(socket: UnixDatagram, app: AppName) -> Self {
        let (tell, heard) = mpsc::channel(KEPT);
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; LONGEST];
            loop {
                let told = match socket.recv(&mut buffer).await {
                    Ok(length) => Told::parse(&app, &buffer[..length]).map(Ok),
                    Err(error) => Some(Err(error)),
                };
                let Some(told) = told else { continue };
                let broken = told.is_err();
                if tell.send(told).await.is_err() || broken {
                    return;
                }
            }
        });
        Self { heard, reader }
    }

    /// The next request. Nothing is lost when this is cancelled.
    ///
    /// # Errors
    /// When the socket cannot be read; nothing comes after that.
    pub async fn next(&mut self) -> io::Result<Told> {
        let ended = || Err(io::Error::from(io::ErrorKind::NotConnected));
        self.heard.recv().await.unwrap_or_else(ended)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl<S: Surface> Nginx<S> {
    /// Has nginx tell of the app's requests from now on, for 100 to 200 s unless that is [renewed](Self::keep_listening).
    /// The app must be rendered with [`App::tells`](crate::App::tells). A listener of before hears nothing more.
    ///
    /// # Errors
    /// [`Error::NotShared`] where nginx's files are not this machine's; when the socket or a marker cannot be made.
    pub async fn listen(&self, app: &AppName) -> Result<Ear, Error> {
        let socket = self.surface.bind(&folder(&self.state_dir, app).join(SOCKET)).await?;
        self.keep_listening(app).await?;
        debug!(%app, "listening");
        Ok(Ear::new(socket, app.clone()))
    }

    /// Has nginx go on telling, for another 100 to 200 s.
    ///
    /// # Errors
    /// When a marker cannot be made or removed.
    pub async fn keep_listening(&self, app: &AppName) -> Result<(), Error> {
        let now = period();
        let wanted = [now, now + 1].map(|period| format!("{MARKER}{period}"));
        let found = self.hear_markers(app).await?;
        for name in wanted.iter().filter(|name| !found.contains(name)) {
            self.surface.set_marker(&folder(&self.state_dir, app).join(name), true).await?;
        }
        for name in found.iter().filter(|name| !wanted.contains(name)) {
            self.surface.set_marker(&folder(&self.state_dir, app).join(name), false).await?;
        }
        Ok(())
    }

    /// Has nginx tell nothing more, and removes what listening made, that of a listener which was killed too.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub async fn deafen(&self, app: &AppName) -> Result<(), Error> {
        let path = |name: &str| -> PathBuf { folder(&self.state_dir, app).join(name) };
        for name in self.hear_markers(app).await? {
            self.surface.set_marker(&path(&name), false).await?;
        }
        // Last: nginx writes an error where it is told to tell and nobody listens.
        if self.surface.markers(&folder(&self.state_dir, app)).await?.iter().any(|name| name == SOCKET) {
            self.surface.remove(&path(SOCKET)).await?;
        }
        Ok(())
    }

    async fn hear_markers(&self, app: &AppName) -> Result<Vec<String>, Error> {
        let mut names = self.surface.markers(&folder(&self.state_dir, app)).await?;
        names.retain(|name| name.starts_with(MARKER));
        Ok(names)
    }
}

/// The hundred seconds that it is now.
fn period() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs()) / PERIOD
}
