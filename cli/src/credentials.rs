//! Credentials for a registry: of the file, or else of the environment, or else of Docker's configuration, or none.

use std::path::PathBuf;

use cutover_registry::{Credentials, DockerConfig, Error, Registry, RegistrySettings, Timeouts};
use secrecy::SecretString;

use crate::config::{Config, file};
use crate::failure::{Exit, Failure};
use crate::github;
use crate::release::located;

/// Finds the credentials for a registry.
///
/// # Errors
/// When the file names a secret that cannot be read, or a credential helper fails.
pub async fn find(config: &Config, registry: &str) -> Result<Credentials, Failure> {
    if let Some(table) = config.file.registry.get(registry)
        && let (Some(username), Some(password)) = (&table.username, &table.password)
    {
        let read = password.value.read(config.base()).await;
        let password = read.map_err(|error| located(config, password.span.clone(), &error))?;
        return Ok(Credentials::Basic { username: username.value.clone(), password });
    }
    let found = match of_environment(registry) {
        Some(credentials) => credentials,
        None => of_docker(registry).await?,
    };
    match &found {
        Credentials::Basic { password: secret, .. } | Credentials::IdentityToken(secret) => {
            github::mask(secret);
        }
        _ => {}
    }
    Ok(found)
}

/// The credentials for a registry as the engine takes them.
///
/// # Errors
/// As [`find`].
pub async fn for_engine(
    config: &Config,
    registry: &str,
) -> Result<Option<cutover_runtime::Credentials>, Failure> {
    Ok(match find(config, registry).await? {
        Credentials::Basic { username, password } => {
            Some(cutover_runtime::Credentials { username, password })
        }
        // The engine takes an identity token in a password's place under this name.
        Credentials::IdentityToken(token) => {
            Some(cutover_runtime::Credentials { username: "<token>".to_owned(), password: token })
        }
        _ => None,
    })
}

/// A client for a registry and its mirrors, with the settings of the file and the credentials there are.
///
/// # Errors
/// As [`find`], and when a CA's file cannot be read.
pub async fn client(config: &Config, registry: &str) -> Result<Registry, Failure> {
    let mut builder =
        Registry::builder().system_proxy(true).user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")));
    let mirrors =
        config.file.registry.get(registry).map(|table| table.mirrors.as_slice()).unwrap_or_default();
    for host in mirrors.iter().map(|mirror| mirror.value.as_str()).chain([registry]) {
        builder = builder.credentials(host, find(config, host).await?);
        if let Some(table) = config.file.registry.get(host) {
            builder = builder.settings(host, settings(config, table)?);
        }
    }
    Ok(builder.build()?)
}

fn settings(config: &Config, table: &file::Registry) -> Result<RegistrySettings, Failure> {
    let mut settings = RegistrySettings::new();
    if table.insecure {
        settings = settings.insecure();
    }
    if let Some(ca) = &table.ca {
        settings = settings.root_certificates(config.read_beside(ca, "the registry's certificates")?);
    }
    if let Some(period) = &table.timeout {
        let stall = period.0;
        settings = settings.timeouts(Timeouts { stall, ..Timeouts::default() });
    }
    Ok(table.mirrors.iter().fold(settings, |settings, mirror| settings.mirror(mirror.value.as_str())))
}

fn of_environment(registry: &str) -> Option<Credentials> {
    if registry != "ghcr.io" {
        return None;
    }
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let token = variable("GHCR_TOKEN").or_else(|| variable("GITHUB_TOKEN"))?;
    let username = variable("GITHUB_ACTOR").unwrap_or_else(|| "cutover".to_owned());
    Some(Credentials::Basic { username, password: SecretString::from(token) })
}

async fn of_docker(registry: &str) -> Result<Credentials, Failure> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".docker")));
    let Some(folder) = folder else { return Ok(Credentials::Anonymous) };
    let found = match DockerConfig::read(&folder.join("config.json")) {
        Err(Error::ConfigMissing { .. }) => None,
        Err(error) => return Err(Failure::from_error(Exit::Usage, &error)),
        Ok(docker) => docker.credentials_for(registry).await?,
    };
    Ok(found.unwrap_or(Credentials::Anonymous))
}
