//! What the documents say is there.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod commands;
mod configuration;
mod crates;
mod links;
mod markdown;

/// Ends the test with everything that was found wrong.
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}
