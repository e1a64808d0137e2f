//! The services of a compose file at a glance: enough to say which of them an app may be.

use std::num::NonZeroU16;

use super::yaml::{self, Node, Value};

/// A service at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Its name.
    pub name: String,
    /// Its image, where it is written out.
    pub image: Option<String>,
    /// The context that it is built from, as it is written.
    pub context: Option<String>,
    /// The ports of its container, of `ports` and `expose`, each once.
    pub ports: Vec<NonZeroU16>,
}

/// The services of a text, in their order. What cannot be understood is passed over.
#[must_use]
pub fn glance(text: &str) -> Vec<Glance> {
    let Ok(root) = yaml::parse(text) else { return Vec::new() };
    let services = root.get("services").map(Node::entries).unwrap_or_default();
    services.iter().map(|(name, service)| of(&name.text, service)).collect()
}

fn of(name: &str, service: &Node) -> Glance {
    let context =
        service.get("build").and_then(|build| written(build).or_else(|| written(build.get("context")?)));
    let mut ports = Vec::new();
    for port in ["ports", "expose"].iter().filter_map(|key| service.get(key)).flat_map(list).filter_map(port)
    {
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    let image = service.get("image").and_then(written);
    Glance { name: name.to_owned(), image, context, ports }
}

/// A text without variables.
fn written(node: &Node) -> Option<String> {
    match &node.value {
        Value::Text { text, .. } if !text.contains('$') => Some(text.clone()),
        _ => None,
    }
}

fn list(node: &Node) -> &[Node] {
    if let Value::List(nodes) = &node.value { nodes } else { &[] }
}

/// The container's port of `80`, `"8080:80"`, `"127.0.0.1:8080:80/tcp"` or `{ target: 80 }`; none of UDP.
fn port(node: &Node) -> Option<NonZeroU16> {
    let text = written(node).or_else(|| {
        let protocol = node.get("protocol").and_then(written).unwrap_or_else(|| "tcp".to_owned());
        Some(format!("{}/{protocol}", written(node.get("target")?)?))
    })?;
    let (ports, protocol) = text.split_once('/').unwrap_or((&text, "tcp"));
    let inside = ports.rsplit_once(':').map_or(ports, |(_, inside)| inside);
    inside.parse().ok().filter(|_| protocol == "tcp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_seen_with_what_they_are_built_from_and_the_ports_inside() {
        let text = "services:\n  web:\n    build: .\n    ports: [\"127.0.0.1:80:3000/tcp\", \"3000\", \"53:53/udp\", \"${P}:1\"]\n  \
                    api:\n    build: { context: ./api }\n    image: acme/api:${TAG}\n    ports: [{ target: 8080 }]\n    expose: [9090]\n  \
                    db:\n    image: postgres:16\n";
        let seen = glance(text);
        let ports = |at: usize| seen[at].ports.iter().map(|port| port.get()).collect::<Vec<_>>();
        assert_eq!(
            seen.iter().map(|service| service.name.as_str()).collect::<Vec<_>>(),
            ["web", "api", "db"]
        );
        assert_eq!((seen[0].context.as_deref(), ports(0)), (Some("."), vec![3000]));
        assert_eq!(
            (seen[1].context.as_deref(), ports(1), &seen[1].image),
            (Some("./api"), vec![8080, 9090], &None)
        );
        assert_eq!((seen[2].image.as_deref(), ports(2)), (Some("postgres:16"), vec![]));
    }

    #[test]
    fn what_is_no_compose_file_has_no_services() {
        for text in ["", "services:", "services: [web]", "web: {}", "services: {web: }\n\t", "a: &a [*a]"] {
            assert!(glance(text).iter().all(|service| service.ports.is_empty()), "{text}");
        }
    }
}
