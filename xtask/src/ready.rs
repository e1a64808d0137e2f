//! Whether this machine has what a chore stands on, and what to run where it has not.

use std::io::Write as _;
use std::process::ExitCode;

use crate::rig::needs::{self, Need};

/// How a chore ends that cannot begin: as a wrong command line does.
const NOT_READY: u8 = 2;

/// Makes sure of the parts that a chore stands on. With `install` what is missing is installed first.
///
/// # Errors
///
/// The exit status to end with, when something is missing; it has been told on stderr, with the command that mends it.
pub(crate) fn ready(chore: &str, wanted: &[Need], install: bool) -> Result<(), ExitCode> {
    let missing = || -> Vec<needs::Missing> {
        needs::check().into_iter().filter(|missing| wanted.contains(&missing.need)).collect()
    };
    let mut lacking = missing();
    if lacking.is_empty() {
        return Ok(());
    }
    if install {
        if let Err(error) = needs::install(&lacking) {
            say(&format!("error: {}", told(&error)));
            return Err(ExitCode::from(NOT_READY));
        }
        lacking = missing();
        if lacking.is_empty() {
            return Ok(());
        }
    }
    say(&unready(chore, &lacking, cfg!(target_os = "linux"), rustix::process::geteuid().is_root()));
    Err(ExitCode::from(NOT_READY))
}

/// What is missing, each with its command, and why `--install` may not do.
fn unready(chore: &str, missing: &[needs::Missing], linux: bool, root: bool) -> String {
    let mut text = format!("error: `cargo xtask {chore}` needs what this machine has not\n");
    for missing in missing {
        text.push_str(&format!("  {:<32} {}\n", missing.what, missing.mend));
    }
    text.push_str(&match (linux, root) {
        (false, _) => {
            "nginx on the host must reach containers by their address, which Docker Desktop does not \
                       allow: run this in a Linux virtual machine"
                .to_owned()
        }
        (true, false) => format!("as root, `cargo xtask {chore} --install` does it on Debian and Ubuntu"),
        (true, true) => format!("`cargo xtask {chore} --install` does it on Debian and Ubuntu"),
    });
    text
}

/// An error with everything that it comes from.
pub(crate) fn told(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(error.source(), |error| error.source());
    sources.fold(error.to_string(), |text, source| format!("{text}: {source}"))
}

/// A line of narration on stderr.
pub(crate) fn say(line: &str) {
    // A reader that went away must not stop the work.
    drop(writeln!(std::io::stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_command() {
        let missing = needs::Missing {
            need: Need::Nginx,
            what: "nginx",
            mend: "apt-get install -y nginx-light".to_owned(),
            optional: false,
        };
        let told = |linux, root| unready("demo", std::slice::from_ref(&missing), linux, root);
        assert!(
            told(true, true).contains("  nginx                            apt-get install -y nginx-light\n")
        );
        assert!(told(true, true).ends_with("`cargo xtask demo --install` does it on Debian and Ubuntu"));
        assert!(told(true, false).contains("as root, `cargo xtask demo --install`"));
        assert!(told(false, false).contains("run this in a Linux virtual machine"));
    }
}
