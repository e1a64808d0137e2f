//! A first `cutover.toml`, and the workflow that deploys by it.
//!
//! What the folder says ([`Found`]) and what the command line says ([`Flags`]) become [`Answers`]; on a terminal the rest is
//! asked for ([`Asker`]). From them come texts ([`configuration()`], [`workflow`]), and these are [`Draft`]s until they are
//! written: what is there already stays as it is unless that is wanted otherwise.

mod answers;
mod ask;
mod choice;
mod configuration;
mod dockerfile;
mod draft;
mod flags;
mod found;
pub mod workflow;

pub use answers::{Answers, Github, NotKnown};
pub use ask::Asker;
pub use choice::{Domains, Health, Label, NginxPlace, NotAChoice, Slack};
pub use configuration::configuration;
pub use dockerfile::Dockerfile;
pub use draft::{Draft, State};
pub use flags::Flags;
pub use found::Found;
