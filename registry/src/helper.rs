//! Credential helpers: programs named `docker-credential-NAME` that know a registry's password.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use crate::{Credentials, Error, Result};

const ANSWER_MAX: u64 = 64 * 1024;
const ANSWER_ROOM: usize = 64 * 1024;
const COMPLAINT_MAX: usize = 300;
/// What the helpers' protocol says on its standard output when it knows nothing of a server.
const NOT_FOUND: &str = "credentials not found";
/// The user name that marks the secret as an identity token.
const IDENTITY_USER: &str = "<token>";

/// One helper, and how it is run.
#[derive(Clone, Debug)]
pub(crate) struct Helper {
    name: String,
    directory: Option<PathBuf>,
    limit: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

impl Helper {
    /// `None` when the name is none that a program could have without reaching into other directories.
    pub(crate) fn new(name: &str, directory: Option<PathBuf>, limit: Duration) -> Option<Self> {
        let sound = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        sound.then(|| Self { name: format!("docker-credential-{name}"), directory, limit })
    }

    /// Asks it for the credentials of a server. `None` when it has none.
    pub(crate) async fn get(&self, server: &str) -> Result<Option<Credentials>> {
        let run = tokio::time::timeout(self.limit, self.run(server)).await;
        let (succeeded, output, complaint) = run.map_err(|_| Error::HelperTimeout {
            helper: self.name.clone(),
            registry: server.to_owned(),
            limit: self.limit,
        })??;
        if !succeeded {
            let said = if output.trim_ascii().is_empty() { &complaint } else { &*output };
            let said = String::from_utf8_lossy(said);
            if said.contains(NOT_FOUND) {
                return Ok(None);
            }
            let line: String = said
                .trim()
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(COMPLAINT_MAX)
                .collect();
            return Err(self.failed(server, line));
        }
        // Without the parser's words: they may quote the secret.
        let answer: Answer = serde_json::from_slice(&output)
            .map_err(|_| self.failed(server, "its answer is not JSON as it should be"))?;
        Ok(match (answer.username.as_str(), answer.secret) {
            (_, secret) if secret.is_empty() => None,
            (IDENTITY_USER, secret) => Some(Credentials::IdentityToken(secret.into())),
            (username, secret) => Some(Credentials::Basic {
                username: username.to_owned(),
                password: SecretString::from(secret),
            }),
        })
    }

    async fn run(&self, server: &str) -> Result<(bool, Zeroizing<Vec<u8>>, Vec<u8>)> {
        let spawned = Command::new(self.program())
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = spawned.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::HelperMissing { helper: self.name.clone(), registry: server.to_owned() }
            }
            _ => self.failed(server, error.to_string()),
        })?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read its input may still answer; what it answers decides.
            let written = stdin.write_all(server.as_bytes()).await;
            tracing::trace!(?written, "asked the credential helper");
        }
        // With room for all of it: a buffer that grows leaves what it held behind.
        let mut output = Zeroizing::new(Vec::with_capacity(ANSWER_ROOM));
        let mut complaint = Vec::new();
        let stdout = child.stdout.take().map(|stdout| stdout.take(ANSWER_MAX));
        let stderr = child.stderr.take().map(|stderr| stderr.take(ANSWER_MAX));
        let read = async {
            if let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) {
                tokio::try_join!(stdout.read_to_end(&mut output), stderr.read_to_end(&mut complaint))?;
            }
            child.wait().await
        };
        let status = read.await.map_err(|error| self.failed(server, error.to_string()))?;
        Ok((status.success(), output, complaint))
    }

    fn program(&self) -> OsString {
        match &self.directory {
            Some(directory) => directory.join(&self.name).into_os_string(),
            None => OsString::from(&self.name),
        }
    }

    fn failed(&self, server: &str, detail: impl Into<String>) -> Error {
        Error::Helper { helper: self.name.clone(), registry: server.to_owned(), detail: detail.into() }
    }
}
