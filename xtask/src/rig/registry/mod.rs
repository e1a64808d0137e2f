//! A real registry: `docker-registry` on a loopback port, with the kind of authentication that is asked for.

mod auth;
mod token;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use tempfile::TempDir;

pub use auth::Auth;

use super::deadline::until;
use super::docker;
use super::error::{Doing, Error, Result, unexpected};
use super::process::{self, Guard};
use token::TokenServer;

/// How long the registry may take to listen.
const START: Duration = Duration::from_secs(10);

/// The running registry. Its storage, its credentials and its process go on drop.
#[derive(Debug)]
pub struct Registry {
    host: String,
    auth: Auth,
    // Dropped in this order: the process before what it reads.
    process: Guard,
    tokens: Option<TokenServer>,
    place: TempDir,
}

impl Registry {
    /// Starts a registry with an empty storage.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is no `docker-registry`; with the end of its log when it does not listen.
    pub async fn start(auth: Auth) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let tokens = match &auth {
            Auth::Token { username, password } => {
                Some(TokenServer::start(username, password, place.path()).await?)
            }
            _ => None,
        };
        let section = auth::configuration(&auth, tokens.as_ref(), place.path())?;
        let configuration = place.path().join("registry.yml");
        let text = format!(
            "version: 0.1\nlog: {{ level: info }}\nstorage:\n  filesystem: {{ rootdirectory: {} }}\n  \
             delete: {{ enabled: true }}\nhttp: {{ addr: \"127.0.0.1:0\" }}\n{section}",
            place.path().join("storage").display()
        );
        std::fs::write(&configuration, text).doing(format!("write {}", configuration.display()))?;
        let log = place.path().join("registry.log");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&configuration).env_clear();
        let mut process = Guard::spawn(&mut command, &log).map_err(missing)?;
        let host = listening(&mut process, &log).await?;
        let registry = Self { host, auth, process, tokens, place };
        registry.write_docker_config()?;
        Ok(registry)
    }

    /// `127.0.0.1:<port>`: what references to its images begin with.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The id of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Whom it lets in.
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// A directory with a `config.json` that holds its credentials, for `DOCKER_CONFIG`.
    pub fn docker_config(&self) -> std::path::PathBuf {
        self.place.path().join("docker")
    }

    /// The name that `image` has here: `<host>/<image>`; a name that already begins with the host is kept.
    pub fn name_of(&self, image: &str) -> String {
        if image.strip_prefix(&self.host).is_some_and(|rest| rest.starts_with('/')) {
            return image.to_owned();
        }
        format!("{}/{image}", self.host)
    }

    /// Pushes a local image as [`Registry::name_of`] it; the digest that the registry gave it, `sha256:…`.
    ///
    /// The name is not kept in the engine, so that a pull has to ask the registry.
    ///
    /// # Errors
    ///
    /// When there is no such image, or the registry refuses it.
    pub async fn push(&self, image: &str) -> Result<String> {
        let name = self.name_of(image);
        if name != image {
            docker::run(&["tag", image, &name]).await?;
        }
        let pushed = docker::run_with(&self.docker_config(), &["push", &name]).await;
        if name != image {
            docker::run(&["rmi", &name]).await?;
        }
        let output = pushed?;
        let digest = output.split_whitespace().skip_while(|word| *word != "digest:").nth(1);
        digest.map(str::to_owned).ok_or_else(|| unexpected(format!("docker push {name}"), output))
    }

    /// How many tokens it has given; 0 without token authentication.
    pub fn tokens_given(&self) -> usize {
        self.tokens.as_ref().map_or(0, TokenServer::given)
    }

    /// What `docker login` would write, without its credential stores: those belong to the user.
    fn write_docker_config(&self) -> Result<()> {
        let directory = self.docker_config();
        let auths = match self.auth.login() {
            Some((username, password)) => {
                let pair = STANDARD.encode(format!("{username}:{}", password.expose_secret()));
                serde_json::json!({ self.host.as_str(): { "auth": pair } })
            }
            None => serde_json::json!({}),
        };
        let path = directory.join("config.json");
        let text = serde_json::json!({ "auths": auths }).to_string();
        std::fs::create_dir(&directory).doing(format!("create {}", directory.display()))?;
        std::fs::write(&path, text).doing(format!("write {}", path.display()))
    }
}

fn missing(error: Error) -> Error {
    match error {
        Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Error::Missing {
            what: "docker-registry".to_owned(),
            mend: "apt-get install -y docker-registry".to_owned(),
        },
        other => other,
    }
}

/// The address that the registry says it listens on: it was asked to pick a free port itself.
async fn listening(process: &mut Guard, log: &Path) -> Result<String> {
    let listened = until("docker-registry listens", START, async || {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let after = text.split("listening on ").nth(1)?;
        let address: String = after.chars().take_while(|c| c.is_ascii_digit() || ".:".contains(*c)).collect();
        if let Some(status) = process.ended() {
            return Some(Err(unexpected("docker-registry", format!("ended ({status}): {text}"))));
        }
        // A log line that is still being written has no end yet.
        (address.len() < after.len()).then_some(Ok(address))
    });
    match listened.await {
        Ok(address) => address,
        Err(Error::Late { .. }) => {
            let text = std::fs::read(log).unwrap_or_default();
            Err(unexpected("docker-registry", format!("does not listen: {}", process::tail(&text))))
        }
        Err(other) => Err(other),
    }
}
