//! A service of a compose file, as an app takes it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use cutover_runtime::{ContainerSpec, Healthcheck, Ulimit};
use secrecy::SecretString;
use toml::Value as Toml;

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
    pub(super) source: Source,
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
