//! Connections to an engine, one for each request: on each, silence is looked into.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bollard::BollardRequest;
use bollard::errors::Error as Api;
use futures_util::future::BoxFuture;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::Endpoint;
use crate::engine::HELLO;
use crate::error::Source;

/// After so long without a byte the engine is asked whether it is there still: what takes its time is silent too.
const QUIET: Duration = Duration::from_secs(10);
/// How long it may take to say so. The first time it is patient: it has answered before.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can be read from and written to.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// The engine that had answered does not any more.
#[derive(Debug, Clone)]
pub(crate) struct Lost {
    endpoint: Endpoint,
    why: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the engine at {} {}", self.endpoint, self.why)
    }
}

impl StdError for Lost {}

impl Lost {
    /// What is said of it in the chain of an error, if anything is.
    pub(crate) fn find<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        let mut at = Some(error);
        while let Some(error) = at {
            if let Some(lost) = error.downcast_ref() {
                return Some(lost);
            }
            let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            at = inner.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| error.source());
        }
        None
    }

    fn io(&self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self.clone())
    }
}

/// Makes connections to one engine.
#[derive(Clone)]
pub(crate) struct Dialler {
    endpoint: Endpoint,
    /// Whether it was silent when it was asked last.
    silent: Arc<AtomicBool>,
}

impl Dialler {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, silent: Arc::default() }
    }

    fn lost(&self, why: impl Into<String>) -> Lost {
        Lost { endpoint: self.endpoint.clone(), why: why.into() }
    }

    /// A connection that breaks off with [`Lost`] once the engine does not answer any more.
    async fn dial(&self) -> io::Result<Watched> {
        // One that hangs takes connections: without this each further request would wait for it anew.
        if self.silent.load(Ordering::Relaxed) {
            self.clone().ask(HELLO).await?;
        }
        let inner = self.open(HELLO).await?;
        Ok(Watched { inner, dialler: self.clone(), quiet: Box::pin(sleep(QUIET)), asking: None })
    }

    async fn open(&self, limit: Duration) -> io::Result<Box<dyn Socket>> {
        let opened = timeout(limit, async {
            Ok::<Box<dyn Socket>, io::Error>(match &self.endpoint {
                Endpoint::Unix(path) => Box::new(UnixStream::connect(path).await?),
                Endpoint::Tcp { host, port } => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
            })
        });
        match opened.await {
            Ok(Ok(socket)) => Ok(socket),
            Ok(Err(error)) => Err(self.lost(format!("takes no connection: {error}")).io(error.kind())),
            Err(_) => {
                let why = format!("took no connection in {} s", limit.as_secs());
                Err(self.lost(why).io(io::ErrorKind::TimedOut))
            }
        }
    }

    /// Has the engine answer a ping.
    async fn ask(self, limit: Duration) -> io::Result<()> {
        let answered = timeout(limit, async {
            let mut socket = self.open(limit).await?;
            socket.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").await?;
            match socket.read(&mut [0; 16]).await? {
                0 => Err(self.lost("broke off a ping").io(io::ErrorKind::UnexpectedEof)),
                _ => Ok(()),
            }
        });
        let answered = answered.await.unwrap_or_else(|_| {
            let why = format!("does not answer, not even a ping in {} s; is it hung?", limit.as_secs());
            Err(self.lost(why).io(io::ErrorKind::TimedOut))
        });
        self.silent.store(answered.is_err(), Ordering::Relaxed);
        answered
    }

    /// Sends a request of bollard's over a connection of its own, which ends with the answer.
    pub(crate) async fn send(self, request: BollardRequest) -> Result<Response<Incoming>, Api> {
        let (response, mut connection) = self.exchange(request).await?;
        connection.detach_all();
        Ok(response)
    }

    /// Sends a request over a connection of its own. It moves only in the task that is given back: dropped, that closes it,
    /// and by that the engine ends what it does for it.
    pub(crate) async fn exchange<B>(
        &self,
        mut request: Request<B>,
    ) -> io::Result<(Response<Incoming>, JoinSet<()>)>
    where
        B: Body<Data: Send, Error: Into<Source>> + Send + 'static,
    {
        let broken = |error: hyper::Error| self.broken(&error).io(io::ErrorKind::ConnectionAborted);
        let socket = self.dial().await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(broken)?;
        let mut moving = JoinSet::new();
        moving.spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(error = &error as &dyn StdError, "a connection to the engine ended");
            }
        });
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse::<Uri>().map_err(io::Error::other)?;
        let host = self.host().parse::<HeaderValue>().map_err(io::Error::other)?;
        request.headers_mut().insert(HOST, host);
        let response = sender.send_request(request).await.map_err(broken)?;
        Ok((response, moving))
    }

    /// What a failure on a connection says of the engine.
    fn broken(&self, error: &hyper::Error) -> Lost {
        let lost = Lost::find(error).cloned();
        lost.unwrap_or_else(|| self.lost(format!("broke off the connection: {}", deepest(error))))
    }

    /// What a request says whom it is for.
    fn host(&self) -> String {
        match &self.endpoint {
            Endpoint::Unix(_) => "docker".to_owned(),
            Endpoint::Tcp { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Endpoint::Tcp { host, port } => format!("{host}:{port}"),
        }
    }
}

fn deepest(error: &(dyn StdError + 'static)) -> String {
    let mut at = error;
    while let Some(source) = at.source() {
        at = source;
    }
    at.to_string()
}

/// A connection whose silence is looked into.
pub(crate) struct Watched {
    inner: Box<dyn Socket>,
    dialler: Dialler,
    quiet: Pin<Box<Sleep>>,
    asking: Option<BoxFuture<'static, io::Result<()>>>,
}

impl Watched {
    fn look(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            if let Some(asking) = &mut self.asking {
                let answered = ready!(asking.as_mut().poll(cx));
                self.asking = None;
                self.quiet.as_mut().reset(Instant::now() + QUIET);
                if let Err(error) = answered {
                    return Poll::Ready(error);
                }
            }
            ready!(self.quiet.as_mut().poll(cx));
            self.asking = Some(Box::pin(self.dialler.clone().ask(PATIENCE)));
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                self.asking = None;
                self.quiet.as_mut().reset(Instant::now() + QUIET);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                let lost = self.dialler.lost(format!("broke off the connection: {error}"));
                Poll::Ready(Err(lost.io(error.kind())))
            }
            Poll::Pending => self.look(cx).map(Err),
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    /// An engine that takes requests, and answers pings while it is `well`, anything else after a minute.
    async fn engine(listener: UnixListener, well: Arc<AtomicBool>) {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let well = Arc::clone(&well);
            tokio::spawn(async move {
                let mut head = [0; 1024];
                let read = socket.read(&mut head).await.unwrap();
                if !head[..read].starts_with(b"GET /_ping") {
                    sleep(Duration::from_secs(60)).await;
                }
                if !well.load(Ordering::Relaxed) {
                    return std::future::pending().await;
                }
                socket.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
            });
        }
    }

    async fn asked(dialler: &Dialler) -> io::Result<usize> {
        let mut socket = dialler.dial().await?;
        socket.write_all(b"POST /slow").await?;
        socket.read(&mut [0; 64]).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_takes_its_time_is_waited_for_and_a_silent_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("engine.sock");
        let well = Arc::new(AtomicBool::new(true));
        tokio::spawn(engine(UnixListener::bind(&socket).unwrap(), Arc::clone(&well)));
        let dialler = Dialler::new(Endpoint::Unix(socket.clone()));
        let began = Instant::now();
        assert!(asked(&dialler).await.unwrap() > 0);
        assert!(began.elapsed() >= Duration::from_secs(60));

        well.store(false, Ordering::Relaxed);
        // The second time it is not waited for anew.
        for limit in [QUIET + PATIENCE, HELLO] {
            let began = Instant::now();
            let error = asked(&dialler).await.unwrap_err();
            let told = Lost::find(&error).unwrap().to_string();
            assert!(told.contains(&socket.display().to_string()) && told.contains("ping"), "{told}");
            assert!(began.elapsed() <= limit + Duration::from_secs(1), "{:?}", began.elapsed());
        }
        well.store(true, Ordering::Relaxed);
        assert!(asked(&dialler).await.is_ok());
    }
}
