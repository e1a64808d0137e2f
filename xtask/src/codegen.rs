//! `cargo xtask codegen`: everything in `docs/reference`, made from the code it describes.

mod commands;
mod configuration;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use cutover::args::Cli;

use crate::chore::Failed;
use crate::output;
use crate::rig::{Doing as _, place, unexpected};

/// Where what is generated lies in the workspace. Nothing else lies there.
const REFERENCE: &str = "docs/reference";

/// Write what is generated in `docs/reference`.
#[derive(Debug, Args)]
pub(crate) struct Codegen {
    /// Write nothing; fail where a file is not as it would be written.
    #[arg(long)]
    check: bool,
}

/// Files by their path below a folder.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Codegen {
    /// For [`crate::ci`].
    pub(crate) fn checking() -> Self {
        Self { check: true }
    }

    /// Writes the files, and removes what is no longer generated.
    ///
    /// # Errors
    ///
    /// With `--check` the files that are stale.
    pub(crate) fn run(&self) -> Result<(), Failed> {
        let folder = place::workspace().join(REFERENCE);
        let wanted = files()?;
        let stale = stale(&wanted, &read(&folder)?);
        if self.check {
            let faults: Vec<String> = stale
                .iter()
                .map(|path| format!("{REFERENCE}/{} is stale: cargo xtask codegen", path.display()))
                .collect();
            return if faults.is_empty() { Ok(()) } else { Err(Failed::Faults(faults)) };
        }
        for path in stale {
            let file = folder.join(&path);
            let doing = || format!("write {}", file.display());
            if let Some(text) = wanted.get(&path) {
                fs::create_dir_all(file.parent().unwrap_or(&folder)).doing(doing())?;
                fs::write(&file, text).doing(doing())?;
            } else {
                fs::remove_file(&file).doing(format!("remove {}", file.display()))?;
            }
            output::result(&format!("{REFERENCE}/{}", path.display()));
        }
        Ok(())
    }
}

/// What is to lie in the folder.
fn files() -> Result<Files, Failed> {
    let mut files = Files::new();
    let schema = cutover::config::schema();
    let text = serde_json::to_string_pretty(&schema).map_err(|error| unexpected("the schema", error))?;
    files.insert("cutover.toml.schema.json".into(), format!("{text}\n").into_bytes());
    files.insert("configuration.md".into(), configuration::markdown(&schema).into_bytes());
    files.insert("commands.md".into(), commands::markdown(&command()).into_bytes());
    for (shell, path) in [
        (Shell::Bash, "completions/bash/cutover"),
        (Shell::Zsh, "completions/zsh/_cutover"),
        (Shell::Fish, "completions/fish/cutover.fish"),
    ] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command(), "cutover", &mut script);
        files.insert(path.into(), script);
    }
    let mut command = command().disable_help_subcommand(true);
    command.build();
    man(&command, &mut files).doing("write a manual page to memory")?;
    Ok(files)
}

/// cutover's command line, by no terminal's width.
fn command() -> clap::Command {
    Cli::command().term_width(100)
}

/// The manual page of a command, and of each below it.
fn man(command: &clap::Command, files: &mut Files) -> io::Result<()> {
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    files.insert(Path::new("man").join(page.get_filename()), text);
    command.get_subcommands().try_for_each(|below| man(below, files))
}

/// What lies in the folder; nothing when there is none.
fn read(folder: &Path) -> Result<Files, Failed> {
    let mut files = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        let entries = match fs::read_dir(&below) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.doing(format!("read {}", below.display()))?,
        };
        for entry in entries {
            let path = entry.doing(format!("read {}", below.display()))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = fs::read(&path).doing(format!("read {}", path.display()))?;
                files.insert(path.strip_prefix(folder).unwrap_or(&path).to_owned(), text);
            }
        }
    }
    Ok(files)
}

/// The paths that are missing, different, or no longer wanted.
fn stale(wanted: &Files, there: &Files) -> Vec<PathBuf> {
    let mut paths: Vec<&PathBuf> = wanted.keys().chain(there.keys()).collect();
    paths.sort();
    paths.dedup();
    paths.into_iter().filter(|path| wanted.get(*path) != there.get(*path)).cloned().collect()
}
