//! The networks that a service is on.

use super::project::Project;
use super::reader::{Read, Reader};
use super::service::Joined;
use super::yaml::{Node, Value};

/// What of a place on a network is not taken.
const NOT_TAKEN: [&str; 7] = [
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "mac_address",
    "driver_opts",
    "gw_priority",
    "interface_name",
];

/// The networks of a service, by the names that the engine knows them by. On each the service's own name is an alias, as
/// under Compose. One that names none is on the project's default.
pub(super) fn read(
    reader: &Reader<'_>,
    service: &str,
    node: Option<&Node>,
    root: &Node,
    project: &Project,
) -> Read<Vec<Joined>> {
    let there = root.get("networks");
    let named = match node {
        Some(Node { value: Value::Map(entries), .. }) => {
            entries.iter().map(|(key, at)| (key.text.clone(), key.span.clone(), Some(at))).collect()
        }
        Some(node) if !node.is_null() => {
            reader.list(node)?.into_iter().map(|text| (text.text, text.span, None)).collect()
        }
        _ => vec![("default".to_owned(), 0..0, None)],
    };
    let mut joined = Vec::new();
    for (name, span, at) in named {
        let declared = there.and_then(|networks| networks.get(&name));
        let network = match declared {
            Some(network) => real_name(reader, &name, network, project)?,
            None if name == "default" => project.own(&name),
            None => {
                let problem = format!("there is no network `{name}` at the top of the file");
                return Err(reader.invalid(&span, problem, "add it to the file's own `networks`"));
            }
        };
        let mut aliases = vec![service.to_owned()];
        if let Some(more) = at.and_then(|at| at.get("aliases")) {
            aliases.extend(reader.texts(more)?);
            aliases.dedup();
        }
        for (key, _) in at.map(Node::entries).unwrap_or_default() {
            if NOT_TAKEN.contains(&key.text.as_str()) {
                let problem = format!("`{}` is not taken: two slots cannot have one address", key.text);
                reader.warn(&key.span, problem, "others reach the app by its aliases, nginx by `slots`");
            }
        }
        joined.push(Joined { network, aliases, span });
    }
    Ok(joined)
}

/// The name by which the engine knows a volume or network: `name`, that of an external one, or with the project's before it.
pub(super) fn real_name(reader: &Reader<'_>, name: &str, node: &Node, project: &Project) -> Read<String> {
    let given = node.get("name").map(|node| reader.text(node)).transpose()?;
    if let Some(given) = given {
        return Ok(given.text);
    }
    match node.get("external") {
        None => Ok(project.own(name)),
        Some(external) => match external.get("name") {
            Some(given) => Ok(reader.text(given)?.text),
            None if matches!(external.value, Value::Map(_)) || reader.truth(external)? => Ok(name.to_owned()),
            None => Ok(project.own(name)),
        },
    }
}
