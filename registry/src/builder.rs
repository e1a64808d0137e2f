//! How a [`Registry`] is set up.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::endpoint::registry_name;
use crate::transport::Transport;
use crate::{Credentials, Error, ImageRef, Registry, RegistrySettings, Result, Timeouts};

/// Sets up a [`Registry`].
#[derive(Clone)]
#[must_use]
pub struct RegistryBuilder {
    pub(crate) credentials: HashMap<String, Credentials>,
    pub(crate) settings: HashMap<String, RegistrySettings>,
    pub(crate) timeouts: Timeouts,
    pub(crate) user_agent: String,
    pub(crate) system_proxy: bool,
    roots: Vec<Vec<u8>>,
}

impl RegistryBuilder {
    pub(crate) fn new() -> Self {
        Self {
            credentials: HashMap::new(),
            settings: HashMap::new(),
            timeouts: Timeouts::default(),
            user_agent: concat!("cutover-registry/", env!("CARGO_PKG_VERSION")).to_owned(),
            system_proxy: false,
            roots: Vec::new(),
        }
    }

    /// Who to be at this registry (`ghcr.io`, `127.0.0.1:5000`). Without, anonymous.
    pub fn credentials(mut self, registry: impl AsRef<str>, credentials: Credentials) -> Self {
        self.credentials.insert(registry_name(registry.as_ref()).to_owned(), credentials);
        self
    }

    /// What is particular to one registry, named as in the references to it, port included. Takes the place of what
    /// was said of it before.
    pub fn settings(mut self, registry: impl AsRef<str>, settings: RegistrySettings) -> Self {
        *self.of(registry.as_ref()) = settings;
        self
    }

    /// Speaks plain http to this registry: short for [`settings`](Self::settings).
    pub fn insecure(mut self, registry: impl AsRef<str>) -> Self {
        let settings = self.of(registry.as_ref());
        *settings = std::mem::take(settings).insecure();
        self
    }

    /// Speaks https to this registry although it is on loopback: short for [`settings`](Self::settings).
    pub fn https(mut self, registry: impl AsRef<str>) -> Self {
        let settings = self.of(registry.as_ref());
        *settings = std::mem::take(settings).https();
        self
    }

    /// Trusts these certificates (PEM) besides the system's, for every registry.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long to wait, for registries whose settings say nothing else.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// What the client calls itself.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Goes through the proxy that the environment names (`HTTPS_PROXY`, `NO_PROXY`); never to loopback. Off
    /// unless said.
    pub fn system_proxy(mut self, yes: bool) -> Self {
        self.system_proxy = yes;
        self
    }

    /// The client. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`] when a certificate, a mirror's name or the user agent cannot be used. A system without any root
    /// certificates is no error here: registries on plain http can be used, those on https are then
    /// [`Error::Unreachable`].
    pub fn build(self) -> Result<Registry> {
        let mut roots = RootCertStore::empty();
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::debug!(%error, "a root certificate of the system cannot be read");
        }
        roots.add_parsable_certificates(native.certs);
        self.build_with(roots)
    }

    pub(crate) fn build_with(self, mut roots: RootCertStore) -> Result<Registry> {
        for pem in &self.roots {
            trust(&mut roots, pem)?;
        }
        for mirror in self.settings.values().flat_map(|settings| &settings.mirrors) {
            let known = format!("{mirror}/x").parse::<ImageRef>();
            if !known.is_ok_and(|image| image.registry() == mirror) {
                return Err(Error::Setup { detail: format!("{mirror:?} is not a registry's name") });
            }
        }
        Ok(Registry { transport: Arc::new(Transport::new(self, &roots)?) })
    }

    fn of(&mut self, registry: &str) -> &mut RegistrySettings {
        self.settings.entry(registry_name(registry).to_owned()).or_default()
    }
}

/// Adds the certificates of a PEM file.
pub(crate) fn trust(roots: &mut RootCertStore, pem: &[u8]) -> Result<()> {
    let known = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        certificate
            .map_err(|error| error.to_string())
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
            .map_err(|detail| Error::Setup { detail: format!("a root certificate: {detail}") })?;
    }
    if roots.len() == known {
        return Err(Error::Setup { detail: "a root certificate: no PEM certificate in it".to_owned() });
    }
    Ok(())
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryBuilder")
            .field("credentials", &self.credentials)
            .field("settings", &self.settings)
            .field("timeouts", &self.timeouts)
            .field("user_agent", &self.user_agent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// A server for one request, which has nothing.
    fn empty_registry() -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let read = stream.read(&mut [0; 4096]).unwrap();
            assert!(read > 0, "a request");
            stream.write_all(b"HTTP/1.1 404 -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
        });
        host
    }

    #[tokio::test]
    async fn plain_http_needs_no_root_certificates_and_no_default_provider() {
        assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nobody installed one");
        let registry = RegistryBuilder::new().build_with(RootCertStore::empty()).unwrap();
        let image = format!("{}/acme/web", empty_registry()).parse().unwrap();
        let error = registry.resolve(&image).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }

    #[test]
    fn a_root_that_is_no_certificate_is_refused() {
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "not PEM", garbage] {
            let built = RegistryBuilder::new().root_certificates(pem).build_with(RootCertStore::empty());
            assert!(matches!(built, Err(Error::Setup { .. })), "{pem:?}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_and_for_what_was_marked() {
        let builder = RegistryBuilder::new().insecure("registry.lan:5000").https("127.0.0.1:5001");
        let registry = builder.build_with(RootCertStore::empty()).unwrap();
        for plain in ["127.0.0.1:5000", "localhost", "[::1]:1", "registry.lan:5000"] {
            assert!(registry.transport.is_plain(plain), "{plain}");
        }
        for https in ["ghcr.io", "docker.io", "registry.lan", "registry.lan:5001", "127.0.0.1:5001"] {
            assert!(!registry.transport.is_plain(https), "{https}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let password = "hunter2".into();
        let builder = RegistryBuilder::new()
            .credentials("ghcr.io", Credentials::Basic { username: "acme".into(), password });
        let shown = format!("{builder:?} {:?}", builder.clone().build_with(RootCertStore::empty()));
        assert!(shown.contains("acme") && !shown.contains("hunter2"), "{shown}");
    }
}
