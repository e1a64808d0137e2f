//! Credentials for a registry: of the file, or else of the environment, or else of Docker's configuration, or none.

use std::path::PathBuf;

use cutover_registry::{Credentials, DockerConfig, Error, Registry};
use secrecy::SecretString;

use crate::config::Config;
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
        Credentials::Basic { password: secret, .. } | Credentials::IdentityToken(secret) => github::mask(secret),
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

/// A client for a registry, with the credentials there are.
///
/// # Errors
/// As [`find`].
pub async fn client(config: &Config, registry: &str) -> Result<Registry, Failure> {
    let mut builder = Registry::builder()
        .credentials(registry, find(config, registry).await?)
        .system_proxy(true)
        .user_agent(concat!("cutover/", env!("CARGO_PKG_VERSION")));
    if config.file.registry.get(registry).is_some_and(|table| table.insecure) {
        builder = builder.insecure(registry);
    }
    Ok(builder.build()?)
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
