//! A client for OCI registries: GHCR, Docker Hub, `docker-registry`, and what speaks as they do.
//!
//! It reads image references, finds the credentials for a registry, pins a tag to the digest of the bytes that the
//! registry really served, and pulls an image into an OCI image layout.
//!
//! ```no_run
//! use cutover_registry::{Credentials, ImageRef, Platform, Registry};
//!
//! # async fn example() -> Result<(), cutover_registry::Error> {
//! let registry = Registry::builder()
//!     .credentials("ghcr.io", Credentials::Basic { username: "acme".into(), password: "token".into() })
//!     .build()?;
//! let image: ImageRef = "ghcr.io/acme/web:latest".parse()?;
//!
//! let release = registry.resolve(&image).await?;
//! println!("{image} is {}", release.digest);
//!
//! let pulled = registry.pull(&release.image, Platform::host(), "web".as_ref()).finish().await?;
//! println!("{} bytes fetched, {} were there", pulled.fetched, pulled.kept);
//! # Ok(())
//! # }
//! ```
//!
//! # What it holds to
//!
//! - **No digest is believed.** A manifest's digest is computed from its bytes, never taken from a header; every
//!   blob is hashed while it is written.
//! - **Credentials go to two places**: the registry they are for, and the token server which that registry itself
//!   names. A redirect to another host carries none, a challenge from another host is not answered, and a registry
//!   on https cannot name a token server on plain http.
//! - **Everything is bounded**: a manifest by 4 MiB, a token by 64 KiB, a silent peer by [`Timeouts`], an index by
//!   its depth.
//! - Plain http is spoken to loopback, as Docker does, and to hosts marked
//!   [`insecure`](RegistryBuilder::insecure). Nothing else.
//! - No environment, terminal or configuration is read, except [`DockerConfig`] by the path given, and the proxy
//!   variables where [`system_proxy`](RegistryBuilder::system_proxy) asks for them.
//!
//! # Why not `oci-client`
//!
//! It believes the digest in the header, loses the status and `Retry-After` of a refusal, asks for a token once a blob
//! instead of once, holds all layers in memory, and brings a second TLS provider, so that a process with both panics.
//! This crate uses `reqwest` with rustls and names its provider (ring) itself: it works whether or not the process
//! has a default one.

mod answer;
mod archive;
mod authorizer;
mod builder;
mod call;
mod challenge;
mod config;
mod credentials;
mod digest;
mod docker_config;
mod download;
mod endpoint;
mod error;
mod helper;
mod key;
mod layout;
mod look;
mod manifest;
mod mirrors;
mod outgoing;
mod pages;
mod partial;
mod parts;
mod patience;
mod platform;
mod pull;
mod push;
mod reference;
mod refusal;
mod registry;
mod scope;
mod settings;
mod signature;
mod site;
mod source;
mod transfer;
mod transport;
mod upload;
mod writer;

pub use archive::Archive;
pub use builder::RegistryBuilder;
pub use config::{Healthcheck, ImageConfig};
pub use credentials::Credentials;
pub use digest::{Algorithm, Digest, DigestInvalid};
pub use docker_config::DockerConfig;
pub use error::{Error, Source};
pub use key::PublicKey;
pub use look::Inspected;
pub use manifest::{Descriptor, Manifest};
pub use platform::{Platform, PlatformInvalid, Platforms};
pub use pull::Pulled;
pub use push::{PushOptions, Pushed};
pub use reference::{ImageRef, ReferenceInvalid};
pub use refusal::Refusal;
pub use registry::{Registry, Resolved};
pub use settings::{RegistrySettings, Timeouts};
pub use signature::Verified;
pub use transfer::{Progress, Transfer};

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
