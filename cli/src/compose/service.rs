//! A service of a compose file, as an app takes it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use cutover_runtime::{ContainerSpec, Healthcheck, Ulimit};
use secrecy::SecretString;
use toml::Value as Toml;

use super::project::Project;
use super::reader::{Pair, Read, Reader};
use super::yaml::{Key, Node, Value};
use super::{health, limits, networks, told, volumes, words};
use crate::config::{Invalid, Source};

/// A service of a compose file.
#[derive(Clone, Debug)]
pub struct Service {
    /// What it says of keys that an app's table has too.
    pub keys: Vec<Taken>,
    /// Its environment; what comes from a variable of cutover's own counts as secret.
    pub environment: BTreeMap<String, Variable>,
    /// Files of more variables, which `environment` wins over. All of them count as secret.
    pub env_files: Vec<EnvFile>,
    /// What only a container has a place for.
    pub container: Container,
    /// The networks it is on, the first of which is the app's.
    pub networks: Vec<Joined>,
    /// What is not taken, and why.
    pub warnings: Vec<Invalid>,
    source: Source,
}

/// What a service says of one key of an app's table.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The key, of the app's table.
    pub key: &'static str,
    /// The key and its value, as they would be written there.
    pub written: String,
    /// Where it stands in the compose file, in bytes.
    pub span: Range<usize>,
}

/// A variable of a service's environment.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The value.
    pub value: SecretString,
    /// Whether it came from outside of the file.
    pub secret: bool,
}

/// A file of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFile {
    /// The file, from the root.
    pub path: PathBuf,
    /// Whether it must be there.
    pub required: bool,
    /// Whether its lines are taken as they stand: `format: raw`.
    pub raw: bool,
    /// Where it is named in the compose file, in bytes.
    pub span: Range<usize>,
}

/// What only a container has a place for.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Container {
    /// The host name that it has for itself.
    pub hostname: Option<String>,
    /// Whether the engine's own init is its first process.
    pub init: bool,
    /// Capabilities besides the usual ones.
    pub cap_add: Vec<String>,
    /// Capabilities that it does not have.
    pub cap_drop: Vec<String>,
    /// Names beside those of the DNS, as `name:address`.
    pub extra_hosts: Vec<String>,
    /// Folders in memory.
    pub tmpfs: Vec<String>,
    /// The size of `/dev/shm`, in bytes.
    pub shm_size: Option<u64>,
    /// Limits of its processes.
    pub ulimits: Vec<Ulimit>,
    /// Settings of its kernel namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// A HEALTHCHECK of its own.
    pub healthcheck: Option<Healthcheck>,
}

/// A network that a service is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its name, as the engine knows it.
    pub network: String,
    /// The names by which others on it reach the service.
    pub aliases: Vec<String>,
    /// Where it is named in the compose file, in bytes.
    pub span: Range<usize>,
}

impl Container {
    /// Gives a container all of it.
    pub fn apply(&self, spec: &mut ContainerSpec) {
        let Self {
            hostname, init, cap_add, cap_drop, extra_hosts, tmpfs, shm_size, ulimits, sysctls, ..
        } = self;
        spec.hostname.clone_from(hostname);
        spec.init = *init;
        spec.cap_add.clone_from(cap_add);
        spec.cap_drop.clone_from(cap_drop);
        spec.extra_hosts.clone_from(extra_hosts);
        spec.tmpfs.clone_from(tmpfs);
        spec.shm_size = *shm_size;
        spec.ulimits.clone_from(ulimits);
        spec.sysctls.clone_from(sysctls);
        spec.healthcheck.clone_from(&self.healthcheck);
    }
}

impl Service {
    /// The compose file, with what may be a secret masked.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the service says of a key of the app's table.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&Taken> {
        self.keys.iter().find(|taken| taken.key == key)
    }

    /// Where each key of the app's table comes from, and each variable: `image: compose.yaml:3:12`.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let place = |span: &Range<usize>| {
            let (line, column) = self.source.invalid(span.clone(), "", None).place().unwrap_or((1, 1));
            format!("{}:{line}:{column}", self.source.path().display())
        };
        let keys = self.keys.iter().map(move |taken| format!("{}: {}", taken.key, place(&taken.span)));
        let path = self.source.path().display();
        let names = self.environment.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let variables = (!names.is_empty()).then(|| format!("env: {names} of {path}"));
        keys.chain(variables)
    }

    /// Takes a key. The first one counts: the service's own keys are read before those of `deploy`.
    pub(super) fn take(&mut self, key: &'static str, value: impl Into<Toml>, span: &Range<usize>) {
        if self.key(key).is_none() {
            let written = format!("{key} = {}", value.into());
            self.keys.push(Taken { key, written, span: span.clone() });
        }
    }
}

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
        source: Source::masked(std::path::Path::new(""), String::new()),
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

fn texts_by_name(reader: &Reader<'_>, node: &Node) -> Read<BTreeMap<String, String>> {
    let pairs = reader.pairs(node)?.into_iter();
    Ok(pairs
        .map(|Pair { name, value, .. }| (name, value.map(|text| text.text).unwrap_or_default()))
        .collect())
}

fn environment(reader: &Reader<'_>, node: &Node) -> Read<BTreeMap<String, Variable>> {
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

fn env_files(reader: &Reader<'_>, node: &Node, project: &Project) -> Read<Vec<EnvFile>> {
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
fn extra_hosts(reader: &Reader<'_>, node: &Node) -> Read<Vec<String>> {
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
