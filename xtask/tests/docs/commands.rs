//! Commands of cutover that a document shows are there.

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};
use cutover::args::Cli;

use crate::markdown::{Line, documents, spans};
use crate::none;

/// A value, mostly an image, that a document leaves to its reader.
const STAND_IN: &str = "ghcr.io/acme/web:1";

/// The command lines of cutover in a line of shell: what begins with its name, without comments and redirections.
fn of_shell(line: &str) -> Vec<Vec<String>> {
    let line = line.strip_prefix("$ ").unwrap_or(line);
    let code = line.split(" #").next().unwrap_or_default();
    let single = code.split("&&").flat_map(|part| part.split("||")).flat_map(|part| part.split([';', '|']));
    let lines = single.map(|part| {
        let words = part.split_whitespace().take_while(|word| !word.starts_with(['>', '<']) && *word != "\\");
        words.map(word).collect::<Vec<_>>()
    });
    lines.filter(|words| words.first().is_some_and(|word| word == "cutover")).collect()
}

/// What a step of a workflow runs, with its expressions as one word each.
fn step(line: &str) -> String {
    let run = line.trim_start().trim_start_matches("- ").strip_prefix("run: ").unwrap_or_default();
    let mut parts = run.split("${{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |run, part| format!("{run}${}", part.split_once("}}").map_or(part, |(_, rest)| rest)))
}

/// A word without its quotes; where only the reader knows what it is, something that stands in for it.
fn word(word: &str) -> String {
    if word.contains(['$', '…']) {
        return STAND_IN.to_owned();
    }
    word.trim_matches(['"', '\'']).to_owned()
}

#[test]
fn every_command_line_of_cutover_that_a_document_shows_is_one() {
    let (mut faults, mut seen) = (Vec::new(), 0);
    // The reference is written from the very definition that it would be held to.
    for document in documents().iter().filter(|document| !document.path.starts_with("docs/reference")) {
        for (number, line) in document.lines() {
            let line = match line {
                Line::Code("" | "sh" | "console", line) => line.to_owned(),
                Line::Code("yaml" | "yml", line) => step(line),
                _ => continue,
            };
            for words in of_shell(&line) {
                seen += 1;
                let Err(error) = Cli::try_parse_from(&words) else { continue };
                // What stands in for a value that only the reader knows may be none of those allowed.
                let stands_in = words.iter().any(|word| word == STAND_IN);
                if !(stands_in
                    && matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation))
                {
                    let why = error.to_string();
                    let why = why.lines().next().unwrap_or_default();
                    faults.push(format!("{}: `{}`: {why}", document.at(number), words.join(" ")));
                }
            }
        }
    }
    none(&faults);
    assert!(seen > 20, "only {seen} command lines were found");
}

/// What is wrong with a command as prose names it: it may leave out arguments, and put words in capitals for them.
fn fault(span: &str) -> Option<String> {
    let mut command = &Cli::command();
    let mut path = true;
    for word in span.split_whitespace().skip(1).map(|word| word.trim_matches(['[', ']', '…'])) {
        if let Some(long) = word.strip_prefix("--") {
            let long = long.split('=').next().unwrap_or_default();
            let root = Cli::command();
            let mut known = command.get_arguments().chain(root.get_arguments());
            if !known.any(|argument| argument.get_long() == Some(long)) && !matches!(long, "help" | "version")
            {
                return Some(format!("no --{long}"));
            }
            path = false;
        } else if path && word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.is_empty() {
            match command.find_subcommand(word) {
                Some(found) => command = found,
                // An app's name, once the command is whole.
                None if command.has_subcommands() => return Some(format!("no command {word}")),
                None => path = false,
            }
        } else {
            path = false;
        }
    }
    None
}

#[test]
fn every_command_of_cutover_that_a_document_names_is_one() {
    let mut faults = Vec::new();
    for document in documents() {
        for (number, line) in document.lines() {
            let Line::Prose(line) = line else { continue };
            for span in spans(line).0.into_iter().filter(|span| span.starts_with("cutover ")) {
                faults.extend(fault(span).map(|why| format!("{}: `{span}`: {why}", document.at(number))));
            }
        }
    }
    none(&faults);
}

#[test]
fn command_lines_are_read_as_a_shell_reads_them() {
    assert_eq!(
        of_shell("$ cutover plan && cutover ship --image \"$image\" >x  # both"),
        [vec!["cutover", "plan"], vec!["cutover", "ship", "--image", "ghcr.io/acme/web:1"]]
    );
    assert!(of_shell("cargo install cutover").is_empty());
    assert_eq!(step("    - run: cutover ship --image web:${{ github.sha }}"), "cutover ship --image web:$");
    assert_eq!(step("  uses: actions/checkout@v4"), "");
    assert_eq!(fault("cutover nginx render"), None);
    assert_eq!(fault("cutover deploy --image REF web"), None);
    assert_eq!(fault("cutover rollback [--to RELEASE]"), None);
    assert_eq!(fault("cutover nginx reload").unwrap(), "no command reload");
    assert_eq!(fault("cutover deploy --force").unwrap(), "no --force");
}
