//! Compose files: what a service of one says of an app, by the Compose specification.
//!
//! [`read`] is pure: given a text and a way to look variables up it makes a [`Service`]. Its [keys](Service::keys) are those
//! of an app's table; they count where the table of `cutover.toml` says nothing, so that what is written there wins,
//! key by key, and everything else (defaults, checks, errors with their place) is as if they had been written there.
//!
//! Nothing is dropped in silence: what a container of cutover's cannot have is a [warning](Service::warnings) at its place,
//! and an error where the app would not be what it is under Compose.

pub(crate) mod dotenv;
mod environment;
mod fill;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;
mod glance;
mod health;
mod interpolate;
mod keys;
mod limits;
mod networks;
mod project;
mod reader;
mod service;
mod told;
mod volumes;
mod words;
mod yaml;

use std::path::Path;

pub(crate) use self::fill::fill;
pub use self::glance::{Glance, glance};
pub use self::project::Project;
use self::reader::Reader;
pub use self::service::{Container, EnvFile, Joined, Service, Taken, Variable};
use self::yaml::{Node, Value};
use crate::config::{Invalid, Source};

/// Whether nobody is to see the values of a key of this name: a slip of `environment` too.
fn is_secretive(name: &str) -> bool {
    matches!(name, "secrets" | "args") || (name.starts_with("env") && !name.starts_with("env_file"))
}

/// Reads a service of a compose file. `path` is the file, whose folder relative paths in it start from; `lookup` tells the
/// variables of cutover's environment and of `.env`.
///
/// # Errors
/// What is wrong or cannot be had, with line and column.
pub fn read(
    path: &Path,
    text: &str,
    service: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<Service, Invalid> {
    let root = yaml::parse(text).map_err(|broken| {
        let source = Source::masked(path, &veiled(text));
        source.invalid(broken.span, broken.problem, Some(broken.mend))
    })?;
    let source = Source::masked(path, &masked(text, &root));
    let reader = Reader::new(source, lookup);
    if let Some((key, _)) = root.entry("include") {
        let mend = "write the services into one file: `docker compose config` prints them so";
        return Err(reader.invalid(&key.span, "`include` is not supported", mend));
    }
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    let Some((key, node)) = services.iter().find(|(key, _)| key.text == service) else {
        let there = services.iter().map(|(key, _)| key.text.as_str()).collect::<Vec<_>>().join(", ");
        let span = root.entry("services").map_or(0..0, |(key, _)| key.span.clone());
        let mend = if there.is_empty() {
            "name a service of the file".to_owned()
        } else {
            format!("the services here are {there}")
        };
        return Err(reader.invalid(&span, format!("there is no service `{service}`"), &mend));
    };
    let project = Project::of(&reader, &root, path, lookup)?;
    keys::read(reader, &root, key, node, &project)
}

/// The text with what may be a secret as `*`, each byte where it was.
fn masked(text: &str, root: &Node) -> String {
    let mut bytes = text.as_bytes().to_vec();
    mask(root, false, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

fn mask(node: &Node, secret: bool, bytes: &mut [u8]) {
    match &node.value {
        Value::Text { .. } if secret => blot(bytes.get_mut(node.span.clone()).unwrap_or_default()),
        Value::Null | Value::Text { .. } => {}
        Value::List(items) => items.iter().for_each(|item| mask(item, secret, bytes)),
        Value::Map(entries) => {
            for (key, value) in entries {
                mask(value, secret || is_secretive(&key.text), bytes);
            }
        }
    }
}

/// The same of a text that is no tree, and might hold a secret anywhere behind a colon or an equals sign.
fn veiled(text: &str) -> String {
    let veil = |line: &str| {
        let mut bytes = line.as_bytes().to_vec();
        let from = line.find([':', '=']).map_or(line.len(), |at| at + 1);
        blot(bytes.get_mut(from..).unwrap_or_default());
        String::from_utf8(bytes).unwrap_or_default()
    };
    text.split('\n').map(veil).collect::<Vec<_>>().join("\n")
}

fn blot(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| !b"\"'\r\n ".contains(byte)) {
        *byte = b'*';
    }
}
