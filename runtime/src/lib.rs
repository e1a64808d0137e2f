//! Container lifecycle on a Docker Engine: images by digest, networks, containers, health gates, draining and logs.
//!
//! An [`Engine`] is the way to a Docker Engine, over its socket or over tcp. `observe_*` only reads, `ensure_*` and the
//! other verbs are idempotent, nothing is ever done by force, and every failure is an [`enum@Error`] that names what it
//! is about. The crate reads no environment, no configuration and no terminal, and a secret it is given is in none of
//! its errors, events or `Debug` outputs.
//!
//! ```no_run
//! use std::time::Duration;
//! use cutover_runtime::{Check, ContainerSpec, Endpoint, Engine, Gate};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::connect(&Endpoint::default()).await?;
//! engine.ensure_image("ghcr.io/acme/web:1.2", None, &mut |step| drop(step)).await?;
//!
//! let mut spec = ContainerSpec::new("web-green", "ghcr.io/acme/web:1.2");
//! spec.labels.insert("app".into(), "web".into());
//! let id = engine.create_container(&spec).await?;
//! engine.start(&id).await?;
//!
//! let gate = Gate::new(Check::http("/healthz"), "172.17.0.2:8080".parse()?);
//! let healthy = engine.gate(&id, &gate).await?;
//! assert!(healthy.after < gate.timeout);
//!
//! engine.drain(&id, 8080, Duration::from_secs(30)).await?;
//! engine.stop(&id, Duration::from_secs(10)).await?;
//! # Ok(()) }
//! ```

mod api;
mod archive;
mod build;
mod connection;
mod container;
mod create;
mod credentials;
mod drain;
mod endpoint;
mod engine;
mod error;
mod exec;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
mod health;
mod image;
mod info;
mod inspect;
mod lifecycle;
mod load;
mod logs;
mod network;
mod pull;
mod push;
mod sockets;
mod spec;
mod wire;
mod words;

pub use archive::{UploadEntry, UploadKind};
pub use build::{BuildError, BuildProgress, BuildSecret, BuildSpec, Builder, Built, CacheTo, StepState};
pub use container::{Attached, Container, HealthStatus, ImageHealth, MountPoint, State};
pub use credentials::Credentials;
pub use drain::Drained;
pub use endpoint::Endpoint;
pub use engine::{Engine, EngineVersion};
pub use error::{Error, Result, Source};
pub use exec::ExecOutput;
pub use health::{
    Check, Gate, GateError, Healthy, Heard, Reason, StatusRange, StatusRanges, Unhealthy, probe,
};
pub use image::{Image, Removal};
pub use info::EngineInfo;
pub use logs::{LogLine, LogQuery, LogStream};
pub use network::{Network, NetworkSpec, Subnet};
pub use pull::{Pull, PullProgress};
pub use push::{PushProgress, Pushed};
pub use spec::{
    Attachment, ContainerSpec, Healthcheck, Healthtest, LogOptions, Mount, Published, Restart, Ulimit,
};
