//! The outline of a file: where each of its keys and values stands, and which of them nobody is to see.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys by which a secret says where it comes from.
const SOURCES: [&str; 3] = ["env", "file", "command"];

/// The keys of `[notify.webhook]` that are no secret, though the table's name says so.
const TOLD: [&str; 2] = ["on", "timeout"];

/// What the name of a key has in it whose value nobody is to see.
const TELLING: [&str; 9] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "webhook",
    "credential",
    "private_key",
    "access_key",
];

/// What a variable's name has in it besides: there are more names for a secret than keys of ours.
const TELLING_OF_ENV: [&str; 6] = ["key", "pass", "pwd", "auth", "dsn", "salt"];

/// A file's keys and values with their places, as far as it is TOML.
pub(super) struct Outline<'t> {
    root: DeTable<'t>,
}

impl<'t> Outline<'t> {
    /// The outline of this text.
    pub(super) fn of(text: &'t str) -> Self {
        Self { root: DeTable::parse_recoverable(text).0.into_inner() }
    }

    /// The outline of what was parsed already.
    pub(super) fn new(root: DeTable<'t>) -> Self {
        Self { root }
    }

    /// The bytes of the value at this path of keys; those of the nearest table above it where it is not written.
    pub(super) fn place(&self, path: &[&str]) -> Range<usize> {
        let mut span = 0..0;
        let mut table = Some(&self.root);
        for name in path {
            let Some((key, value)) = table.and_then(|table| entry(table, name)) else { break };
            table = value.get_ref().as_table();
            // A table's own span may be many lines: its name is the place to look at.
            span = if table.is_some() { key } else { value.span() };
        }
        span
    }

    /// The bytes of the key at the end of this path.
    pub(super) fn key(&self, path: &[&str]) -> Range<usize> {
        let (last, above) = path.split_last().unwrap_or((&"", &[]));
        let table = self.value(above).and_then(DeValue::as_table);
        table.and_then(|table| entry(table, last)).map_or_else(|| self.place(path), |(key, _)| key)
    }

    /// The bytes of this element of the list at the path, or of the list.
    pub(super) fn element(&self, path: &[&str], text: &str) -> Range<usize> {
        let element = self.value(path).and_then(DeValue::as_array).and_then(|list| {
            list.iter().find(|element| element.get_ref().as_str() == Some(text)).map(Spanned::span)
        });
        element.unwrap_or_else(|| self.place(path))
    }

    fn value(&self, path: &[&str]) -> Option<&DeValue<'t>> {
        let (last, tables) = path.split_last()?;
        let mut table = &self.root;
        for name in tables {
            table = entry(table, name)?.1.get_ref().as_table()?;
        }
        Some(entry(table, last)?.1.get_ref())
    }

    /// The bytes of what may be a secret, written where its source should be named.
    pub(super) fn exposed(&self) -> Vec<Range<usize>> {
        let mut exposed = Vec::new();
        expose(&self.root, "", false, &mut exposed);
        exposed
    }
}

/// `within` is the table's own name, `secret` whether it should name a secret's source.
fn expose(table: &DeTable<'_>, within: &str, secret: bool, exposed: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        let name = key.get_ref().to_ascii_lowercase();
        let of_env = within == "env" && TELLING_OF_ENV.iter().any(|part| name.contains(part));
        let telling = of_env || TELLING.iter().any(|part| name.contains(part));
        match value.get_ref().as_table() {
            // Each table in `env` names a secret's source, whatever the variable is called.
            Some(below) => expose(below, &name, secret || telling || within == "env", exposed),
            None if within == "webhook" && TOLD.contains(&name.as_str()) => {}
            None if telling || (secret && !SOURCES.contains(&name.as_str())) => exposed.push(value.span()),
            None => {}
        }
    }
}

fn entry<'a, 't>(table: &'a DeTable<'t>, name: &str) -> Option<(Range<usize>, &'a Spanned<DeValue<'t>>)> {
    let found = table.iter().find(|(key, _)| key.get_ref() == name);
    found.map(|(key, value)| (key.span(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[apps.web]\nport = 80\nsite = { listen = [\"80\", \"81\"] }\n";

    #[test]
    fn a_value_is_found_where_it_stands_and_else_the_table_it_belongs_to() {
        let outline = Outline::of(TEXT);
        let at = |path: &[&str]| &TEXT[outline.place(path)];
        assert_eq!(at(&["apps", "web", "port"]), "80");
        assert_eq!(at(&["apps", "web", "image"]), "web");
        assert_eq!(at(&["apps", "web", "site", "extra"]), "site");
        assert_eq!(at(&["proxy", "control"]), "");
        assert_eq!(&TEXT[outline.key(&["apps", "web", "port"])], "port");
        assert_eq!(&TEXT[outline.element(&["apps", "web", "site", "listen"], "81")], "\"81\"");
    }

    #[test]
    fn what_stands_in_the_place_of_a_secrets_source_is_exposed() {
        let text = "[registry.a]\npassword = \"one\"\n[notify.slack]\nwebhook = { value = \"two\", env = \"W\" }\n\
                    [apps.web.env]\nA = \"plain\"\nB = { text = \"three\" }\n[registry.b]\npassword = \"unclosed\n";
        let exposed: Vec<&str> = Outline::of(text).exposed().into_iter().map(|span| &text[span]).collect();
        assert_eq!(exposed, ["\"three\"", "\"two\"", "\"one\"", "\"unclosed"]);
    }
}
