//! What a service's containers may use: the service's own keys, and those of `deploy.resources.limits`.

use cutover_runtime::Ulimit;
use toml::Value as Toml;

use super::reader::{Read, Reader};
use super::service::Service;
use super::yaml::{Node, Value};

/// Reads `deploy`: its limits are taken, everything else is told.
pub(super) fn deploy(reader: &Reader<'_>, node: &Node, service: &mut Service) -> Read<()> {
    for (key, value) in node.entries() {
        match key.text.as_str() {
            "resources" => resources(reader, value, service)?,
            "replicas" => {
                let problem =
                    "`deploy.replicas` is not taken: a slot has the replicas that cutover.toml says";
                reader.warn(&key.span, problem, "write `replicas = N` there");
            }
            "labels" => {
                let problem = "`deploy.labels` is not taken: they are a Swarm service's";
                reader.warn(&key.span, problem, "write `labels` of the service itself");
            }
            other if other.starts_with("x-") => {}
            other => {
                let problem = format!("`deploy.{other}` is not taken: how releases come and go is cutover's");
                reader.warn(&key.span, problem, "cutover.toml has `soak`, `drain`, `restart` and `replicas`");
            }
        }
    }
    Ok(())
}

fn resources(reader: &Reader<'_>, node: &Node, service: &mut Service) -> Read<()> {
    for (key, value) in node.entries() {
        if key.text != "limits" {
            let problem = format!("`deploy.resources.{}` is not taken", key.text);
            reader.warn(&key.span, problem, "only `limits` are");
            continue;
        }
        for (key, value) in value.entries() {
            match key.text.as_str() {
                "memory" => memory(reader, value, service)?,
                "cpus" => cpus(reader, value, service)?,
                "pids" => pids(reader, value, service)?,
                other => {
                    let problem = format!("the limit `{other}` is not taken");
                    reader.warn(&key.span, problem, "the limits are memory, cpus and pids");
                }
            }
        }
    }
    Ok(())
}

pub(super) fn memory(reader: &Reader<'_>, node: &Node, service: &mut Service) -> Read<()> {
    match reader.bytes(node)? {
        0 => Ok(()),
        bytes => {
            service.take("memory", Toml::String(bytes.to_string()), &node.span);
            Ok(())
        }
    }
}

pub(super) fn cpus(reader: &Reader<'_>, node: &Node, service: &mut Service) -> Read<()> {
    let text = reader.text(node)?.text;
    let cpus = text.trim().parse::<f64>().ok().filter(|cpus| cpus.is_finite() && *cpus >= 0.0);
    let wrong =
        || reader.invalid(&node.span, format!("`{text}` are no processors"), "write a number such as 1.5");
    let cpus = cpus.ok_or_else(wrong)?;
    if cpus > 0.0 {
        service.take("cpus", Toml::Float(cpus), &node.span);
    }
    Ok(())
}

/// 0 and -1 are no limit.
pub(super) fn pids(reader: &Reader<'_>, node: &Node, service: &mut Service) -> Read<()> {
    let pids = reader.integer(node)?;
    if pids > 0 {
        service.take("pids", Toml::Integer(pids), &node.span);
    }
    Ok(())
}

/// `nofile: 1024`, or with `soft` and `hard`.
pub(super) fn ulimits(reader: &Reader<'_>, node: &Node) -> Read<Vec<Ulimit>> {
    let limit = |node: &Node, key: &str| match node.get(key) {
        Some(node) => reader.integer(node),
        None => {
            Err(reader.invalid(&node.span, format!("the limit has no `{key}`"), "write `soft` and `hard`"))
        }
    };
    let each = node.entries().iter().map(|(key, node)| {
        let (soft, hard) = match node.value {
            Value::Map(_) => (limit(node, "soft")?, limit(node, "hard")?),
            _ => {
                let both = reader.integer(node)?;
                (both, both)
            }
        };
        Ok(Ulimit { name: key.text.clone(), soft, hard })
    });
    each.collect()
}
