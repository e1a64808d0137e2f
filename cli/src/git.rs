//! git, asked without a shell.

use std::path::Path;
use std::process::Command;

/// What of our environment git is given: where it is and whose settings it reads. The rest may hold secrets, which are
/// nobody's business but ours.
const KEPT: [&str; 7] = ["PATH", "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "LANG", "LC_ALL"];

/// What git prints; none where it fails, as outside of a repository or without git.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let kept = std::env::vars_os().filter(|(name, _)| {
        name.to_str().is_some_and(|name| KEPT.contains(&name) || name.starts_with("GIT_"))
    });
    let mut command = Command::new("git");
    command.env_clear().envs(kept).arg("-C").arg(folder).args(arguments);
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
