//! A client for OCI registries: GHCR, Docker Hub, `docker-registry`, and what speaks as they do.
//!
//! It reads image references, finds the credentials for a registry, pins a tag to the digest of the bytes that the
//! registry really served, and pulls an image into an OCI image layout, or streams it as an archive that an engine
//! loads.
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
//! - **A blob is fetched once.** What broke off is taken up where it ended, by the same pull and by the next one, in
//!   this process or another; blobs that several images share lie there once.
//! - **Nothing half-written has a name.** A blob is hashed while it is written, synced, and then renamed; the image is
//!   entered into `index.json` after all of it is on the disk. What a [`Transfer`] that was dropped or killed leaves are
//!   `.partial-…` files.
//! - **Everything is bounded**: a manifest by 4 MiB, a token by 64 KiB, a silent peer by [`Timeouts`], an index by
//!   its depth and by 8 MiB of manifests, a blob by its descriptor, and a pull's memory whatever the image: some 25 MB
//!   at six blobs at once.
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
mod challenge;
mod credentials;
mod digest;
mod docker_config;
mod download;
mod endpoint;
mod error;
mod helper;
mod layout;
mod manifest;
mod partial;
mod parts;
mod platform;
mod pull;
mod reference;
mod registry;
mod transfer;
mod transport;
mod writer;

pub use archive::Archive;
pub use builder::{RegistryBuilder, Timeouts};
pub use credentials::Credentials;
pub use digest::{Algorithm, Digest, DigestInvalid};
pub use docker_config::DockerConfig;
pub use error::{Error, Source};
pub use manifest::{Descriptor, Manifest};
pub use platform::{Platform, PlatformInvalid, Platforms};
pub use pull::Pulled;
pub use reference::{ImageRef, ReferenceInvalid};
pub use registry::{Registry, Resolved};
pub use transfer::{Progress, Transfer};

/// What the functions of this crate return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
