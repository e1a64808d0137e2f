//! How a run ended, for a script, for the history and for Slack.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::guard::Guarded;
use crate::probe::Figures;

/// What came of a run. The names are what `--json` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    /// The release is live.
    Deployed,
    /// Nothing had to be done.
    Unchanged,
    /// The release waits for its promotion.
    Waiting,
    /// The release was not well and never had traffic.
    Rejected,
    /// The release before is live again.
    RolledBack,
    /// The standby slot holds the live release.
    BackedUp,
    /// The release that waited is gone.
    Aborted,
    /// A signal ended it; traffic is on a healthy release.
    Interrupted,
    /// Something else failed; traffic is where it was.
    Failed,
}

impl Result {
    /// The name, as in `--json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Unchanged => "unchanged",
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::RolledBack => "rolled-back",
            Self::BackedUp => "backed-up",
            Self::Aborted => "aborted",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// The account of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The app.
    pub app: String,
    /// What came of it.
    pub outcome: Result,
    /// The live slot now.
    pub live: Option<String>,
    /// The live slot before.
    pub from: Option<String>,
    /// The release's id.
    pub release: Option<String>,
    /// The image it was asked for by.
    pub image: Option<String>,
    /// The image's digest.
    pub digest: Option<String>,
    /// The digest that was live before.
    pub previous: Option<String>,
    /// The commit that the release's image was built from, by its labels.
    #[serde(skip)]
    pub commit: Option<Commit>,
    /// The commit of the release that was live before.
    #[serde(skip)]
    pub previous_commit: Option<Commit>,
    /// How often nginx was reloaded.
    pub reloads: u32,
    /// How long each phase took, in seconds.
    pub phases: BTreeMap<String, f64>,
    /// How long the whole took, in seconds.
    pub took: f64,
    /// How the requests of `--probe` were answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Figures>,
    /// How the requests of the clients were answered while the release was watched, where nginx told of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<Guarded>,
    /// Where a waiting release is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last lines of the release that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<String>,
}

/// The commit that an image says it was built from
/// ([OCI image specification, annotations](https://github.com/opencontainers/image-spec/blob/main/annotations.md)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The repository, `org.opencontainers.image.source`.
    pub source: String,
    /// The commit's id, `org.opencontainers.image.revision`.
    pub revision: String,
}

impl Commit {
    /// The commit in these labels, if both are there.
    #[must_use]
    pub fn of<'l>(label: impl Fn(&str) -> Option<&'l str>) -> Option<Self> {
        let (source, revision) =
            label("org.opencontainers.image.source").zip(label("org.opencontainers.image.revision"))?;
        Some(Self { source: source.to_owned(), revision: revision.to_owned() })
    }
}
