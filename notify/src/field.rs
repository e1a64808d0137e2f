use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// One fact about where a deployment came from that a notice may show.
///
/// The names are those of the `fields` input of the GitHub action `8398a7/action-slack`, so that a list
/// written for it can stay: `repo`, `message`, `commit`, `author`, `action`, `eventName`, `ref`,
/// `workflow`, `job`, `took`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Field {
    /// The repository, `owner/name`.
    Repo,
    /// The first line of the commit's message.
    Message,
    /// The commit, shortened to 7 digits.
    Commit,
    /// The commit's author.
    Author,
    /// The action or step that ran the deployment.
    Action,
    /// The event that set the workflow off, `push` for one.
    EventName,
    /// The git reference, `refs/heads/main` for one.
    Ref,
    /// The workflow.
    Workflow,
    /// The workflow's job.
    Job,
    /// How long the deployment took.
    Took,
}

impl Field {
    /// Every field, in the order of declaration.
    pub const ALL: [Self; 10] = [
        Self::Repo,
        Self::Message,
        Self::Commit,
        Self::Author,
        Self::Action,
        Self::EventName,
        Self::Ref,
        Self::Workflow,
        Self::Job,
        Self::Took,
    ];

    /// The name of this field: it is read from a configuration, and titles the value in a notice.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repo => "repo",
            Self::Message => "message",
            Self::Commit => "commit",
            Self::Author => "author",
            Self::Action => "action",
            Self::EventName => "eventName",
            Self::Ref => "ref",
            Self::Workflow => "workflow",
            Self::Job => "job",
            Self::Took => "took",
        }
    }
}

/// A choice of fields, each once, in the order of writing.
///
/// Reads as names with commas between them, which is how the `fields` input of `8398a7/action-slack` is written:
/// `repo,message,commit`. `all` is every field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// Every field.
    #[must_use]
    pub fn all() -> Self {
        Self(Field::ALL.to_vec())
    }

    /// The fields.
    #[must_use]
    pub fn as_slice(&self) -> &[Field] {
        &self.0
    }

    pub(crate) fn has(&self, field: Field) -> bool {
        self.0.contains(&field)
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        let mut chosen = Vec::new();
        for field in fields {
            if !chosen.contains(&field) {
                chosen.push(field);
            }
        }
        Self(chosen)
    }
}

impl FromStr for Fields {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Field`] for the first name that is none.
    fn from_str(given: &str) -> Result<Self, Error> {
        let mut chosen = Vec::new();
        for name in given.split(',').map(str::trim) {
            match name {
                "all" => chosen.extend(Field::ALL),
                name => chosen.push(name.parse()?),
            }
        }
        Ok(chosen.into_iter().collect())
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|field| field.as_str()).collect();
        f.pad(&names.join(","))
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Field {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Field`], which lists the names, for any other.
    fn from_str(given: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|field| field.as_str() == given)
            .ok_or_else(|| Error::Field { given: given.to_owned() })
    }
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.as_str()
    }
}

impl TryFrom<String> for Field {
    type Error = Error;

    fn try_from(given: String) -> Result<Self, Error> {
        given.parse()
    }
}
