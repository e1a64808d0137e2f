use serde_json::json;

use super::*;

fn text(files: &Files, path: &str) -> String {
    let file = files.get(Path::new(path)).unwrap_or_else(|| panic!("{path} is not generated"));
    String::from_utf8(file.clone()).unwrap()
}

#[test]
fn every_command_has_a_section_and_a_manual_page() {
    let files = files().unwrap();
    let reference = text(&files, "commands.md");
    for name in ["deploy", "rollback", "nginx render", "image resolve", "config schema", "completions", "man"]
    {
        assert!(reference.contains(&format!("\n## cutover {name}\n")), "{name}:\n{reference}");
        let page = text(&files, &format!("man/cutover-{}.1", name.replace(' ', "-")));
        assert!(page.contains(".SH NAME"), "{page}");
    }
    for row in [
        "| `-c, --config <FILE>` | The configuration. Default: `cutover.toml`. Also by `CUTOVER_CONFIG` in the environment. |",
        "| `[APP]` | The app; may be left out when the file has one. |",
        "| `--to <RELEASE>` |",
        "```\ncutover rollback [OPTIONS] [APP]\n```",
        "| 7 | interrupted |",
    ] {
        assert!(reference.contains(row), "{row}:\n{reference}");
    }
    assert!(!reference.contains("--help"), "{reference}");
}

#[test]
fn every_key_of_the_file_is_in_the_reference() {
    let files = files().unwrap();
    let reference = text(&files, "configuration.md");
    let schema = cutover::config::schema();
    let tables = schema["$defs"].as_object().unwrap().values().chain([&schema]);
    for key in tables.filter_map(|table| table["properties"].as_object()).flat_map(|keys| keys.keys()) {
        assert!(reference.contains(&format!("\n| `{key}` | ")), "{key}:\n{reference}");
    }
    for section in ["[apps.NAME]", "[apps.NAME.health]", "[registry.NAME]", "[notify.slack]", "[proxy.nginx]"]
    {
        assert!(reference.contains(&format!("\n## {section}\n")), "{section}:\n{reference}");
    }
}

#[test]
fn completions_know_the_commands() {
    let files = files().unwrap();
    for path in ["completions/bash/cutover", "completions/zsh/_cutover", "completions/fish/cutover.fish"] {
        let script = text(&files, path);
        assert!(script.contains("rollback") && script.contains("no-promote"), "{path}");
    }
}

#[test]
fn types_and_defaults_are_told_in_words() {
    let schema = json!({
        "description": "A file.",
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "description": "A | name." },
            "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 9, "default": 3 },
            "way": { "anyOf": [{ "$ref": "#/$defs/Way" }, { "type": "null" }] },
            "secret": { "$ref": "#/$defs/Secret" },
            "value": { "anyOf": [{ "type": ["string", "boolean"] }, { "$ref": "#/$defs/Secret" }] },
            "env": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Secret" } },
            "inner": { "$ref": "#/$defs/Inner", "description": "Below." },
        },
        "$defs": {
            "Way": { "oneOf": [{ "const": "up", "type": "string" }, { "const": "down", "type": "string" }] },
            "Secret": { "properties": { "file": { "type": "array", "items": { "type": "string" } } } },
            "Inner": { "description": "Inside.", "properties": { "on": { "type": "boolean" } } },
        }
    });
    let text = configuration::markdown(&schema);
    for line in [
        "| `name` | string | required | A \\| name. |",
        "| `count` | integer, 1 to 9 | `3` |  |",
        "| `way` | `\"up\"` or `\"down\"` |  |  |",
        "| `secret` | [Secret](#secret) |  |  |",
        "| `value` | string, boolean or [Secret](#secret) |  |  |",
        "| `env` | table of [Secret](#secret) |  |  |",
        "| `inner` | [table](#inner) |  | Below. |",
        "## [inner]\n\nInside.\n",
        "| `file` | list of strings |  |  |",
    ] {
        assert!(text.contains(line), "{line}:\n{text}");
    }
    assert_eq!(text.matches("## Secret").count(), 1, "{text}");
}

#[test]
fn what_is_missing_changed_or_left_over_is_stale() {
    let files = |files: &[(&str, &str)]| -> Files {
        files.iter().map(|(path, text)| (PathBuf::from(path), text.as_bytes().to_vec())).collect()
    };
    let wanted = files(&[("a", "1"), ("b", "2"), ("man/c.1", "3")]);
    assert_eq!(stale(&wanted, &wanted), Vec::<PathBuf>::new());
    let there = files(&[("a", "1"), ("b", "x"), ("man/old.1", "4")]);
    assert_eq!(stale(&wanted, &there), ["b", "man/c.1", "man/old.1"].map(PathBuf::from));
}
