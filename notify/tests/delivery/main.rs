//! Notices on their way, to peers on loopback that answer as the real ones do, and as they should not.
#![expect(clippy::unwrap_used, reason = "clippy.toml allows it in test functions, not in what they call")]

mod api;
mod bot;
mod incoming;
mod several;
mod signed;
mod stand_in;
#[path = "../validator/mod.rs"]
mod validator;
