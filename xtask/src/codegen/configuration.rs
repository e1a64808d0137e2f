//! The reference of `cutover.toml`, in Markdown, from its JSON schema.

use std::collections::BTreeMap;

use serde_json::Value;

/// A section for each table of the file, a row for each key.
pub(super) fn markdown(schema: &Value) -> String {
    let mut uses = BTreeMap::new();
    count(schema, &mut uses);
    let mut reference = Reference { schema, uses, shared: Vec::new(), text: String::new() };
    reference.text.push_str("# cutover.toml\n\n<!-- Written by `cargo xtask codegen`. -->\n\n");
    reference.text.push_str(&format!("{}\n", description(schema)));
    reference.rows(schema, &[]);
    reference.tables(schema, &[]);
    let mut done = 0;
    // A shared table may name further ones.
    while let Some(name) = reference.shared.get(done).cloned() {
        reference.section(&name, definition(schema, &name), &[]);
        done += 1;
    }
    reference.text
}

/// Text for a cell of a table.
pub(super) fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

struct Reference<'a> {
    schema: &'a Value,
    /// How often each definition is named.
    uses: BTreeMap<String, usize>,
    /// The tables that stand at several places, told once.
    shared: Vec<String>,
    text: String,
}

impl Reference<'_> {
    fn section(&mut self, title: &str, table: &Value, path: &[String]) {
        self.text.push_str(&format!("\n## {title}\n\n{}\n", description(table)));
        self.rows(table, path);
        self.tables(table, path);
    }

    fn rows(&mut self, table: &Value, path: &[String]) {
        self.text.push_str("\n| key | type | default | meaning |\n|---|---|---|---|\n");
        let required: Vec<&str> = strings(&table["required"]);
        for (key, value) in properties(table) {
            let kind = self.kind(value, &below(path, key));
            let default = match &value["default"] {
                _ if required.contains(&key.as_str()) => "required".to_owned(),
                Value::Null => String::new(),
                default => format!("`{default}`"),
            };
            let meaning = cell(description(value));
            self.text.push_str(&format!("| `{key}` | {} | {} | {meaning} |\n", cell(&kind), cell(&default)));
        }
    }

    /// The sections of the tables below a table.
    fn tables(&mut self, table: &Value, path: &[String]) {
        for (key, value) in properties(table) {
            let path = below(path, key);
            let (value, path) = match value.get("additionalProperties") {
                Some(inner) if inner.is_object() => (inner, below(&path, "NAME")),
                _ => (value, path),
            };
            if let Some(name) = self.own_table(value) {
                let inner = definition(self.schema, &name);
                self.section(&header(&path), inner, &path);
            }
        }
    }

    /// The definition of a table that stands here and nowhere else.
    fn own_table(&self, value: &Value) -> Option<String> {
        let name = reference(value)?;
        let is_table = definition(self.schema, &name)["properties"].is_object();
        (is_table && self.uses.get(&name) == Some(&1)).then_some(name)
    }

    /// The type in words; a table is linked to its section.
    fn kind(&mut self, value: &Value, path: &[String]) -> String {
        any_of(&self.kinds(value, path))
    }

    /// The types that a value may have.
    fn kinds(&mut self, value: &Value, path: &[String]) -> Vec<String> {
        if let Some(name) = reference(value) {
            return self.named(value, &name, path);
        }
        for choice in ["anyOf", "oneOf"] {
            let choices = array(&value[choice]);
            if !choices.is_empty() {
                return choices.iter().flat_map(|choice| self.kinds(choice, path)).collect();
            }
        }
        if !value["const"].is_null() {
            return vec![format!("`{}`", value["const"])];
        }
        let kinds = match &value["type"] {
            Value::String(kind) => vec![kind.as_str()],
            kinds => strings(kinds),
        };
        // What may be null in the schema may be left out of the file.
        let kinds = kinds.into_iter().filter(|kind| *kind != "null");
        kinds.map(|kind| self.plain(kind, value, path)).collect()
    }

    /// The type of a value that a definition describes.
    fn named(&mut self, value: &Value, name: &str, path: &[String]) -> Vec<String> {
        if self.own_table(value).is_some() {
            return vec![format!("[table](#{})", anchor(&header(path)))];
        }
        let inner = definition(self.schema, name);
        if !inner["properties"].is_object() {
            return self.kinds(inner, path);
        }
        if !self.shared.iter().any(|shared| shared == name) {
            self.shared.push(name.to_owned());
        }
        vec![format!("[{name}](#{})", anchor(name))]
    }

    fn plain(&mut self, kind: &str, value: &Value, path: &[String]) -> String {
        match kind {
            "array" => format!("list of {}", plural(&self.kind(&value["items"], path))),
            "object" => {
                let inner = self.kind(&value["additionalProperties"], &below(path, "NAME"));
                format!("table of {}", plural(&inner))
            }
            "integer" => match (value["minimum"].as_u64(), value["maximum"].as_u64()) {
                (Some(least), Some(most)) => format!("integer, {least} to {most}"),
                (Some(least), None) if least > 0 => format!("integer, from {least}"),
                _ => "integer".to_owned(),
            },
            kind => kind.to_owned(),
        }
    }
}

/// How often each definition is named in the schema.
fn count(value: &Value, uses: &mut BTreeMap<String, usize>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(to)) = object.get("$ref") {
                *uses.entry(last(to).to_owned()).or_default() += 1;
            }
            object.values().for_each(|value| count(value, uses));
        }
        Value::Array(values) => values.iter().for_each(|value| count(value, uses)),
        _ => {}
    }
}

/// The definition that a value is of, also when the value may be left out.
fn reference(value: &Value) -> Option<String> {
    if let Some(to) = value["$ref"].as_str() {
        return Some(last(to).to_owned());
    }
    let mut choices = array(&value["anyOf"]).iter().filter(|kind| kind["type"] != "null");
    match (choices.next(), choices.next()) {
        (Some(only), None) => reference(only),
        _ => None,
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn definition<'a>(schema: &'a Value, name: &str) -> &'a Value {
    &schema["$defs"][name]
}

fn description(value: &Value) -> &str {
    value["description"].as_str().unwrap_or_default()
}

fn properties(table: &Value) -> impl Iterator<Item = (&String, &Value)> {
    table["properties"].as_object().into_iter().flatten()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    array(value).iter().filter_map(Value::as_str).collect()
}

fn any_of(kinds: &[String]) -> String {
    match kinds {
        [] => "any".to_owned(),
        [kind] => kind.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Several of a type that is one word.
fn plural(kind: &str) -> String {
    let is_word = kind.chars().all(char::is_alphabetic);
    if is_word { format!("{kind}s") } else { kind.to_owned() }
}

fn below(path: &[String], key: &str) -> Vec<String> {
    [path, &[key.to_owned()]].concat()
}

/// `[apps.NAME.health]`.
fn header(path: &[String]) -> String {
    format!("[{}]", path.join("."))
}

/// The anchor that Markdown gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
