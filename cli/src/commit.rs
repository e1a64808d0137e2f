//! What is built: the commit of a folder, as CI and git know it.

use std::path::Path;

use crate::config::tag::Word;
use crate::git::git;
use crate::origin::variable;

/// How many of a commit's digits a tag has.
const SHORT: usize = 12;

/// The commit of a folder, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its id; `-dirty` is added where files were changed since.
    pub revision: Option<String>,
    /// When it was made, in seconds since 1970. None where files were changed since.
    pub time: Option<i64>,
    /// The branch.
    pub branch: Option<String>,
    /// The commit's own tag.
    pub version: Option<String>,
    /// Where its repository is looked at, without credentials.
    pub source: Option<String>,
}

impl Commit {
    /// Asks CI's environment, and git in the folder for what that does not say. Runs git.
    #[must_use]
    pub fn observe(folder: &Path) -> Self {
        let git = |arguments: &[&str]| git(folder, arguments);
        let of_ci = variable("GITHUB_SHA").or_else(|| variable("CI_COMMIT_SHA"));
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
        let dirty = of_ci.is_none() && changed.is_some_and(|changed| !changed.is_empty());
        let revision = of_ci.or_else(|| git(&["rev-parse", "HEAD"])).filter(|id| !id.is_empty());
        let time = git(&["log", "-1", "--format=%ct"]).and_then(|time| time.parse().ok());
        let (branch, version) = of_github().or_else(of_gitlab).unwrap_or_default();
        Self {
            time: time.filter(|_| revision.is_some() && !dirty),
            revision: revision.map(|id| if dirty { format!("{id}-dirty") } else { id }),
            branch: branch.or_else(|| git(&["symbolic-ref", "--quiet", "--short", "HEAD"])),
            version: version
                .or_else(|| git(&["describe", "--tags", "--exact-match", "HEAD"]))
                .filter(|_| !dirty),
            source: source().or_else(|| web_address(&git(&["remote", "get-url", "origin"])?)),
        }
    }

    /// What a word in a tag stands for.
    #[must_use]
    pub fn word(&self, word: Word) -> Option<String> {
        match word {
            Word::Commit => self.revision.as_deref().map(|revision| {
                let (id, dirty) = revision.split_once('-').map_or((revision, ""), |(id, _)| (id, "-dirty"));
                format!("{}{dirty}", id.get(..SHORT).unwrap_or(id))
            }),
            Word::Branch => self.branch.clone(),
            Word::Version => self.version.clone(),
        }
    }
}

/// Branch and version, as GitHub Actions tells the ref that it runs for.
fn of_github() -> Option<(Option<String>, Option<String>)> {
    let name = variable("GITHUB_REF_NAME")?;
    match variable("GITHUB_REF_TYPE")?.as_str() {
        "branch" => Some((Some(name), None)),
        "tag" => Some((None, Some(name))),
        _ => None,
    }
}

fn of_gitlab() -> Option<(Option<String>, Option<String>)> {
    let (branch, version) = (variable("CI_COMMIT_BRANCH"), variable("CI_COMMIT_TAG"));
    (branch.is_some() || version.is_some()).then_some((branch, version))
}

fn source() -> Option<String> {
    let github = variable("GITHUB_SERVER_URL").zip(variable("GITHUB_REPOSITORY"));
    github.map(|(server, repository)| format!("{server}/{repository}")).or_else(|| variable("CI_PROJECT_URL"))
}

/// The address of a remote in a browser; it may hold a token, which goes.
fn web_address(remote: &str) -> Option<String> {
    let (host, path) = match remote.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.split_once('/')?,
        Some(_) => return None,
        // `git@github.com:acme/web.git`
        None => remote.split_once(':').filter(|(host, _)| !host.contains('/'))?,
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let path = path.trim_matches('/').trim_end_matches(".git");
    (!host.is_empty() && !path.is_empty()).then(|| format!("https://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remotes_address_is_told_without_what_is_secret_in_it() {
        let wanted = Some("https://github.com/acme/web".to_owned());
        for remote in [
            "https://github.com/acme/web.git",
            "https://github.com/acme/web/",
            "https://x-access-token:ghs_secret@github.com/acme/web.git",
            "git@github.com:acme/web.git",
            "ssh://git@github.com/acme/web.git",
        ] {
            assert_eq!(web_address(remote), wanted, "{remote}");
        }
        for remote in ["", "/srv/git/web.git", "../web", "file:///srv/git/web.git", "https://github.com"] {
            assert_eq!(web_address(remote), None, "{remote}");
        }
    }

    #[test]
    fn a_tag_has_the_short_commit_and_says_when_files_were_changed() {
        let of = |revision: &str| Commit { revision: Some(revision.to_owned()), ..Commit::default() };
        let id = "0123456789abcdef0123456789abcdef01234567";
        assert_eq!(of(id).word(Word::Commit).as_deref(), Some("0123456789ab"));
        assert_eq!(of(&format!("{id}-dirty")).word(Word::Commit).as_deref(), Some("0123456789ab-dirty"));
        assert_eq!(of("0123").word(Word::Commit).as_deref(), Some("0123"));
    }
}
