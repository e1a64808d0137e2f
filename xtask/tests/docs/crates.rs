//! What `docs/crates.md` and the README in Korean show is what is tested and said elsewhere.

use xtask::rig::place;

use crate::markdown::{Line, document};
use crate::none;

/// The documentation that a crate's `lib.rs` opens with, whose examples are tested with the crate.
fn overview(krate: &str) -> Vec<String> {
    let path = place::workspace().join(krate).join("src/lib.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| line.starts_with("//!"));
    lines.map(|line| line.trim_start_matches("//!").trim().to_owned()).collect()
}

#[test]
fn every_example_of_the_crates_is_of_an_overview_that_the_tests_run() {
    let document = document("docs/crates.md");
    let overviews: Vec<Vec<String>> =
        ["registry", "runtime", "proxyconf", "notify", "cli"].map(overview).into();
    let mut faults = Vec::new();
    let blocks = document.blocks("rust");
    assert_eq!(blocks.len(), overviews.len(), "one example a crate");
    for (number, block) in blocks {
        // Every line of it, in this order; lines may be left out.
        let shown = |overview: &Vec<String>| {
            let mut lines = overview.iter();
            block
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .all(|wanted| lines.any(|line| line == wanted))
        };
        if !overviews.iter().any(shown) {
            faults.push(format!("{}: no crate's overview has this example:\n{block}", document.at(number)));
        }
    }
    none(&faults);
}

/// The lines of code that begin so, without comments.
fn lines_of(path: &str, begin: &str) -> Vec<String> {
    let document = document(path);
    let code = document.lines().into_iter().filter_map(|(_, line)| match line {
        Line::Code(_, line) if line.starts_with(begin) => {
            line.split(" #").next().map(|code| code.trim().to_owned())
        }
        _ => None,
    });
    code.collect()
}

#[test]
fn the_readme_in_korean_has_the_same_commands_to_try_it() {
    let english = lines_of("README.md", "cargo xtask");
    assert!(english.len() >= 2, "{english:?}");
    assert_eq!(lines_of("README.ko.md", "cargo xtask"), english);
}
