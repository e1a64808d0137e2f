//! The crate on a real engine.
//!
//! These tests need a Docker Engine at `/var/run/docker.sock`, `rustc`, and for pulls Debian's `docker-registry`. What
//! they make is labelled `cutover.test=1` and removed when they end.

#![expect(clippy::unwrap_used, reason = "a rig that cannot do its work fails the test")]

mod build;
mod context;
mod drain;
mod failures;
mod files;
mod gate;
mod lifecycle;
mod load;
mod logs;
mod network;
mod pull;
mod push;
mod registry;
mod rig;
mod spec;
