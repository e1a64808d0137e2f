//! A folder and an environment in which the binary runs alone.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// An app that is right, to which a test adds what is not.
pub(crate) const WEB: &str = "[apps.web]\nimage = \"ghcr.io/acme/web:1\"\nport = 8112\n";

/// A folder that is the home and the working directory of the commands run in it.
pub(crate) struct Sandbox {
    folder: TempDir,
    env: Vec<(String, String)>,
}

/// What a command said and how it ended.
pub(crate) struct Ran {
    /// The exit status; none if a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self { folder: TempDir::with_prefix("cutover-cli-").unwrap(), env: Vec::new() }
    }

    /// A sandbox with this `cutover.toml`.
    pub(crate) fn with(config: &str) -> Self {
        let sandbox = Self::new();
        sandbox.write("cutover.toml", config);
        sandbox
    }

    /// A variable of the commands' environment; they have no other but `PATH` and `HOME`.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs the binary; paths of the sandbox are `[HOME]` in what it said.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_cutover"))
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(self.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let home = self.path().display().to_string();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&home, "[HOME]");
        Ran { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "exit: {}",
            self.status.map_or_else(|| "signal".to_owned(), |status| status.to_string())
        )?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                writeln!(f, "{name}:\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

/// Holds `told` against the snapshot of this name in `snapshots/`.
pub(crate) fn snapshot(name: &str, told: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, told));
}
