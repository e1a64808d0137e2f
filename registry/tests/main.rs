//! What the crate promises, held against a real `docker-registry` and against peers that lie.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod archive;
mod auth;
mod bounds;
mod digest;
mod docker_config;
mod judges;
mod killed;
mod lying;
mod platform;
mod pull;
mod real;
mod redirect;
mod reference;
mod resume;
mod retry;
mod rig;
