//! An image's configuration (`config.md` of the OCI image specification, and Docker's, which has a health check besides).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::Platform;

/// What an image is made to do, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageConfig {
    /// When it was made (RFC 3339), as it says itself.
    pub created: Option<String>,
    /// What it runs on.
    pub platform: Option<Platform>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its environment, `NAME=value`.
    pub env: Vec<String>,
    /// The program, and its first arguments.
    pub entrypoint: Vec<String>,
    /// The arguments after those, which a container may replace.
    pub cmd: Vec<String>,
    /// The ports it listens on: `8080/tcp`.
    pub exposed_ports: Vec<String>,
    /// As whom it runs: `user`, `uid:gid`.
    pub user: Option<String>,
    /// Where it runs.
    pub working_dir: Option<String>,
    /// The signal that ends it.
    pub stop_signal: Option<String>,
    /// How to see whether it is well. Only Docker's images have one.
    pub healthcheck: Option<Healthcheck>,
}

/// How to see whether a container is well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Healthcheck {
    /// `CMD` and a program, `CMD-SHELL` and a line for the shell, or `NONE`.
    pub test: Vec<String>,
    /// The time from one look to the next.
    pub interval: Option<Duration>,
    /// How long a look may take.
    pub timeout: Option<Duration>,
    /// How long it may be unwell at first.
    pub start_period: Option<Duration>,
    /// How many looks must fail.
    pub retries: Option<u64>,
}

#[derive(Deserialize)]
struct Document {
    created: Option<String>,
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    #[serde(default)]
    config: Option<Run>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Run {
    labels: Option<BTreeMap<String, String>>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    user: Option<String>,
    working_dir: Option<String>,
    stop_signal: Option<String>,
    healthcheck: Option<Health>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    #[serde(default)]
    test: Vec<String>,
    interval: Option<u64>,
    timeout: Option<u64>,
    start_period: Option<u64>,
    retries: Option<u64>,
}

impl ImageConfig {
    pub(crate) fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        let Document { created, os, architecture, variant, config } = serde_json::from_slice(bytes)?;
        let run = config.unwrap_or_default();
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let platform = some(os).zip(some(architecture)).map(|(os, architecture)| Platform {
            os,
            architecture,
            variant: some(variant),
        });
        Ok(Self {
            created: some(created),
            platform,
            labels: run.labels.unwrap_or_default(),
            env: run.env.unwrap_or_default(),
            entrypoint: run.entrypoint.unwrap_or_default(),
            cmd: run.cmd.unwrap_or_default(),
            exposed_ports: run.exposed_ports.unwrap_or_default().into_keys().collect(),
            user: some(run.user),
            working_dir: some(run.working_dir),
            stop_signal: some(run.stop_signal),
            healthcheck: run.healthcheck.map(Healthcheck::from),
        })
    }
}

impl From<Health> for Healthcheck {
    fn from(health: Health) -> Self {
        // Docker writes nanoseconds, and 0 for what was not said.
        let some = |nanos: Option<u64>| nanos.filter(|nanos| *nanos > 0).map(Duration::from_nanos);
        Self {
            test: health.test,
            interval: some(health.interval),
            timeout: some(health.timeout),
            start_period: some(health.start_period),
            retries: health.retries.filter(|retries| *retries > 0),
        }
    }
}
