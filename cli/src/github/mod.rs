//! GitHub Actions, seen by its environment: workflow commands, a step's outputs, and the job's summary.
//!
//! What each is for, and how it is written, stands in GitHub's "Workflow commands for GitHub Actions". The runner reads
//! commands from both streams; ours go to stderr, since stdout is data.

mod command;
mod outputs;
mod summary;

use std::io::Write as _;
use std::path::PathBuf;

use cutover_registry::ImageRef;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;

pub(crate) use command::{command, error};

use crate::config::Config;
use crate::config::secret::Value;
use crate::origin::variable;
use crate::outcome::Outcome;

/// Whether this is a step of GitHub Actions.
#[must_use]
pub(crate) fn is_here() -> bool {
    variable("GITHUB_ACTIONS").as_deref() == Some("true")
}

/// Has the runner mask a secret in everything that the job prints from here on. Elsewhere nothing is done.
pub(crate) fn mask(secret: &SecretString) {
    if !is_here() {
        return;
    }
    let mut stderr = std::io::stderr().lock();
    for line in secret.expose_secret().lines().filter(|line| !line.trim().is_empty()) {
        drop(writeln!(stderr, "{}", command("add-mask", &[], line)));
    }
}

/// Has the runner mask the secrets that the file names, before anything else is printed. One that a program has to tell is
/// masked when it is told.
pub(crate) fn mask_all(config: &Config) {
    if !is_here() {
        return;
    }
    let file = &config.file;
    let registries = file.registry.values().filter_map(|registry| Some(&registry.password.as_ref()?.value));
    let notices = file.notify.secrets();
    let apps = file.apps.values().flat_map(|app| {
        let env = app.env.values().filter_map(|value| match &value.value {
            Value::Secret(source) => Some(source),
            Value::Plain(_) => None,
        });
        env.chain(app.build.iter().flat_map(|build| build.secrets.values().map(|source| &source.value)))
    });
    for source in registries.chain(notices).chain(apps) {
        if let Some(secret) = source.at_hand(config.base()) {
            mask(&secret);
        }
    }
}

/// Hands an image to the jobs after this one: the outputs `image`, by digest, and `digest`.
///
/// # Errors
/// When the step's file cannot be written.
pub(crate) fn hand_on(image: &ImageRef, digest: &str) -> std::io::Result<()> {
    outputs::add(file("GITHUB_OUTPUT"), &[("image", &image.to_string()), ("digest", digest)])
}

/// Sets the outputs of a run (`image` by digest, `digest`, `live`, `outcome`, `previous`; those that are known) and adds it
/// to the job's summary, where there is a step to do that for.
///
/// # Errors
/// When one of the step's files cannot be written.
pub(crate) fn account(outcome: &Outcome) -> std::io::Result<()> {
    let pinned = || {
        let image: ImageRef = outcome.image.as_deref()?.parse().ok()?;
        Some(image.with_digest(outcome.digest.as_deref()?.parse().ok()?).to_string())
    };
    let known = [
        ("image", pinned()),
        ("digest", outcome.digest.clone()),
        ("live", outcome.live.clone()),
        ("outcome", Some(outcome.outcome.as_str().to_owned())),
        ("previous", outcome.previous.clone()),
    ];
    let known: Vec<(&str, &str)> =
        known.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    outputs::add(file("GITHUB_OUTPUT"), &known)?;
    outputs::append(file("GITHUB_STEP_SUMMARY"), &summary::of(outcome))
}

fn file(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from)
}
