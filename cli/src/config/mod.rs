//! `cutover.toml`: read, checked whole, and only then used.
//!
//! Every table and key is described in [`mod@file`] and [`app`]; the JSON schema is made from the same types. What is wrong is
//! told with line and column before anything is touched ([`Invalid`]).

pub mod app;
pub mod build;
mod check;
mod composed;
mod diagnostic;
pub mod file;
pub mod form;
pub mod guard;
pub(crate) mod nginx;
pub mod notify;
mod outline;
mod quantity;
pub mod secret;
pub mod tag;
pub mod value;
mod volume;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cutover_proxyconf::AppName;
use serde::Deserialize as _;
use toml::de::DeTable;

use self::composed::Composed;
pub use self::diagnostic::{Invalid, Source};
use self::outline::Outline;
use self::value::{Located, Parsed};
pub(crate) use self::words::near;

/// A configuration that was read and found right.
#[derive(Debug)]
pub struct Config {
    source: Source,
    warnings: Vec<Invalid>,
    /// The tables.
    pub file: file::File,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigUnread {
    /// The file cannot be read.
    #[error("the configuration {} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file says something wrong.
    #[error(transparent)]
    Invalid(#[from] Box<Invalid>),
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigUnread`], with line and column where the file is wrong.
    pub fn read(path: &Path) -> Result<Self, ConfigUnread> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigUnread::Unreadable { path: path.to_owned(), source })?;
        Self::parse(path, &text).map_err(|invalid| ConfigUnread::Invalid(Box::new(invalid)))
    }

    /// Parses and checks a text. `path` is where it came from, and where relative paths in it start. Compose files that it
    /// names are read, with the variables of cutover's own environment.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Invalid> {
        let mut source = Source::new(path, text);
        let wrong = |source: &Source, error: &toml::de::Error| {
            let told = words::told(error.message());
            let span = told.span.or_else(|| error.span()).unwrap_or_default();
            source.invalid(span, told.problem, Some(&told.mend))
        };
        let root = DeTable::parse(text).map_err(|error| wrong(&source, &error))?;
        let composed = Composed::read(&mut source, path, root.get_ref())?;
        let filled = composed.fill(root);
        let outline = Outline::new(filled.get_ref().clone());
        let mut file = file::File::deserialize(toml::Deserializer::from(filled))
            .map_err(|error| wrong(&source, &error))?;
        check::check(&source, outline, &file)?;
        let warnings = composed.give(&mut file);
        Ok(Self { source, warnings, file })
    }

    /// A configuration of defaults alone, for commands that need no app.
    #[must_use]
    pub fn without_apps() -> Self {
        let file = file::File {
            data_dir: None,
            engine: file::Engine::default(),
            proxy: file::Proxy::default(),
            network: file::Network::default(),
            registry: BTreeMap::new(),
            apps: BTreeMap::new(),
            notify: notify::Notify::default(),
        };
        Self { source: Source::new(Path::new("cutover.toml"), ""), warnings: Vec::new(), file }
    }

    /// The text and its path.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the file's compose files say that is not taken, each with its place.
    #[must_use]
    pub fn warnings(&self) -> &[Invalid] {
        &self.warnings
    }

    /// The folder in which relative paths of the file start.
    #[must_use]
    pub fn base(&self) -> &Path {
        match self.source.path().parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// The bytes of a file that the configuration names; `what` it is, for the error.
    ///
    /// # Errors
    /// When it cannot be read, with the place that names it.
    pub fn read_beside(&self, path: &Located<PathBuf>, what: &str) -> Result<Vec<u8>, Invalid> {
        let whole = self.base().join(&path.value);
        std::fs::read(&whole).map_err(|error| {
            let problem = format!("{what} in {} cannot be read: {error}", whole.display());
            let mend = "the path is looked up beside the configuration; let this user read it";
            self.source.invalid(path.span.clone(), problem, Some(mend))
        })
    }

    /// The app of this name; with no name, the only one of the file.
    ///
    /// # Errors
    /// A sentence that lists the apps there are.
    pub fn app(&self, name: Option<&str>) -> Result<(&AppName, &app::App), NoSuchApp> {
        let names = || self.file.apps.keys().map(|name| name.to_string()).collect::<Vec<_>>().join(", ");
        let found = match name {
            Some(wanted) => self.file.apps.iter().find(|(name, _)| name.as_str() == wanted),
            None if self.file.apps.len() == 1 => self.file.apps.iter().next(),
            None => return Err(NoSuchApp::Which(names())),
        };
        found
            .map(|(name, app)| (Parsed::get(name), app))
            .ok_or_else(|| NoSuchApp::Unknown { name: name.unwrap_or_default().to_owned(), there: names() })
    }
}

/// Why no app was found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchApp {
    /// The file has no app of that name.
    #[error("there is no app `{name}`; the file has {there}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        there: String,
    },
    /// The file has several and none was named.
    #[error("the file has several apps; name one of {0}")]
    Which(String),
}

/// The JSON schema of `cutover.toml`.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(file::File);
    schema.insert("title".to_owned(), "cutover.toml".into());
    schema.into()
}
