//! The keys of a service, one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use cutover_runtime::Healthcheck;
use toml::Value as Toml;

use super::environment::{env_files, environment, extra_hosts, texts_by_name};
use super::project::Project;
use super::reader::{Read, Reader};
use super::service::{Container, Joined, Service};
use super::yaml::{Key, Node, Value};
use super::{health, limits, networks, told, volumes, words};
use crate::config::Source;

/// Reads a service whole.
pub(super) fn read(
    reader: Reader<'_>,
    root: &Node,
    key: &Key,
    node: &Node,
    project: &Project,
) -> Read<Service> {
    let mut service = Service {
        keys: Vec::new(),
        environment: BTreeMap::new(),
        env_files: Vec::new(),
        container: Container::default(),
        networks: networks::read(&reader, &key.text, node.get("networks"), root, project)?,
        warnings: Vec::new(),
        source: Source::masked(std::path::Path::new(""), ""),
    };
    for (key, value) in node.entries() {
        if !told::is_taken(&reader, key, value)? || value.is_null() {
            continue;
        }
        process(&reader, &mut service, key, value)?;
        bounds(&reader, &mut service, key, value)?;
        surroundings(&reader, &mut service, key, value, project)?;
        if key.text == "volumes" {
            let volumes = volumes::read(&reader, value, root, project, &mut service)?;
            service.take("volumes", volumes, &value.span);
        }
    }
    if let Some(deploy) = node.get("deploy") {
        limits::deploy(&reader, deploy, &mut service)?;
    }
    port(&reader, &mut service, node)?;
    joined(&mut service, &key.span);
    healthy(&mut service);
    if node.get("image").is_none() {
        let problem = format!("the service `{}` names no image", key.text);
        reader.warn(&key.span, problem, "write `image` here, or in cutover.toml");
    }
    (service.source, service.warnings) = reader.end();
    Ok(service)
}

/// What its process is started with, and ended by.
fn process(reader: &Reader<'_>, service: &mut Service, key: &Key, node: &Node) -> Read<()> {
    let (taken, value): (_, Toml) = match key.text.as_str() {
        "image" => ("image", reader.text(node)?.text.into()),
        "command" => ("command", words_of(reader, node)?.into()),
        "entrypoint" => ("entrypoint", words_of(reader, node)?.into()),
        "user" => ("user", reader.text(node)?.text.into()),
        "working_dir" => ("working_dir", reader.text(node)?.text.into()),
        "stop_signal" => ("stop_signal", reader.text(node)?.text.into()),
        "stop_grace_period" => ("stop_grace", milliseconds(reader.time(node)?)),
        "read_only" => ("read_only", reader.truth(node)?.into()),
        "restart" => match restart(reader, node)? {
            Some(value) => ("restart", value.into()),
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    service.take(taken, value, &node.span);
    Ok(())
}

fn milliseconds(time: Duration) -> Toml {
    format!("{}ms", time.as_millis()).into()
}

/// What it may use, and may do.
fn bounds(reader: &Reader<'_>, service: &mut Service, key: &Key, node: &Node) -> Read<()> {
    match key.text.as_str() {
        "mem_limit" => limits::memory(reader, node, service)?,
        "cpus" => limits::cpus(reader, node, service)?,
        "pids_limit" => limits::pids(reader, node, service)?,
        "ulimits" => service.container.ulimits = limits::ulimits(reader, node)?,
        "shm_size" => service.container.shm_size = Some(reader.bytes(node)?).filter(|bytes| *bytes > 0),
        "sysctls" => service.container.sysctls = texts_by_name(reader, node)?,
        "cap_add" => service.container.cap_add = reader.texts(node)?,
        "cap_drop" => service.container.cap_drop = reader.texts(node)?,
        "init" => service.container.init = reader.truth(node)?,
        "healthcheck" => service.container.healthcheck = health::read(reader, node)?,
        _ => {}
    }
    Ok(())
}

/// What it is surrounded by.
fn surroundings(
    reader: &Reader<'_>,
    service: &mut Service,
    key: &Key,
    node: &Node,
    project: &Project,
) -> Read<()> {
    match key.text.as_str() {
        "environment" => service.environment = environment(reader, node)?,
        "env_file" => service.env_files = env_files(reader, node, project)?,
        "hostname" => service.container.hostname = Some(reader.text(node)?.text),
        "tmpfs" => {
            let folders = reader.one_or_many(node)?.into_iter().map(|text| text.text);
            service.container.tmpfs.extend(folders);
        }
        "extra_hosts" => service.container.extra_hosts = extra_hosts(reader, node)?,
        "labels" => {
            let labels = texts_by_name(reader, node)?.into_iter().map(|(name, text)| (name, text.into()));
            service.take("labels", Toml::Table(labels.collect()), &node.span);
        }
        "logging" => logging(reader, service, node)?,
        _ => {}
    }
    Ok(())
}

fn words_of(reader: &Reader<'_>, node: &Node) -> Read<Vec<String>> {
    let words = match node.value {
        Value::List(_) => reader.texts(node)?,
        _ => {
            let text = reader.text(node)?.text;
            let mend = "close its quotes, or write a list: [\"program\", \"argument\"]";
            words::split(&text).map_err(|problem| reader.invalid(&node.span, problem, mend))?
        }
    };
    if words.is_empty() {
        let mend = "name a program and its arguments, or leave it out for the image's own";
        return Err(reader.invalid(&node.span, "there is no word in it", mend));
    }
    Ok(words)
}

/// A release that was stopped must stay so, whatever Compose would do.
fn restart(reader: &Reader<'_>, node: &Node) -> Read<Option<&'static str>> {
    let text = reader.text(node)?.text;
    let (policy, most) = text.split_once(':').unwrap_or((&text, ""));
    if !most.is_empty() {
        let mend = "a release that keeps failing is replaced by the next one";
        reader.warn(&node.span, format!("the most restarts, {most}, are not taken"), mend);
    }
    match policy {
        "no" | "false" => Ok(Some("no")),
        "on-failure" => Ok(Some("on-failure")),
        "unless-stopped" => Ok(Some("unless-stopped")),
        "always" => {
            let mend = "write \"unless-stopped\": with `always` a release that was stopped comes back with the engine";
            reader.warn(&node.span, "`always` is taken as `unless-stopped`", mend);
            Ok(Some("unless-stopped"))
        }
        _ => {
            let mend = "write \"no\", \"on-failure\" or \"unless-stopped\"";
            Err(reader.invalid(&node.span, format!("`{text}` is no way to restart"), mend))
        }
    }
}

fn logging(reader: &Reader<'_>, service: &mut Service, node: &Node) -> Read<()> {
    let mut log = toml::Table::new();
    if let Some(driver) = node.get("driver") {
        log.insert("driver".to_owned(), reader.text(driver)?.text.into());
    }
    if let Some(options) = node.get("options") {
        let options = texts_by_name(reader, options)?.into_iter().map(|(name, text)| (name, text.into()));
        log.insert("options".to_owned(), Toml::Table(options.collect()));
    }
    service.take("log", Toml::Table(log), &node.span);
    Ok(())
}

/// The port, if the service shows just one: what it exposes, and what of it would be published.
fn port(reader: &Reader<'_>, service: &mut Service, node: &Node) -> Read<()> {
    let mut shown = BTreeSet::new();
    let mut span = 0..0;
    for key in ["expose", "ports"] {
        let Some(Node { value: Value::List(items), .. }) = node.get(key) else { continue };
        for item in items {
            let text = match item.get("target") {
                Some(target) => reader.text(target)?,
                None if item.entries().is_empty() => reader.text(item)?,
                None => continue,
            };
            let (port, protocol) = text.text.split_once('/').unwrap_or((&text.text, "tcp"));
            let port = port.rsplit(':').next().unwrap_or_default();
            if protocol == "tcp" {
                shown.insert(port.to_owned());
                span = text.span.clone();
            }
        }
    }
    let one = if shown.len() == 1 { shown.pop_first() } else { None };
    if let Some(port) = one.and_then(|port| port.parse::<u16>().ok()) {
        service.take("port", Toml::Integer(port.into()), &span);
    }
    Ok(())
}

/// The first network is the app's own.
fn joined(service: &mut Service, named: &Range<usize>) {
    let Some(Joined { network, aliases, span }) = service.networks.first().cloned() else { return };
    let span = if span.is_empty() { named.clone() } else { span };
    service.take("network", network, &span);
    service.take("aliases", aliases, &span);
}

/// A container that has a check of its own is well when that says so.
fn healthy(service: &mut Service) {
    let Some(Healthcheck::Run(check)) = &service.container.healthcheck else { return };
    let mut table = toml::Table::new();
    table.insert("check".to_owned(), "image".into());
    table.insert("timeout".to_owned(), milliseconds(health::patience(check)));
    service.take("health", Toml::Table(table), &(0..0));
}
