//! Docker's own configuration file, as far as it knows credentials.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use crate::endpoint::registry_name;
use crate::helper::Helper;
use crate::{Credentials, Error, Result};

/// What Docker Hub is called in configurations and by helpers.
const DOCKER_HUB_SERVER: &str = "https://index.docker.io/v1/";
const HELPER_LIMIT: Duration = Duration::from_secs(10);
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The credentials of a Docker configuration file (`~/.docker/config.json`): `auths`, `credHelpers` and `credsStore`.
///
/// The file is read by the path given, and whole at once; helpers are run when a registry is asked about.
#[derive(Clone)]
pub struct DockerConfig {
    path: PathBuf,
    auths: HashMap<String, Credentials>,
    helpers: HashMap<String, String>,
    store: Option<String>,
    helper_directory: Option<PathBuf>,
    helper_limit: Duration,
}

impl DockerConfig {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`Error::ConfigMissing`] when it is not there, [`Error::Io`] when it cannot be read,
    /// [`Error::ConfigInvalid`] when it cannot be understood. None of them shows what is in the file.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::ConfigMissing { path: path.to_owned() },
            _ => Error::io(path)(error),
        })?;
        let bytes = Zeroizing::new(bytes);
        Self::parse(path, &bytes)
    }

    /// The same of its bytes; `path` is for the errors.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let invalid = |detail: String| Error::ConfigInvalid { path: path.to_owned(), detail };
        // Without the parser's words: they may quote a secret.
        let file: File = serde_json::from_slice(bytes).map_err(|error| {
            let fault = if error.is_data() { "not what Docker writes there" } else { "not JSON" };
            invalid(format!("{fault} (line {}, column {})", error.line(), error.column()))
        })?;
        let mut auths = HashMap::new();
        for (server, auth) in file.auths {
            let credentials =
                auth.credentials().map_err(|fault| invalid(format!("auths, {server:?}: {fault}")))?;
            if let (Some(registry), Some(credentials)) = (registry_of(&server), credentials) {
                auths.insert(registry.to_owned(), credentials);
            }
        }
        let helpers = file
            .cred_helpers
            .iter()
            .filter_map(|(server, helper)| Some((registry_of(server)?.to_owned(), helper.clone())))
            .collect();
        Ok(Self {
            path: path.to_owned(),
            auths,
            helpers,
            store: file.creds_store.filter(|name| !name.is_empty()),
            helper_directory: None,
            helper_limit: HELPER_LIMIT,
        })
    }

    /// How long a helper may take. 10 s unless said.
    #[must_use]
    pub fn helper_time_limit(mut self, limit: Duration) -> Self {
        self.helper_limit = limit;
        self
    }

    /// Runs helpers from this directory, and not from wherever the search path has them.
    #[must_use]
    pub fn helper_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.helper_directory = Some(directory.into());
        self
    }

    /// The credentials for a registry (`ghcr.io`, `docker.io`, `127.0.0.1:5000`); `None` where there are none.
    ///
    /// The registry's own helper is asked, or else the store, then `auths` is looked into. A helper is run without
    /// a shell and off the async threads, and killed when its time is up.
    ///
    /// # Errors
    ///
    /// [`Error::HelperMissing`], [`Error::HelperTimeout`], [`Error::Helper`]; [`Error::ConfigInvalid`] when a
    /// helper's name is none.
    pub async fn credentials_for(&self, registry: &str) -> Result<Option<Credentials>> {
        let registry = registry_name(registry);
        if let Some(name) = self.helpers.get(registry).or(self.store.as_ref()) {
            let helper = Helper::new(name, self.helper_directory.clone(), self.helper_limit);
            let helper = helper.ok_or_else(|| Error::ConfigInvalid {
                path: self.path.clone(),
                detail: format!("{name:?} is not a credential helper's name"),
            })?;
            let server = if registry == "docker.io" { DOCKER_HUB_SERVER } else { registry };
            if let Some(credentials) = helper.get(server).await? {
                return Ok(Some(credentials));
            }
        }
        Ok(self.auths.get(registry).cloned())
    }
}

impl fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DockerConfig")
            .field("path", &self.path)
            .field("auths", &self.auths)
            .field("helpers", &self.helpers)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: HashMap<String, Auth>,
    #[serde(default)]
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    identitytoken: String,
}

impl Drop for Auth {
    fn drop(&mut self) {
        for part in [&mut self.auth, &mut self.password, &mut self.identitytoken] {
            part.zeroize();
        }
    }
}

impl Auth {
    fn credentials(mut self) -> Result<Option<Credentials>, &'static str> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credentials::IdentityToken(std::mem::take(&mut self.identitytoken).into())));
        }
        let basic = |username: &str, password: &str| {
            Some(Credentials::Basic { username: username.to_owned(), password: password.into() })
        };
        if self.auth.is_empty() {
            let named = !self.username.is_empty() && !self.password.is_empty();
            return Ok(named.then(|| basic(&self.username, &self.password)).flatten());
        }
        let decoded = BASE64.decode(self.auth.trim()).map_err(|_| "`auth` is not base64")?;
        let decoded = Zeroizing::new(decoded);
        let decoded = std::str::from_utf8(&decoded).map_err(|_| "`auth` is not text")?;
        let (username, password) =
            decoded.split_once(':').ok_or("`auth` is not a user name and a password with `:` between")?;
        Ok(basic(username, password.trim_end_matches('\0')))
    }
}

/// The registry that a key of the file is about. A key for one namespace of a registry (as Podman has them) is
/// about none.
fn registry_of(server: &str) -> Option<&str> {
    let host = server.strip_prefix("https://").or(server.strip_prefix("http://")).unwrap_or(server);
    let (host, path) = host.split_once('/').unwrap_or((host, ""));
    matches!(path.trim_end_matches('/'), "" | "v1" | "v2").then(|| registry_name(host))
}
