//! TLS for the load's clients, and which HTTP they speak over it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::rig::error::{Result, unexpected};

/// What a client says it speaks; a server that does not speak just that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// Its name in ALPN (RFC 7301).
    fn name(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// How a site is reached by TLS: whom to trust, by which name, and what to speak.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    pub(super) protocol: Protocol,
}

impl Tls {
    /// Trusts this certificate alone, in PEM, and asks for the site by `name`.
    ///
    /// # Errors
    ///
    /// When the text is no certificate, or the name none that a certificate could carry.
    pub fn trusting(pem: &[u8], name: &str, protocol: Protocol) -> Result<Self> {
        let wrong = |error: &dyn std::fmt::Display| unexpected(format!("TLS for {name}"), error);
        let mut roots = RootCertStore::empty();
        let certificate = CertificateDer::from_pem_slice(pem).map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
        // Named, as there may be more than one in the process.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let mut config =
            config.map_err(|error| wrong(&error))?.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.name().to_owned()];
        let server = ServerName::try_from(name.to_owned()).map_err(|error| wrong(&error))?;
        Ok(Self { config: Arc::new(config), name: server, protocol })
    }

    /// A connection to the site, past the handshake.
    ///
    /// # Errors
    ///
    /// When nothing listens there, the certificate is another one, or the server speaks something else.
    pub async fn connect(&self, address: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        self.shake(stream).await
    }

    /// The handshake on an open connection.
    pub(super) async fn shake(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(self.name.clone(), stream).await?;
        let spoken = stream.get_ref().1.alpn_protocol();
        if spoken == Some(self.protocol.name()) {
            return Ok(stream);
        }
        let spoken = spoken.map(String::from_utf8_lossy);
        Err(std::io::Error::other(format!("the server speaks {spoken:?}, not {:?}", self.protocol)))
    }
}
