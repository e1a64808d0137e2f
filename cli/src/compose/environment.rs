//! What surrounds a service's process: its variables, the files of them, and the names of hosts.

use std::collections::BTreeMap;

use super::project::Project;
use super::reader::{Pair, Read, Reader};
use super::service::{EnvFile, Variable};
use super::yaml::{Node, Value};

pub(super) fn texts_by_name(reader: &Reader<'_>, node: &Node) -> Read<BTreeMap<String, String>> {
    let pairs = reader.pairs(node)?.into_iter();
    Ok(pairs
        .map(|Pair { name, value, .. }| (name, value.map(|text| text.text).unwrap_or_default()))
        .collect())
}

pub(super) fn environment(reader: &Reader<'_>, node: &Node) -> Read<BTreeMap<String, Variable>> {
    let mut environment = BTreeMap::new();
    for Pair { name, value, span } in reader.pairs(node)? {
        let variable = match value {
            Some(text) => Some(Variable { value: text.text.into(), secret: text.variable }),
            // A name alone is passed on from where cutover runs, if it is set there.
            None => reader.lookup(&name).map(|value| Variable { value: value.into(), secret: true }),
        };
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(reader.invalid(&span, "this is no name of a variable", "write a name without `=`"));
        }
        environment.extend(variable.map(|variable| (name, variable)));
    }
    Ok(environment)
}

pub(super) fn env_files(reader: &Reader<'_>, node: &Node, project: &Project) -> Read<Vec<EnvFile>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let file = |item: &Node| {
        let named = match &item.value {
            Value::Map(_) => item
                .get("path")
                .ok_or_else(|| reader.invalid(&item.span, "the file has no path", "add `path: FILE`"))?,
            _ => item,
        };
        let required = item.get("required").map(|node| reader.truth(node)).transpose()?.unwrap_or(true);
        let format = item.get("format").map(|node| reader.text(node)).transpose()?;
        let path = project.path(&reader.text(named)?.text);
        let raw = format.is_some_and(|format| format.text == "raw");
        Ok(EnvFile { path, required, raw, span: named.span.clone() })
    };
    items.iter().map(file).collect()
}

/// `name:address` or `name=address`, as a list or by name.
pub(super) fn extra_hosts(reader: &Reader<'_>, node: &Node) -> Read<Vec<String>> {
    let Value::Map(entries) = &node.value else {
        let hosts = reader.texts(node)?.into_iter();
        return Ok(hosts.map(|host| host.replacen('=', ":", 1)).collect());
    };
    let mut hosts = Vec::new();
    for (key, addresses) in entries {
        let addresses = reader.one_or_many(addresses)?;
        hosts.extend(addresses.into_iter().map(|address| format!("{}:{}", key.text, address.text)));
    }
    Ok(hosts)
}
