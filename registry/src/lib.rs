//! A client for OCI registries: GHCR, Docker Hub, `docker-registry`, and what speaks as they do.
//!
//! It reads image references, finds the credentials for a registry, pins a tag to the digest of the bytes that the
//! registry really served, pulls an image into an OCI image layout or streams it as an archive that an engine loads,
//! pushes a layout, looks at what is there and verifies who signed it.
//!
//! ```no_run
//! use cutover_registry::{Credentials, ImageRef, Platform, PushOptions, Registry};
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
//!
//! let mut options = PushOptions::default();
//! options.tags = vec!["stable".to_owned()];
//! let pushed = registry.push("web".as_ref(), &image, &options).finish().await?;
//! println!("{} bytes sent, {} were there", pushed.sent, pushed.kept);
//! # Ok(())
//! # }
//! ```
//!
//! # What it holds to
//!
//! - **No digest is believed.** A manifest's digest is computed from its bytes, never taken from a header; every
//!   blob is hashed while it is written, and while it is sent.
//! - **Credentials go to two places**: the registry they are for, and the token server which that registry itself
//!   names. A redirect or a place to upload to on another host gets none, a challenge from another host is not answered,
//!   and a registry on https cannot name a token server on plain http.
//! - **A blob is fetched once.** What broke off is taken up where it ended, by the same pull and by the next one, in
//!   this process or another; blobs that several images share lie there once.
//! - **Nothing half-written has a name.** A blob is hashed while it is written, synced, and then renamed; the image is
//!   entered into `index.json` after all of it is on the disk. What a [`Transfer`] that was dropped or killed leaves are
//!   `.partial-…` files.
//! - **Nothing half-sent has a tag.** Blobs go up before manifests, images before their index, and tags last; a blob that is
//!   rotten on the disk does not arrive whole.
//! - **Everything is bounded**: a manifest by 4 MiB, a token by 64 KiB, a silent peer by [`Timeouts`], an index by
//!   its depth and by 8 MiB of manifests, a list by its pages, a blob by its descriptor, and a pull's memory whatever the
//!   image: some 25 MB at six blobs at once.
//! - **What may pass is tried three times**, with pauses that grow, hold some chance, and are never shorter than the
//!   `Retry-After` of the registry. One that wants more than 30 s is told of instead of waited for.
//! - **A refusal says what is meant by it**: see [`Refusal`], which knows the words of GHCR.
//! - Plain http is spoken to loopback, as Docker does, and to hosts marked
//!   [`insecure`](RegistrySettings::insecure). Nothing else.
//! - No environment, terminal or configuration is read, except [`DockerConfig`] by the path given, and the proxy
//!   variables where [`system_proxy`](RegistryBuilder::system_proxy) asks for them.
//!
//! # Why not `oci-client`
//!
//! All of it stands on `reqwest` directly; of `oci-client` 0.18 nothing could be kept. Its `pull` holds all layers in memory,
//! and its streams neither resume nor verify a part. It believes the digest in the header. Of a refusal it
//! loses the status, the reason and `Retry-After`, so that neither [`Refusal`] nor patience could be built on it. It asks for
//! a token once a blob instead of once, keeps the first credentials for good, and its `push` takes layers from memory.
//! It also brings a second TLS provider: a process with both panics. `reqwest` with rustls gives connections, proxies and HTTP/2
//! and leaves the rest to us; the provider (ring) is named here, so that it matters neither whether the process has a
//! default one nor which. Redirects are followed here too, for it to be plain which host gets the credentials.
//!
//! # Why not `sigstore`
//!
//! With no more than `cosign` on, `sigstore` 0.15 needs 294 crates where this one needs 122, and 211 s of a processor to
//! build where this one needs 62 s; aws-lc-rs, `oci-client` and an OpenID client are among them. A signature by key is one
//! manifest, one payload and one call of ring: see [`Registry::verify_signature`], which says too what is not covered.

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
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
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
