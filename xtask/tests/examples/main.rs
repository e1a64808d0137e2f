//! What stands in `examples/` runs as it stands there.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod own_server;
