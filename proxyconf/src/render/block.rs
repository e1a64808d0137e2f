//! Whose `server` block a text is for, and so what its variables are called.

use crate::AppName;

/// Whose `server` block a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// One of ours, which serves one app. All of them use the same variables: nginx makes room for every variable there is
    /// with each request, and puts all their names in one hash, which 1,000 apps with names of their own made slow.
    Own,
    /// One of the user's, which may include several apps.
    Users,
}

impl Block {
    /// The variable `$cutover_<what>`, in a block of the user's `$cutover_<what>_<app>`; `what` holds no `_`, so that no
    /// two apps share one there.
    pub(super) fn variable(self, app: &AppName, what: &str) -> String {
        match self {
            Self::Own => format!("$cutover_{what}"),
            Self::Users => format!("$cutover_{what}_{}", app.ident()),
        }
    }
}
