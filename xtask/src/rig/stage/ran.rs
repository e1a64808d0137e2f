//! How the program ended.

use std::time::Duration;

use serde_json::Value;

/// How the program ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its exit status; none if a signal ended it.
    pub status: Option<i32>,
    /// Its data.
    pub stdout: String,
    /// Its narration.
    pub stderr: String,
    /// From its start to its end.
    pub took: Duration,
}

impl Ran {
    /// The one JSON object on stdout.
    ///
    /// # Panics
    /// When there is none, with everything the program said.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:#?}"))
    }

    /// Itself, if it ended with this status.
    ///
    /// # Panics
    /// When it did not, with everything the program said.
    pub fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.stdout, self.stderr);
        self
    }
}
