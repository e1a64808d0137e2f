//! What the crate promises, held against a real `docker-registry` and against peers that lie.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

mod archive;
mod auth;
mod bounds;
mod digest;
mod docker_config;
mod judges;
mod killed;
mod look;
mod lying;
mod mirror;
mod platform;
mod pull;
mod push;
mod real;
mod redirect;
mod reference;
mod refusal;
mod resume;
mod retry;
mod rig;
mod scopes;
mod signature;
mod upload;
