//! The one error type at the edge: what failed, why, what still serves, what to do next, and the exit status.

use std::error::Error;
use std::fmt;

use crate::config::secret::SecretUnread;
use crate::config::{ConfigUnread, Invalid, NoSuchApp};
use crate::plan::Refusal;
use crate::veil::veil;

/// The exit status of the process. Other tools are held to these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// A fault of ours, or unexpected.
    Fault = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// Engine, nginx or registry cannot be reached or refused us; nothing was changed.
    Unreachable = 3,
    /// The new release did not become healthy; the old one serves as before.
    Unhealthy = 4,
    /// Another deploy of this app holds the lock.
    Locked = 5,
    /// The new release failed after the switch; traffic is back on the old one.
    RolledBack = 6,
    /// Interrupted; traffic is on a healthy release.
    Interrupted = 7,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed, for a person and for a script.
#[derive(Debug)]
pub struct Failure(Box<Told>);

#[derive(Debug)]
struct Told {
    exit: Exit,
    what: String,
    why: Vec<String>,
    serves: Option<String>,
    next: Option<String>,
    logs: Vec<String>,
    invalid: Option<Box<Invalid>>,
}

impl Failure {
    /// A failure with its exit status and a sentence of what failed.
    #[must_use]
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        let what = veil(&what.into()).into_owned();
        Self(Box::new(Told {
            exit,
            what,
            why: Vec::new(),
            serves: None,
            next: None,
            logs: Vec::new(),
            invalid: None,
        }))
    }

    /// A failure from an error, whose sources become the reasons.
    #[must_use]
    pub fn from_error(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let mut failure = Self::new(exit, error.to_string());
        failure.push_sources(error);
        failure
    }

    /// The failure with the error as the reason for it.
    #[must_use]
    pub fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.0.why.push(veil(&error.to_string()).into_owned());
        self.push_sources(error);
        self
    }

    fn push_sources(&mut self, error: &(dyn Error + 'static)) {
        let mut source = error.source();
        while let Some(error) = source {
            let words = veil(&error.to_string()).into_owned();
            if !self.0.why.last().unwrap_or(&self.0.what).contains(&words) {
                self.0.why.push(words);
            }
            source = error.source();
        }
    }

    /// The failure with a sentence on what serves now.
    #[must_use]
    pub fn serves(mut self, serves: impl Into<String>) -> Self {
        self.0.serves = Some(veil(&serves.into()).into_owned());
        self
    }

    /// The failure with a sentence on what to do next.
    #[must_use]
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next.get_or_insert_with(|| veil(&next.into()).into_owned());
        self
    }

    /// The failure with the last lines of the container concerned.
    #[must_use]
    pub fn logs(mut self, logs: Vec<String>) -> Self {
        self.0.logs = logs.into_iter().map(|line| veil(&line).into_owned()).collect();
        self
    }

    /// The failure with another exit status.
    #[must_use]
    pub fn exiting(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// The exit status.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// What failed and why, in one line.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut reason = self.0.what.clone();
        for why in &self.0.why {
            reason.push_str(": ");
            reason.push_str(why);
        }
        reason
    }

    /// The place in the configuration, where that is what is wrong.
    #[must_use]
    pub fn invalid(&self) -> Option<&Invalid> {
        self.0.invalid.as_deref()
    }

    /// What to do next, where that is known.
    #[must_use]
    pub fn mend(&self) -> Option<&str> {
        self.0.next.as_deref().or_else(|| self.0.invalid.as_ref()?.mend())
    }

    /// The last lines of the container concerned, oldest first.
    #[must_use]
    pub fn log_lines(&self) -> &[String] {
        &self.0.logs
    }

    /// The whole for a person, over several lines.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        if let Some(invalid) = &self.0.invalid {
            return invalid.render(colour);
        }
        let (red, plain) = if colour { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
        let mut text = format!("{red}error{plain}: {}", self.0.what);
        for why in &self.0.why {
            text.push_str(&format!("\n  because {why}"));
        }
        if !self.0.logs.is_empty() {
            text.push_str("\n  its last lines:");
            for line in &self.0.logs {
                text.push_str(&format!("\n    | {line}"));
            }
        }
        for (name, words) in [("now", &self.0.serves), ("next", &self.0.next)] {
            if let Some(words) = words {
                text.push_str(&format!("\n  {name}: {words}"));
            }
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason())
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let mut failure = Self::new(Exit::Usage, invalid.to_string());
        failure.0.invalid = Some(Box::new(invalid));
        failure
    }
}

impl From<ConfigUnread> for Failure {
    fn from(error: ConfigUnread) -> Self {
        match error {
            ConfigUnread::Invalid(invalid) => (*invalid).into(),
            error => {
                Self::from_error(Exit::Usage, &error).next("name the file with -c, or change to its folder")
            }
        }
    }
}

impl From<NoSuchApp> for Failure {
    fn from(error: NoSuchApp) -> Self {
        Self::from_error(Exit::Usage, &error)
    }
}

impl From<SecretUnread> for Failure {
    fn from(error: SecretUnread) -> Self {
        Self::from_error(Exit::Usage, &error)
    }
}

impl From<cutover_runtime::Error> for Failure {
    fn from(error: cutover_runtime::Error) -> Self {
        use cutover_runtime::Error as E;
        let next = match &error {
            E::Unreachable { .. } | E::Timeout { .. } | E::Exchange { .. } => {
                "see that the engine runs and answers (`cutover doctor` asks it), then run the same command again"
            }
            E::NoSpace { .. } => {
                "make room on the engine's disk (`docker system df`), then run the same command again"
            }
            E::NameTaken { .. } | E::AddressTaken { .. } => {
                "`cutover doctor` names the container that is in the way; rename or remove it, then run the same command again"
            }
            _ => "mend what is named above, then run the same command again",
        };
        Self::from_error(Exit::Unreachable, &error).next(next)
    }
}

impl From<cutover_registry::Error> for Failure {
    fn from(error: cutover_registry::Error) -> Self {
        use cutover_registry::Error as E;
        let failure = Self::from_error(Exit::Unreachable, &error);
        match &error {
            E::Unauthorized { registry, .. } | E::Denied { registry, .. } => failure
                .next(format!("give a user and a token that may read it under [registry.\"{registry}\"]")),
            E::NotFound { .. } => failure.next("push it, or name another image"),
            _ => failure.next("see that the registry runs and answers, then run the same command again"),
        }
    }
}

impl From<cutover_proxyconf::Error> for Failure {
    fn from(error: cutover_proxyconf::Error) -> Self {
        use cutover_proxyconf::Error as E;
        let exit = match error {
            E::InvalidAppName { .. }
            | E::Forbidden { .. }
            | E::Invalid { .. }
            | E::NamesNeedResolve { .. } => Exit::Usage,
            _ => Exit::Unreachable,
        };
        let failure = Self::from_error(exit, &error);
        if exit == Exit::Usage { failure } else { failure.next(mend_of_nginx(&error)) }
    }
}

/// What to do about what befell nginx or its files.
fn mend_of_nginx(error: &cutover_proxyconf::Error) -> &'static str {
    use cutover_proxyconf::Error as E;
    match error {
        E::NotRunning => "start nginx, then run the same command again",
        E::Refused { .. } => "mend it until `nginx -t` is content, then run the same command again",
        E::File { .. } => {
            "let this user write there, and see that there is room; then run the same command again"
        }
        E::Restored { source, .. } | E::NotRestored { source, .. } => mend_of_nginx(source),
        _ => "mend what is named above (`cutover doctor` looks for more), then run the same command again",
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let next = match refusal {
            Refusal::NothingWaits => "`cutover deploy --no-promote` lets a release wait",
            Refusal::NothingBehind => {
                "`cutover history` shows what there was; `cutover rollback --to RELEASE` takes any of it"
            }
            Refusal::NothingLive => "`cutover deploy` makes a release live",
            Refusal::LiveAiling(_) => {
                "`cutover status` and `cutover logs` show how it is; deploy a release that is well"
            }
            Refusal::Waits(_) => "`cutover promote` takes it live, `cutover abort` drops it",
            Refusal::SettingsChanged => "`cutover deploy` makes the release with the new settings live first",
        };
        let exit = match refusal {
            Refusal::LiveAiling(_) => Exit::Unhealthy,
            _ => Exit::Usage,
        };
        Self::from_error(exit, &refusal).next(next)
    }
}
