//! What a check found.

use std::borrow::Cow;

use serde::Serialize;

use crate::failure::{Exit, Failure};

/// What a check found, and how it is mended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check, by its group and its matter: `nginx.include`.
    pub name: Cow<'static, str>,
    /// How grave it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// How it is mended; none where there is nothing to mend.
    pub mend: Option<String>,
    /// How a deploy would end of it, of a [`State::Problem`].
    #[serde(skip)]
    pub exit: Exit,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Worth mending; a deploy goes well all the same.
    Warning,
    /// A deploy would fail.
    Problem,
}

impl State {
    /// As it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

type Words = Cow<'static, str>;

impl Finding {
    fn new(name: impl Into<Words>, state: State, found: impl Into<String>, mend: Option<String>) -> Self {
        Self { name: name.into(), state, found: found.into(), mend, exit: Exit::Unreachable }
    }

    /// As it should be.
    pub(super) fn ok(name: impl Into<Words>, found: impl Into<String>) -> Self {
        Self::new(name, State::Ok, found, None)
    }

    /// Worth knowing.
    pub(super) fn note(name: impl Into<Words>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, State::Note, found, Some(mend.into()))
    }

    /// Worth mending.
    pub(super) fn warning(name: impl Into<Words>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, State::Warning, found, Some(mend.into()))
    }

    /// A deploy would fail of it.
    pub(super) fn problem(name: impl Into<Words>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::new(name, State::Problem, found, Some(mend.into()))
    }

    /// A deploy would fail of it in just this way. The mend is for a failure that names none itself.
    pub(super) fn failed(name: impl Into<Words>, failure: &Failure, mend: &str) -> Self {
        let mend = failure.mend().unwrap_or(mend).to_owned();
        Self { exit: failure.exit(), ..Self::problem(name, failure.reason(), mend) }
    }

    /// A problem where the condition holds, a warning otherwise.
    pub(super) fn grave_if(self, grave: bool) -> Self {
        Self { state: if grave { State::Problem } else { State::Warning }, ..self }
    }
}
