//! The client: kept-alive connections to the site, and nothing that would hide a failure.

use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::aim::Address;
use super::{Aim, Lost};

/// A connection that was idle for longer is left: the server might be about to close it.
const IDLE: Duration = Duration::from_secs(5);

/// The header by which the site can tell these requests from others; its value is the run's id.
const RUN_HEADER: &str = "x-cutover-probe";

type Connection = SendRequest<Empty<Bytes>>;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Asks the same thing again and again.
pub(super) struct Client {
    aim: Aim,
    run: String,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Client {
    pub(super) fn new(aim: Aim, run: &str) -> Self {
        let tls = aim.tls.then(connector).flatten();
        Self { aim, run: run.to_owned(), tls, idle: Mutex::default() }
    }

    /// Asks once, over a kept connection or a new one.
    pub(super) async fn ask(&self) -> Result<(), Lost> {
        while let Some(mut kept) = self.kept() {
            match self.exchange(&mut kept).await {
                // It had ended before the request was on its way.
                Err(error) if error.is_canceled() => {}
                answered => return self.judge(kept, answered).await,
            }
        }
        let mut fresh = self.connect().await?;
        let answered = self.exchange(&mut fresh).await;
        self.judge(fresh, answered).await
    }

    /// What an answer is worth; the connection is kept, if it can be.
    async fn judge(&self, mut connection: Connection, answered: hyper::Result<u16>) -> Result<(), Lost> {
        let status = answered.map_err(|error| Lost::Cut(with_source(&error)))?;
        if connection.ready().await.is_ok() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((connection, Instant::now()));
        }
        if status >= 500 { Err(Lost::Status(status)) } else { Ok(()) }
    }

    /// The connection that was used last, if it still stands.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(connection, since)| connection.is_ready() && since.elapsed() < IDLE);
        idle.pop().map(|(connection, _)| connection)
    }

    /// Asks, and reads the answer to its end; its status.
    async fn exchange(&self, connection: &mut Connection) -> hyper::Result<u16> {
        let request = Request::get(&self.aim.path)
            .header(HOST, &self.aim.host)
            .header(USER_AGENT, concat!("cutover-probe/", env!("CARGO_PKG_VERSION")))
            .header(RUN_HEADER, &self.run)
            .body(Empty::new());
        // Path and host were checked when the file was read; were they not, the site would be asked for `/`.
        let response = connection.send_request(request.unwrap_or_default()).await?;
        let (head, mut body) = response.into_parts();
        while let Some(frame) = body.frame().await {
            drop(frame?);
        }
        Ok(head.status.as_u16())
    }

    async fn connect(&self) -> Result<Connection, Lost> {
        let stream = self.open().await.map_err(|error| Lost::Unreached(error.to_string()))?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = shaken.map_err(|error| Lost::Unreached(with_source(&error)))?;
        // It ends with its sender; what it ends with reaches the request that it cuts.
        drop(tokio::spawn(async move { drop(connection.await) }));
        Ok(sender)
    }

    async fn open(&self) -> std::io::Result<Box<dyn Stream>> {
        let stream: Box<dyn Stream> = match &self.aim.address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Address::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        let Some(tls) = &self.tls else { return Ok(stream) };
        let name = self.aim.host.rsplit_once(':').map_or(self.aim.host.as_str(), |(name, _)| name);
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned());
        let name = name.map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

fn connector() -> Option<TlsConnector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let any = Arc::new(Any(Arc::clone(&provider)));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let config = config.dangerous().with_custom_certificate_verifier(any).with_no_client_auth();
    Some(TlsConnector::from(Arc::new(config)))
}

/// Takes any certificate: the site is asked at an address of its own, and nothing secret is sent to it.
#[derive(Debug)]
struct Any(Arc<CryptoProvider>);

impl ServerCertVerifier for Any {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// hyper says the kind of a failure, and only its source the cause.
fn with_source(error: &hyper::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
