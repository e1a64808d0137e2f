//! A step of a job, run as a runner runs it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A runner: what its steps hand on lies in files, as GitHub's does.
pub(crate) struct Runner {
    place: TempDir,
    /// What stands for expressions such as `github.token`.
    pub(crate) context: BTreeMap<String, String>,
    /// The environment of every step.
    pub(crate) env: BTreeMap<String, String>,
}

impl Runner {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let mut env = BTreeMap::new();
        for (name, file) in
            [("GITHUB_OUTPUT", "output"), ("GITHUB_PATH", "path"), ("GITHUB_STEP_SUMMARY", "summary")]
        {
            env.insert(name.to_owned(), place.path().join(file).display().to_string());
        }
        std::fs::create_dir(place.path().join("temp")).unwrap();
        env.insert("RUNNER_TEMP".to_owned(), place.path().join("temp").display().to_string());
        env.insert("RUNNER_OS".to_owned(), "Linux".to_owned());
        Self { place, context: BTreeMap::new(), env }
    }

    /// The folder that a job's steps may use.
    pub(crate) fn temp(&self) -> std::path::PathBuf {
        self.place.path().join("temp")
    }

    /// What the steps so far have added to a file: `output`, `path` or `summary`.
    pub(crate) fn said(&self, file: &str) -> String {
        std::fs::read_to_string(self.place.path().join(file)).unwrap_or_default()
    }

    /// An output of the steps so far.
    pub(crate) fn output(&self, name: &str) -> Option<String> {
        let said = self.said("output");
        let found = said.lines().rev().filter_map(|line| line.split_once('=')).find(|(key, _)| *key == name);
        found.map(|(_, value)| value.to_owned())
    }

    /// Runs the script of a step in a folder, with its environment.
    pub(crate) fn run(&self, step: &Value, folder: &Path) -> Output {
        let script = self.filled(step["run"].as_str().unwrap_or_else(|| panic!("no script: {step}")));
        let mut command = Command::new("/bin/bash");
        // As GitHub's documentation has it of `shell: bash`.
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script]).current_dir(folder);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(&self.env);
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            command.env(name, self.filled(value.as_str().unwrap()));
        }
        command.output().unwrap()
    }

    /// A text with its expressions filled in; one that is not known is none of ours.
    pub(crate) fn filled(&self, text: &str) -> String {
        let mut parts = text.split("${{");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (expression, rest) = part.split_once("}}").unwrap();
            let value = self.context.get(expression.trim());
            filled.push_str(value.unwrap_or_else(|| panic!("`{expression}` is not known")));
            filled.push_str(rest);
        }
        filled
    }
}

/// The words of a script that ended well.
pub(crate) fn well(output: &Output) -> String {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}{error}", output.status);
    out.into_owned()
}
