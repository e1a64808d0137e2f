//! What the command says of itself.

use clap::CommandFactory as _;
use cutover::args::Cli;

use crate::sandbox::{Sandbox, snapshot};

/// Every command that does something, by its words.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, words: &[String], all: &mut Vec<Vec<String>>) {
        all.push(words.to_vec());
        for sub in command.get_subcommands() {
            let words: Vec<String> = words.iter().cloned().chain([sub.get_name().to_owned()]).collect();
            below(sub, &words, all);
        }
    }
    let mut all = Vec::new();
    below(&Cli::command(), &[], &mut all);
    all
}

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    for words in commands() {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        let ran = sandbox.run(&arguments);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        let name = ["help"].into_iter().chain(words.iter().map(String::as_str)).collect::<Vec<_>>().join("-");
        snapshot(&name, &ran.stdout);
    }
}

#[test]
fn the_commands_of_the_contract_are_there() {
    let there: Vec<String> = commands().iter().map(|words| words.join(" ")).collect();
    for command in [
        "plan",
        "deploy",
        "backup",
        "rollback",
        "ship",
        "promote",
        "abort",
        "doctor",
        "status",
        "history",
        "report",
        "logs",
        "notify",
        "nginx render",
        "nginx check",
        "nginx apply",
        "image resolve",
        "image pull",
        "init",
        "config schema",
        "completions",
        "man",
    ] {
        assert!(there.iter().any(|name| name == command), "there is no `{command}`");
    }
}

#[test]
fn the_version_is_the_packages() {
    for arguments in [["--version"].as_slice(), &["-V"], &["deploy", "--version"]] {
        let ran = Sandbox::new().run(arguments);
        assert_eq!(ran.status, Some(0), "{ran}");
        assert!(ran.stdout.trim_end().ends_with(env!("CARGO_PKG_VERSION")), "{ran}");
    }
}

#[test]
fn completions_know_every_command_in_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Sandbox::new().run(&["completions", shell]);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{shell}");
        for words in commands() {
            let name = words.last().map_or("cutover", String::as_str);
            assert!(ran.stdout.contains(name), "{shell} does not complete {name}");
        }
    }
}

#[test]
fn the_manual_page_is_roff_and_tells_the_exit_statuses() {
    let ran = Sandbox::new().run(&["man"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains(".TH cutover 1"), "{}", ran.stdout);
    for words in ["rollback", "Exit status", "7 interrupted"] {
        assert!(ran.stdout.contains(words), "the page has no {words}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    let script = format!("{} completions bash | head -n 1", env!("CARGO_BIN_EXE_cutover"));
    let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
