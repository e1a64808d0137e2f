//! The crate on a real engine.
//!
//! These tests need a Docker Engine at `/var/run/docker.sock`, `rustc`, and for pulls Debian's `docker-registry`. What
//! they make is labelled `cutover.test=1` and removed when they end.

#![expect(clippy::unwrap_used, reason = "a rig that cannot do its work fails the test")]

mod drain;
mod files;
mod gate;
mod lifecycle;
mod logs;
mod network;
mod pull;
mod rig;
mod spec;
