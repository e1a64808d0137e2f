//! The real parts that the demo and the end-to-end tests stand on.
//!
//! An engine and an nginx are not imitated here: [`image`] makes images of the example service and of the host's
//! nginx, [`registry`] runs `docker-registry` with token authentication as GHCR has it, [`nginx`] runs nginx on the
//! host or in a container, [`load`] and [`probe`] are the clients that notice a lost request, and [`slack`] stands in
//! for Slack's webhooks; [`browser`] looks at pages. [`needs`] says what a machine must have for that, and installs it.
//!
//! Everything listens on loopback, carries the labels of [`run`] when it is a Docker object, lives in temporary
//! directories otherwise, and is removed on drop. The `docker` command line is used as a client that shares no code
//! with what is tested. Servers and clients run on threads of their own, so a test may block.
//!
//! ```no_run
//! use xtask::rig::{image::ServiceImage, load::{Config, Load}, nginx::HostNginx, registry::{Auth, Registry}};
//!
//! # async fn demo() -> Result<(), xtask::rig::Error> {
//! let registry = Registry::start(Auth::token("acme", "secret")).await?;
//! let image = ServiceImage::build("acme/web", "1", &[("VERSION", "1")]).await?;
//! let digest = registry.push(image.name()).await?;
//! let nginx = HostNginx::start("/usr/sbin/nginx").await?;
//! // … deploy registry.host()/acme/web@digest behind nginx.site() …
//! let load = Load::start(Config::at(nginx.site()));
//! load.answered_by("1", std::time::Duration::from_secs(5)).await?;
//! let report = load.stop().await;
//! assert_eq!(report.failed, 0, "{:?}", report.failures);
//! # drop(digest); Ok(()) }
//! ```

pub mod account;
pub mod background;
pub mod browser;
pub mod container;
pub mod deadline;
pub mod disk;
pub mod docker;
pub mod engine;
pub(crate) mod error;
pub mod image;
pub mod load;
pub mod needs;
pub mod network;
pub mod newcomer;
pub mod nginx;
pub mod place;
pub mod podman;
pub mod port;
pub mod probe;
pub(crate) mod process;
pub mod registry;
pub mod relay;
pub mod run;
mod server;
pub mod session;
pub mod slack;
pub mod stage;
pub mod wire;

pub(crate) use error::{Doing, unexpected};
pub use error::{Error, Result};
pub use run::sweep;
