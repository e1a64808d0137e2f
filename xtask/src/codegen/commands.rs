//! The reference of the commands, in Markdown.

use clap::builder::Str;
use clap::{Arg, ArgAction, Command};

use super::configuration::cell;

/// Every command with its options, from the parser that takes them.
pub(super) fn markdown(command: &Command) -> String {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    let mut text = format!(
        "# Commands\n\n<!-- Written by `cargo xtask codegen`. -->\n\n{}\n\n## Options of every command\n",
        command.get_about().map(ToString::to_string).unwrap_or_default(),
    );
    table(&mut text, command.get_arguments().filter(|arg| arg.is_global_set()));
    if let Some(exits) = command.get_after_help().map(ToString::to_string) {
        exit_statuses(&mut text, &exits);
    }
    for below in command.get_subcommands() {
        section(&mut text, below);
    }
    text
}

fn section(text: &mut String, command: &Command) {
    if command.has_subcommands() {
        for below in command.get_subcommands() {
            section(text, below);
        }
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    text.push_str(&format!("\n## {name}\n\n{about}.\n\n```\n{usage}\n```\n"));
    table(text, command.get_arguments().filter(|arg| !arg.is_global_set()));
}

/// `Exit status: 0 done, 1 a fault` as a list.
fn exit_statuses(text: &mut String, words: &str) {
    let Some(words) = words.strip_prefix("Exit status: ") else { return };
    text.push_str("\n## Exit status\n\n| status | meaning |\n|---|---|\n");
    for (status, meaning) in statuses(words) {
        text.push_str(&format!("| {status} | {} |\n", cell(meaning)));
    }
}

/// A comma before a number starts the next; others belong to the sentence.
fn statuses(words: &str) -> Vec<(&str, &str)> {
    let mut starts = vec![0];
    starts.extend(
        words
            .match_indices(", ")
            .map(|(at, comma)| at + comma.len())
            .filter(|&at| words[at..].starts_with(|first: char| first.is_ascii_digit())),
    );
    let ends = starts.iter().skip(1).map(|&next| next - 2).chain([words.len()]);
    let parts = starts.iter().zip(ends).map(|(&start, end)| &words[start..end]);
    parts.filter_map(|part| part.split_once(' ')).collect()
}

fn table<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let hidden = |arg: &Arg| {
        arg.is_hide_set()
            || matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    };
    let rows: Vec<String> = arguments.filter(|arg| !hidden(arg)).map(row).collect();
    if !rows.is_empty() {
        text.push_str("\n| argument | meaning |\n|---|---|\n");
        text.push_str(&rows.concat());
    }
}

fn row(arg: &Arg) -> String {
    let mut meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
    if !meaning.ends_with('.') {
        meaning.push('.');
    }
    let takes_values = arg.get_num_args().is_some_and(|values| values.takes_values());
    let list = |values: Vec<String>| values.join(", ");
    if takes_values {
        let possible = arg.get_possible_values();
        if !possible.is_empty() {
            let values = possible.iter().map(|value| format!("`{}`", value.get_name())).collect();
            meaning.push_str(&format!(" One of {}.", list(values)));
        }
        let defaults = arg.get_default_values();
        if !defaults.is_empty() {
            let values = defaults.iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
            meaning.push_str(&format!(" Default: {}.", list(values)));
        }
    }
    if let Some(variable) = arg.get_env() {
        meaning.push_str(&format!(" Also by `{}` in the environment.", variable.to_string_lossy()));
    }
    format!("| `{}` | {} |\n", spelling(arg, takes_values), cell(&meaning))
}

fn spelling(arg: &Arg, takes_values: bool) -> String {
    let names = match arg.get_value_names() {
        Some(names) => names.iter().map(Str::as_str).collect(),
        None => vec![arg.get_id().as_str()],
    };
    let values = names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    if arg.is_positional() {
        return if arg.is_required_set() { values } else { values.replace('<', "[").replace('>', "]") };
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long().map(|long| format!("--{long}"));
    let mut spelling = short.into_iter().chain(long).collect::<Vec<_>>().join(", ");
    if takes_values {
        spelling.push_str(&format!(" {values}"));
    }
    spelling
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_an_exit_status_is_no_other_status() {
        let words = "0 done, or nothing to do, 3 engine, nginx or registry cannot be reached, 7 interrupted";
        let wanted = [
            ("0", "done, or nothing to do"),
            ("3", "engine, nginx or registry cannot be reached"),
            ("7", "interrupted"),
        ];
        assert_eq!(statuses(words), wanted);
    }

    #[test]
    fn an_argument_is_spelled_as_it_is_typed() {
        let of = |arg: Arg| {
            let mut command = Command::new("x").arg(arg);
            command.build();
            let arg = command.get_arguments().next().unwrap();
            spelling(arg, arg.get_num_args().is_some_and(|values| values.takes_values()))
        };
        assert_eq!(of(Arg::new("tail").short('n').long("tail")), "-n, --tail <tail>");
        assert_eq!(of(Arg::new("wait").long("wait").action(ArgAction::SetTrue)), "--wait");
        assert_eq!(of(Arg::new("APP")), "[APP]");
        assert_eq!(of(Arg::new("REF").required(true)), "<REF>");
    }
}
