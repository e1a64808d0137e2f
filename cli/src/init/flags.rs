//! The command line of `cutover init`.

use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::Args;
use cutover_proxyconf::{AppName, Listen, ServerName};
use cutover_registry::ImageRef;

use super::choice::{Health, Label, NginxPlace, Slack};

/// What is said of the app; the folder is looked at for the rest.
#[derive(Clone, Debug, Default, Args)]
pub struct Flags {
    /// The app's folder.
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// The app's name; the folder's if nothing is said.
    #[arg(long)]
    pub name: Option<AppName>,
    /// The image; the package on GHCR of the git remote's repository if nothing is said.
    #[arg(long, value_name = "REF")]
    pub image: Option<ImageRef>,
    /// The user of the image's registry, whose password is read from `REGISTRY_PASSWORD`; for GHCR a token does.
    #[arg(long, value_name = "USER")]
    pub registry_user: Option<String>,
    /// The port the app listens on in its container; the Dockerfile's EXPOSE if nothing is said.
    #[arg(long)]
    pub port: Option<NonZeroU16>,
    /// How a container is found to be well: an HTTP path, `tcp`, or `image` for the image's own HEALTHCHECK.
    #[arg(long, value_name = "CHECK")]
    pub health: Option<Health>,
    /// What nginx listens on for the app: a port, or an address and a port. 80 if nothing is said.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<Listen>,
    /// A name that the site answers to; again for each. All if nothing is said.
    #[arg(long, value_name = "NAME")]
    pub domain: Vec<ServerName>,
    /// Where nginx is: `host`, or `container:NAME`. This host's if nothing is said.
    #[arg(long, value_name = "PLACE")]
    pub nginx: Option<NginxPlace>,
    /// Whether Slack is told: `webhook` or `none`.
    #[arg(long, value_name = "HOW")]
    pub slack: Option<Slack>,
    /// Write workflows for GitHub Actions; so it is where the git remote is on GitHub.
    #[arg(long, overrides_with = "no_github")]
    pub github: bool,
    /// Write none.
    #[arg(long)]
    pub no_github: bool,
    /// A label of the self-hosted runner on the server, besides `self-hosted`.
    #[arg(long, value_name = "LABEL")]
    pub runner: Option<Label>,
    /// The branch whose pushes are deployed; the remote's default branch if nothing is said.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Ask nothing: take what was found, and the defaults.
    #[arg(short, long)]
    pub yes: bool,
    /// Write over files that are there and say something else.
    #[arg(long)]
    pub force: bool,
    /// Print the files instead of writing them.
    #[arg(long, conflicts_with = "force")]
    pub print: bool,
}

impl Flags {
    /// Whether workflows are wanted, if that is said.
    pub(super) fn wants_github(&self) -> Option<bool> {
        match (self.github, self.no_github) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}
