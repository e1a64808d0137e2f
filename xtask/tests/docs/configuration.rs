//! Configurations that a document or an example shows are right.

use std::path::Path;

use cutover::config::Config;
use xtask::rig::place;

use crate::markdown::documents;
use crate::none;

#[test]
fn every_whole_configuration_in_a_document_is_right() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    for document in documents() {
        for (number, block) in document.blocks("toml") {
            // A piece of one has no app, or an app without its image.
            if !(block.contains("[apps.") && block.contains("image")) {
                continue;
            }
            seen += 1;
            if let Err(invalid) = Config::parse(&document.path, &block) {
                faults.push(format!("{}: {}", document.at(number), invalid.render(false)));
            }
        }
    }
    none(&faults);
    assert!(seen > 0, "no configuration was found");
}

#[test]
fn every_configuration_of_the_examples_is_right() {
    for path in ["guide/after", "own-server", "rust-service", "shell"] {
        let path = Path::new("examples").join(path).join("cutover.toml");
        let text = std::fs::read_to_string(place::workspace().join(&path)).unwrap();
        if let Err(invalid) = Config::parse(&path, &text) {
            panic!("{}", invalid.render(false));
        }
    }
}
