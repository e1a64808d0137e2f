//! What is particular to one registry.

use std::fmt;
use std::time::Duration;

/// How long to wait, for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included. 10 s unless said.
    pub connect: Duration,
    /// For the next byte of an answer. 30 s unless said.
    pub stall: Duration,
    /// For the whole of a small answer: a manifest, a token. 60 s unless said.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(30),
            answer: Duration::from_secs(60),
        }
    }
}

/// By which scheme a registry is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Plain http on loopback, https everywhere else.
    #[default]
    ByPlace,
    Plain,
    Https,
}

/// What is particular to one registry: see [`RegistryBuilder::settings`](crate::RegistryBuilder::settings).
///
/// They hold for all that is asked on the registry's behalf: its token server, and where its redirects lead.
#[derive(Clone, Default)]
#[must_use]
pub struct RegistrySettings {
    pub(crate) scheme: Scheme,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) mirrors: Vec<String>,
}

impl RegistrySettings {
    /// Nothing particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Plain http.
    pub fn insecure(mut self) -> Self {
        self.scheme = Scheme::Plain;
        self
    }

    /// https, although it is on loopback.
    pub fn https(mut self) -> Self {
        self.scheme = Scheme::Https;
        self
    }

    /// Trusts these certificates (PEM) besides the others, for this registry alone.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// How long to wait for this registry.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Reads from this registry first, named as in a reference, which has the same repositories.
    ///
    /// Mirrors are asked in the order given, each with its own credentials and settings, for manifests and blobs. One
    /// that lacks what is asked for, cannot be reached or sends something else than the digest stands for is passed
    /// over with a warning. What a **tag** stands for is believed of a mirror, as Docker does: nothing but the
    /// registry could tell otherwise. Ask by digest where that matters. Nothing is ever pushed to a mirror.
    pub fn mirror(mut self, registry: impl Into<String>) -> Self {
        self.mirrors.push(registry.into());
        self
    }

    /// Whether it needs connections of its own.
    pub(crate) fn is_apart(&self) -> bool {
        !self.roots.is_empty() || self.timeouts.is_some()
    }
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrySettings")
            .field("scheme", &self.scheme)
            .field("timeouts", &self.timeouts)
            .field("mirrors", &self.mirrors)
            .finish_non_exhaustive()
    }
}
