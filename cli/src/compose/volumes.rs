//! What is mounted into a service's containers.

use super::project::Project;
use super::reader::{Read, Reader, Text};
use super::service::Service;
use super::yaml::{Node, Value};

/// Reads `volumes` of a service, in both forms; the volumes of the short form that an app's table takes.
pub(super) fn read(
    reader: &Reader<'_>,
    node: &Node,
    root: &Node,
    project: &Project,
    service: &mut Service,
) -> Read<Vec<String>> {
    let Value::List(items) = &node.value else { return reader.texts(node) };
    let mut volumes = Vec::new();
    for item in items {
        match &item.value {
            Value::Map(_) => volumes.extend(long(reader, item, root, project, service)?),
            _ => volumes.extend(short(reader, &reader.text(item)?, root, project)?),
        }
    }
    Ok(volumes)
}

/// `SOURCE:TARGET:MODE`.
fn short(reader: &Reader<'_>, text: &Text, root: &Node, project: &Project) -> Read<Option<String>> {
    let mut parts = text.text.split(':');
    let (Some(source), Some(target)) = (parts.next(), parts.next()) else {
        let mend = "give it a name, such as `cache:/cache`, if its contents are to be kept";
        reader.warn(&text.span, format!("the volume without a name `{}` is not taken", text.text), mend);
        return Ok(None);
    };
    let mut read_only = false;
    for mode in parts.flat_map(|modes| modes.split(',')) {
        match mode {
            "ro" => read_only = true,
            "rw" | "" | "cached" | "delegated" | "consistent" => {}
            "nocopy" | "z" | "Z" | "rshared" | "rslave" | "rprivate" | "shared" | "slave" | "private" => {
                let problem = format!("the mode `{mode}` of a volume is not taken");
                reader.warn(&text.span, problem, "a volume is mounted for reading and writing, or `ro`");
            }
            mode => {
                let problem = format!("`{mode}` is no mode of a volume");
                return Err(reader.invalid(&text.span, problem, "write `ro`, or leave it out"));
            }
        }
    }
    let source = if source.starts_with(['.', '/', '~']) {
        bind(reader, source, project)
    } else {
        named(reader, source, &text.span, root, project)?
    };
    Ok(Some(joined(&source, target, read_only)))
}

fn joined(source: &str, target: &str, read_only: bool) -> String {
    format!("{source}:{target}{}", if read_only { ":ro" } else { "" })
}

/// A folder or file of the host.
fn bind(reader: &Reader<'_>, source: &str, project: &Project) -> String {
    let home = source.strip_prefix('~').and_then(|rest| Some(format!("{}{rest}", reader.lookup("HOME")?)));
    project.path(home.as_deref().unwrap_or(source)).display().to_string()
}

/// The name by which the engine knows a volume of the file.
fn named(
    reader: &Reader<'_>,
    name: &str,
    span: &std::ops::Range<usize>,
    root: &Node,
    project: &Project,
) -> Read<String> {
    let Some((_, volume)) = root.get("volumes").and_then(|volumes| volumes.entry(name)) else {
        let mend = "add it to the file's own `volumes`, or write `./` before a folder";
        return Err(reader.invalid(
            span,
            format!("there is no volume `{name}` at the top of the file"),
            mend,
        ));
    };
    for key in ["driver", "driver_opts"] {
        if let Some((key, _)) = volume.entry(key) {
            let problem = format!("`{}` of a volume is not taken", key.text);
            reader.warn(
                &key.span,
                problem,
                "make the volume first, as `docker compose up` does: it is then taken as it is",
            );
        }
    }
    super::networks::real_name(reader, name, volume, project)
}

/// The long form.
fn long(
    reader: &Reader<'_>,
    item: &Node,
    root: &Node,
    project: &Project,
    service: &mut Service,
) -> Read<Option<String>> {
    let text = |key: &str| item.get(key).map(|node| reader.text(node)).transpose();
    let Some(target) = text("target")?.or(text("dst")?).or(text("destination")?) else {
        return Err(reader.invalid(&item.span, "the volume has no target", "add `target: /path`"));
    };
    let source = text("source")?.or(text("src")?);
    let read_only = item.get("read_only").map(|node| reader.truth(node)).transpose()?.unwrap_or_default();
    for (key, _) in item.entries() {
        let taken =
            ["type", "source", "src", "target", "dst", "destination", "read_only", "consistency", "tmpfs"];
        if !taken.contains(&key.text.as_str()) && !key.text.starts_with("x-") {
            let problem = format!("`{}` of a volume is not taken", key.text);
            reader.warn(&key.span, problem, "leave it out, or keep it for Compose alone");
        }
    }
    let kind = text("type")?.map_or_else(|| "volume".to_owned(), |kind| kind.text);
    let source = match (kind.as_str(), source) {
        ("tmpfs", _) => {
            service.container.tmpfs.push(target.text);
            return Ok(None);
        }
        ("bind", Some(source)) => bind(reader, &source.text, project),
        ("volume", Some(source)) => named(reader, &source.text, &source.span, root, project)?,
        ("volume", None) => {
            let mend = "give it a source if its contents are to be kept";
            reader.warn(
                &item.span,
                format!("the volume without a name at {} is not taken", target.text),
                mend,
            );
            return Ok(None);
        }
        (kind, _) => {
            let problem = format!("a volume of the type `{kind}` cannot be had");
            return Err(reader.invalid(
                &item.span,
                problem,
                "the types are volume, bind and tmpfs, with a source",
            ));
        }
    };
    Ok(Some(joined(&source, &target.text, read_only)))
}
