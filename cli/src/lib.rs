//! Blue-green deployments of Docker containers behind nginx that lose no request.
//!
//! The library under the `cutover` command: it reads a [`config`], observes the world ([`observe`]), plans the way to a
//! [`plan::Goal`] without touching anything ([`plan`]), does the steps ([`apply`]) and tells what came of it
//! ([`outcome`], [`history`], [`notice`]). A [`compose`] file may say what the configuration leaves out, and [`doctor`] looks
//! at everything that a deploy needs. It prints nothing; who wants to see it work gives it a [`report::Report`].
//!
//! ```
//! use std::path::Path;
//!
//! let text = r#"
//!     [apps.web]
//!     image = "ghcr.io/acme/web:latest"
//!     port  = 8112
//! "#;
//! let config = cutover::config::Config::parse(Path::new("cutover.toml"), text)?;
//! let (name, app) = config.app(None)?;
//! assert_eq!((name.as_str(), app.port.get()), ("web", 8112));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod apply;
pub mod args;
pub mod build;
pub mod commands;
pub mod commit;
pub mod compose;
pub mod config;
pub mod credentials;
pub mod doctor;
pub mod edge;
pub mod effect;
pub mod failure;
pub(crate) mod folder;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzz;
pub(crate) mod git;
pub(crate) mod github;
pub mod guard;
pub mod history;
pub mod init;
pub mod lock;
pub(crate) mod memory;
pub mod notice;
pub mod observe;
pub mod origin;
pub mod outcome;
pub mod output;
pub mod picture;
pub mod places;
pub mod plan;
pub mod probe;
pub mod record;
pub mod release;
pub mod report;
pub mod run;
pub mod signature;
pub mod slots;
pub mod target;
pub(crate) mod veil;

pub use commands::{main, main_before};
