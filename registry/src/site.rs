//! The connections by which one registry is reached.

use std::sync::Arc;

use reqwest::{Client, Method, RequestBuilder, Url, redirect};
use rustls::RootCertStore;

use crate::{Error, RegistryBuilder, Result, Timeouts, endpoint};

pub(crate) struct Site {
    down: Clients,
    up: Clients,
    pub(crate) timeouts: Timeouts,
}

/// Loopback is never reached through a proxy.
struct Clients {
    outward: Client,
    loopback: Client,
}

impl Site {
    pub(crate) fn new(builder: &RegistryBuilder, roots: &RootCertStore, timeouts: Timeouts) -> Result<Self> {
        let tls = tls(roots.clone())?;
        // To reqwest, the time in which a body goes up is time without a byte read.
        let clients = |stall| -> Result<Clients> {
            let loopback = client(builder, tls.clone(), timeouts, stall, false)?;
            let outward = match builder.system_proxy {
                true => client(builder, tls.clone(), timeouts, stall, true)?,
                false => loopback.clone(),
            };
            Ok(Clients { outward, loopback })
        };
        Ok(Self { down: clients(true)?, up: clients(false)?, timeouts })
    }

    /// A request to this address that carries nothing yet.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.down.request(method, url)
    }

    /// A request with a body that takes its time. Whether it stalls is the caller's to notice.
    pub(crate) fn upload(&self, method: Method, url: Url) -> RequestBuilder {
        self.up.request(method, url)
    }
}

impl Clients {
    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let near = url.host_str().is_some_and(endpoint::is_loopback);
        let client = if near { &self.loopback } else { &self.outward };
        client.request(method, url)
    }
}

fn tls(roots: RootCertStore) -> Result<rustls::ClientConfig> {
    // The provider is named here, so that it matters neither whether the process has a default one nor which.
    let mut tls =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Setup { detail: error.to_string() })?
            .with_root_certificates(roots)
            .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

fn client(
    builder: &RegistryBuilder,
    tls: rustls::ClientConfig,
    timeouts: Timeouts,
    stall: bool,
    proxied: bool,
) -> Result<Client> {
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(&builder.user_agent)
        .connect_timeout(timeouts.connect);
    let client = if stall { client.read_timeout(timeouts.stall) } else { client };
    let client = if proxied { client } else { client.no_proxy() };
    client.build().map_err(|error| Error::Setup { detail: error.to_string() })
}
