//! What may stand in the files that people write, whatever it is: for libFuzzer (`fuzz/`), and over its corpus for the
//! tests.
//!
//! A target fails by a panic, or where what it was told does not hold together.

use std::path::Path;

pub use crate::compose::fuzz::{compose, interpolation, variables};
use crate::config::{Config, Invalid};

/// A `cutover.toml`: it is right, or what is wrong with it can be shown with its place.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // A compose file would be read from this machine.
    if text.contains("compose") {
        return;
    }
    match Config::parse(Path::new("cutover.toml"), &text) {
        Ok(config) => {
            for name in config.file.apps.keys() {
                assert!(config.app(Some(name.as_str())).is_ok());
            }
            assert_eq!(config.source().text().len(), text.len());
            drop(format!("{config:?}"));
        }
        Err(invalid) => shown(&invalid, &text),
    }
}

/// What is wrong stands on one line, at a place that there is, and is shown to a person without a panic.
pub(crate) fn shown(invalid: &Invalid, text: &str) {
    let lines = text.matches('\n').count() + 1;
    assert!(invalid.place().is_none_or(|(line, column)| line <= lines && column <= text.len() + 1));
    assert!(!invalid.line().contains(char::is_control), "{:?}", invalid.line());
    assert!(!invalid.render(false).is_empty() && !invalid.render(true).is_empty());
}

#[cfg(test)]
#[path = "../../fuzz/play.rs"]
mod play;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_configuration_does_no_harm() {
        play::play("configuration", configuration);
    }

    #[test]
    fn a_hostile_compose_file_does_no_harm() {
        play::play("compose", compose);
    }

    #[test]
    fn hostile_files_of_variables_do_no_harm() {
        play::play("variables", variables);
    }

    #[test]
    fn hostile_variables_in_values_do_no_harm() {
        play::play("interpolation", interpolation);
    }
}
