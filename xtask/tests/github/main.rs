//! What GitHub runs: the workflows that `cutover init` writes, the project's own, and its action.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the figures are for people")]

mod action;
mod pipeline;
mod step;
mod workflow;
mod yaml;
