//! Where a secret comes from, and reading it from there.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::{self, Deserializer, Error as _, MapAccess, Visitor};

use super::words;
use crate::github;

/// How long a secret's command may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);

/// How a secret's source is written.
const FORM: &str = "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\"] }";

/// Where a secret is read from when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// `{ env = "NAME" }`: a variable of cutover's own environment.
    Env(String),
    /// `{ file = "PATH" }`: a file's text, without the newline at its end.
    File(PathBuf),
    /// `{ command = ["PROGRAM", "ARG", …] }`: what a program prints, run without a shell.
    Command(Vec<String>),
}

/// A value of an app's environment: written out, or a secret from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Written in the file.
    Plain(String),
    /// A secret, read when a container is made.
    Secret(SecretSource),
}

/// Why a secret could not be read. Holds no part of any secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretUnread {
    /// The environment has no such variable.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The variable's bytes are no UTF-8.
    #[error("the environment variable {0} is not UTF-8")]
    NotUnicode(String),
    /// The file could not be read.
    #[error("the secret file {} cannot be read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The program could not be run, or took longer than 30 s.
    #[error("the secret's command {program} did not run")]
    Command {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The program ended with a failure. What it printed is not told: it may hold the secret.
    #[error("the secret's command {program} ended with {status}")]
    CommandFailed {
        /// The program.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// The secret is there but empty.
    #[error("the secret from {0} is empty")]
    Empty(String),
}

impl SecretUnread {
    /// What mends it.
    #[must_use]
    pub fn mend(&self) -> &'static str {
        match self {
            Self::NoVariable(_) => "set it where cutover runs: in the shell, or as a secret of the CI job",
            Self::NotUnicode(_) => "give the value in UTF-8",
            Self::File { .. } => "the path is looked up beside the configuration; let this user read it",
            Self::Command { .. } => {
                "the program is looked up in PATH and run without a shell, for 30 s at most"
            }
            Self::CommandFailed { .. } => "run it by hand to see why; what it prints is not shown here",
            Self::Empty(_) => "no secret is empty: fill it, or leave the key out",
        }
    }
}

impl SecretSource {
    /// Reads the secret. A relative file is looked up beside the configuration, in `base`.
    ///
    /// # Errors
    /// [`SecretUnread`], which names the source and holds nothing of the secret.
    pub async fn read(&self, base: &Path) -> Result<SecretString, SecretUnread> {
        let text = match self {
            Self::Env(name) => match std::env::var(name) {
                Ok(text) => text,
                Err(std::env::VarError::NotPresent) => return Err(SecretUnread::NoVariable(name.clone())),
                Err(std::env::VarError::NotUnicode(_)) => return Err(SecretUnread::NotUnicode(name.clone())),
            },
            Self::File(path) => {
                let path = base.join(path);
                let text = tokio::fs::read_to_string(&path)
                    .await
                    .map_err(|source| SecretUnread::File { path, source })?;
                without_newline(text)
            }
            Self::Command(argv) => run(argv, base).await?,
        };
        if text.is_empty() {
            return Err(SecretUnread::Empty(self.to_string()));
        }
        let secret = SecretString::from(text);
        github::mask(&secret);
        Ok(secret)
    }
}

impl SecretSource {
    /// The secret, where no program has to be run for it and it can be read: for masking only.
    pub(crate) fn at_hand(&self, base: &Path) -> Option<SecretString> {
        let text = match self {
            Self::Env(name) => std::env::var(name).ok()?,
            Self::File(path) => without_newline(std::fs::read_to_string(base.join(path)).ok()?),
            Self::Command(_) => return None,
        };
        (!text.is_empty()).then(|| text.into())
    }
}

async fn run(argv: &[String], base: &Path) -> Result<String, SecretUnread> {
    let (program, arguments) = argv.split_first().map_or(("", argv), |(p, rest)| (p.as_str(), rest));
    let failed = |source| SecretUnread::Command { program: program.to_owned(), source };
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(base)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_LIMIT, child)
        .await
        .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
        .map_err(failed)?;
    if !output.status.success() {
        return Err(SecretUnread::CommandFailed { program: program.to_owned(), status: output.status });
    }
    String::from_utf8(output.stdout)
        .map(without_newline)
        .map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))
}

fn without_newline(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Command(argv) => write!(f, "{}", argv.first().map_or("", String::as_str)),
        }
    }
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// What names a secret's source; a literal is refused without being repeated.
struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = SecretSource;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::expecting(FORM))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretSource, E> {
        Err(literal())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretSource, A::Error> {
        let refused = |problem: &str, mend: &str| A::Error::custom(words::with_mend(problem, mend));
        let Some(key) = map.next_key::<String>()? else {
            return Err(refused("the secret comes from nowhere", FORM));
        };
        let source = match key.as_str() {
            "env" => SecretSource::Env(map.next_value()?),
            "file" => SecretSource::File(map.next_value()?),
            "command" => SecretSource::Command(map.next_value()?),
            other => return Err(refused(&format!("unknown key `{other}` of a secret"), FORM)),
        };
        match &source {
            SecretSource::Env(name) if name.is_empty() || name.contains(['=', '\0']) => {
                return Err(refused(
                    &format!("`{name}` is no name of a variable"),
                    "write the variable's name alone",
                ));
            }
            SecretSource::Command(argv) if argv.first().is_none_or(String::is_empty) => {
                return Err(refused(
                    "the command names no program",
                    "write command = [\"PROGRAM\", \"ARGUMENT\"]",
                ));
            }
            SecretSource::File(path) if path.as_os_str().is_empty() => {
                return Err(refused("the secret's file has no path", "write file = \"PATH\""));
            }
            _ => {}
        }
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(refused("the secret has more than one key", "keep one of env, file and command")),
        }
    }
}

fn literal<E: de::Error>() -> E {
    E::custom(words::with_mend("a secret does not stand in this file", FORM))
}

/// A plain value, or a secret's source.
struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&words::expecting("write a string, in quotes; or for a secret "))?;
        f.write_str(FORM.trim_start_matches("write "))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Plain(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Plain(number.to_string()))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Plain(flag.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        SourceVisitor.visit_map(map).map(Value::Secret)
    }
}

impl JsonSchema for SecretSource {
    fn schema_name() -> Cow<'static, str> {
        "SecretSource".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where a secret is read from when it is needed: one of a variable, a file or a program's output.",
            "type": "object",
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
            "properties": {
                "env": { "type": "string", "description": "A variable of cutover's own environment." },
                "file": { "type": "string", "description": "A file's text, without the newline at its end." },
                "command": { "type": "array", "items": { "type": "string" }, "minItems": 1, "description": "What a program prints, run without a shell." }
            }
        })
    }
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let source = generator.subschema_for::<SecretSource>();
        json_schema!({ "anyOf": [{ "type": ["string", "integer", "boolean"] }, source] })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[tokio::test]
    async fn a_secret_is_read_from_a_file_or_a_program_without_its_newline() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "s3cret\n").unwrap();
        let read = SecretSource::File("token".into()).read(folder.path()).await.unwrap();
        assert_eq!(read.expose_secret(), "s3cret");
        let argv = ["printf".to_owned(), "%s\\n".to_owned(), "s3cret".to_owned()];
        let read = SecretSource::Command(argv.to_vec()).read(folder.path()).await.unwrap();
        assert_eq!(read.expose_secret(), "s3cret");
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_read_is_told_by_its_source() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("empty"), "\n").unwrap();
        for (source, words) in [
            (SecretSource::Env("CUTOVER_NO_SUCH".into()), "CUTOVER_NO_SUCH is not set"),
            (SecretSource::File("missing".into()), "missing cannot be read"),
            (SecretSource::File("empty".into()), "is empty"),
            (SecretSource::Command(vec!["false".into()]), "false ended with"),
            (SecretSource::Command(vec!["/no/such".into()]), "/no/such did not run"),
        ] {
            let error = source.read(folder.path()).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
