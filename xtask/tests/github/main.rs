//! What GitHub runs: the workflows that `cutover init` writes, the project's own, and its action.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod action;
mod step;
mod workflow;
mod yaml;
