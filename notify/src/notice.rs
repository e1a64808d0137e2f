use std::time::Duration;

use crate::Status;

/// What there is to tell about a deployment that has ended. What is not known is left `None` or empty and is not
/// shown.
///
/// All text is taken as it is and made harmless by the sink: nothing in a commit's message, a log or a
/// reason can page anyone or forge a link. A secret must not be put here.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// How it ended.
    pub status: Status,
    /// What was deployed, where, by whom, and what for.
    pub facts: Facts,
    /// Why it did not succeed.
    pub reason: Option<String>,
    /// The release's last lines of log, oldest first.
    pub logs: Vec<String>,
    /// What to do next, a command to go back for one.
    pub next: Option<String>,
}

impl Notice {
    /// A notice that says how the deployment of `app` ended and nothing else.
    #[must_use]
    pub fn new(status: Status, app: impl Into<String>) -> Self {
        Self { status, facts: Facts::new(app), reason: None, logs: Vec::new(), next: None }
    }
}

/// What there is to tell while a deployment goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is known so far; in [`Facts::phases`] the phases that are done.
    pub facts: Facts,
    /// What is being done now, in words.
    pub phase: Option<String>,
}

impl Progress {
    /// The deployment of `app` has begun, and nothing else is known.
    #[must_use]
    pub fn new(app: impl Into<String>) -> Self {
        Self { facts: Facts::new(app), phase: None }
    }
}

/// What is known of a deployment, whether it has ended or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The app, `web` for one.
    pub app: String,
    /// The reference of the release that this is about: the one that went live, that was refused, or that
    /// was left again.
    pub image: Option<String>,
    /// That release's digest, `sha256:…`.
    pub digest: Option<String>,
    /// The reference or digest of the release that was live before; after [`Status::RolledBack`] it is the
    /// one that serves again.
    pub previous: Option<String>,
    /// The slot that traffic left, `blue` or `green`.
    pub from_slot: Option<String>,
    /// The slot that traffic went to.
    pub to_slot: Option<String>,
    /// The machine that was deployed to.
    pub host: Option<String>,
    /// Who deployed.
    pub actor: Option<String>,
    /// The wall time of the whole.
    pub took: Option<Duration>,
    /// The wall time of each phase, in order.
    pub phases: Vec<(String, Duration)>,
    /// The requests that were served meanwhile, where they were counted.
    pub requests: Option<Requests>,
    /// Where a release that waits can be looked at.
    pub preview: Option<String>,
    /// The page of the image, as [`package_url`](crate::package_url) makes it for GHCR.
    pub package_url: Option<String>,
    /// The commit and the run of CI.
    pub source: Source,
}

impl Facts {
    /// Nothing is known but the app.
    #[must_use]
    pub fn new(app: impl Into<String>) -> Self {
        Self { app: app.into(), ..Self::default() }
    }
}

/// Requests that were counted while a deployment went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// All of them.
    pub total: u64,
    /// Those that were not answered, or with a 5xx.
    pub lost: u64,
    /// So long 99 of 100 took before, during and after the switch of traffic, where that was measured.
    pub p99: [Option<Duration>; 3],
}

/// Where a deployment came from: the commit, and the CI job that ran it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The repository, `owner/name`.
    pub repo: Option<String>,
    /// The commit's message.
    pub message: Option<String>,
    /// The commit, 40 or 64 hexadecimal digits.
    pub commit: Option<String>,
    /// The commit's author.
    pub author: Option<String>,
    /// The action or step that ran the deployment.
    pub action: Option<String>,
    /// The event that set the workflow off.
    pub event_name: Option<String>,
    /// The git reference.
    pub ref_: Option<String>,
    /// The workflow.
    pub workflow: Option<String>,
    /// The workflow's job.
    pub job: Option<String>,
    /// The page of the CI run. A link is shown for `http` and `https` addresses only.
    pub run_url: Option<String>,
    /// The page of the commit.
    pub commit_url: Option<String>,
    /// The page of the repository.
    pub repo_url: Option<String>,
    /// The page of what changed since the release before, as [`compare_url`](crate::compare_url) makes it.
    pub compare_url: Option<String>,
}
