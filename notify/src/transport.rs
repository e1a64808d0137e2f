use std::error::Error as StdError;
use std::sync::Arc;

use hyper_rustls::HttpsConnector;
use hyper_rustls::{ConfigBuilderExt, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::client::WantsClientCert;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};

use crate::Error;
use crate::address::Address;

/// What connects to a peer, with TLS where its address says https.
pub(crate) type Connector = HttpsConnector<HttpConnector>;

type Roots = ConfigBuilder<ClientConfig, WantsClientCert>;

/// A connector to `address`. Plain http gets no root certificates: a machine without any can still use it.
pub(crate) fn connector(address: &Address) -> Result<Connector, Error> {
    let tls = if address.is_https() { system_roots() } else { roots(RootCertStore::empty()) };
    let tls = tls.map_err(|source| Error::Tls { host: address.host().to_owned(), source })?;
    Ok(with_tls(tls))
}

/// hyper-rustls by itself takes the process's default TLS provider, and panics where none was chosen or two
/// could be. This one names its provider, so a caller need not know that there is one.
fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
}

fn system_roots() -> Result<Roots, Box<dyn StdError + Send + Sync>> {
    Ok(builder()?.with_native_roots()?)
}

fn roots(store: RootCertStore) -> Result<Roots, Box<dyn StdError + Send + Sync>> {
    Ok(builder()?.with_root_certificates(store))
}

// HTTP/1 only: a notice is one request, and h2 writes `:path`, the secret, to its trace log.
fn with_tls(tls: Roots) -> Connector {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .build()
}

#[cfg(test)]
mod tests;
