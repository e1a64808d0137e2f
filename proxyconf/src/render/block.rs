//! Whose `server` block a text is for, and so what its variables are called.

use super::text::Text;
use crate::{App, AppName, Exposure};

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
    /// The block that the app is served in.
    pub(super) fn of(app: &App) -> Self {
        match app.exposure {
            Exposure::Site(_) => Self::Own,
            Exposure::Snippets => Self::Users,
        }
    }

    /// The variable `$cutover_<what>`, in a block of the user's `$cutover_<what>_<app>`; `what` holds no `_`, so that no
    /// two apps share one there.
    pub(super) fn variable(self, app: &AppName, what: &str) -> String {
        match self {
            Self::Own => format!("$cutover_{what}"),
            Self::Users => format!("$cutover_{what}_{}", app.ident()),
        }
    }
}

/// For the http block: what a variable holds for a request that was refused before anything was decided of it. nginx would
/// write a warning of each that it looks at.
pub(super) fn empty_unless_set(text: &mut Text, variable: &str) {
    text.block(format_args!("map \"\" {variable}"), |text| text.line(format_args!("default \"\";")));
}
