//! The connections by which one registry is reached.

use std::sync::Arc;

use reqwest::{Client, Method, RequestBuilder, Url, redirect};
use rustls::RootCertStore;

use crate::{Error, RegistryBuilder, Result, Timeouts, endpoint};

/// Cloning it shares the connections.
#[derive(Clone)]
pub(crate) struct Site {
    outward: Client,
    loopback: Client,
    pub(crate) timeouts: Timeouts,
}

impl Site {
    pub(crate) fn new(builder: &RegistryBuilder, roots: RootCertStore, timeouts: Timeouts) -> Result<Self> {
        let loopback = client(builder, roots.clone(), timeouts, false)?;
        let outward =
            if builder.system_proxy { client(builder, roots, timeouts, true)? } else { loopback.clone() };
        Ok(Self { outward, loopback, timeouts })
    }

    /// A request to this address that carries nothing yet.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let near = url.host_str().is_some_and(endpoint::is_loopback);
        let client = if near { &self.loopback } else { &self.outward };
        client.request(method, url)
    }
}

fn client(
    builder: &RegistryBuilder,
    roots: RootCertStore,
    timeouts: Timeouts,
    proxied: bool,
) -> Result<Client> {
    let setup = |detail: String| Error::Setup { detail };
    // The provider is named here, so that it matters neither whether the process has a default one nor which.
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| setup(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&builder.user_agent)
        .connect_timeout(timeouts.connect)
        .read_timeout(timeouts.stall);
    if proxied { client } else { client.no_proxy() }.build().map_err(|error| setup(error.to_string()))
}
