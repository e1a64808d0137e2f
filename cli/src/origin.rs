//! Who runs this, where, and for which commit: from the environment of CI, and of the shell where there is none.

use std::path::Path;

use cutover_notify::Source;

/// Who runs this, where, and for what.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The user: `ann`.
    pub actor: String,
    /// The machine: `web-1`.
    pub host: String,
    /// The commit and the run of CI, as far as they are known.
    pub source: Source,
}

impl Origin {
    /// Reads it from the environment.
    #[must_use]
    pub fn observe() -> Self {
        let actor = first(&["GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER", "USER", "LOGNAME"]);
        Self {
            actor: actor.unwrap_or_else(|| rustix::process::getuid().as_raw().to_string()),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            source: source(),
        }
    }

    /// `ann@web-1`.
    #[must_use]
    pub fn who(&self) -> String {
        format!("{}@{}", self.actor, self.host)
    }

    /// Adds what git says of the folder's commit where CI said nothing. Runs git, so only for a notice.
    #[must_use]
    pub fn with_git(mut self) -> Self {
        let source = &mut self.source;
        if source.commit.is_none() {
            source.commit = git(&["rev-parse", "HEAD"]);
            source.ref_ = source.ref_.take().or_else(|| git(&["symbolic-ref", "--quiet", "HEAD"]));
        }
        if source.message.is_none() {
            source.message = git(&["log", "-1", "--format=%s"]);
            source.author = source.author.take().or_else(|| git(&["log", "-1", "--format=%an"]));
        }
        self
    }
}

fn source() -> Source {
    let server = variable("GITHUB_SERVER_URL");
    let repo = first(&["GITHUB_REPOSITORY", "CI_PROJECT_PATH"]);
    let commit = first(&["GITHUB_SHA", "CI_COMMIT_SHA"]);
    let repo_url = server.zip(repo.clone()).map(|(server, repo)| format!("{server}/{repo}"));
    let repo_url = repo_url.or_else(|| variable("CI_PROJECT_URL"));
    let run_url =
        repo_url.clone().zip(variable("GITHUB_RUN_ID")).map(|(url, id)| format!("{url}/actions/runs/{id}"));
    let commit_url =
        repo_url.clone().zip(commit.clone()).map(|(url, commit)| format!("{url}/commit/{commit}"));
    Source {
        message: variable("CI_COMMIT_TITLE"),
        author: variable("CI_COMMIT_AUTHOR"),
        action: variable("GITHUB_ACTION"),
        event_name: first(&["GITHUB_EVENT_NAME", "CI_PIPELINE_SOURCE"]),
        ref_: first(&["GITHUB_REF", "CI_COMMIT_REF_NAME"]),
        workflow: variable("GITHUB_WORKFLOW"),
        job: first(&["GITHUB_JOB", "CI_JOB_NAME"]),
        run_url: run_url.or_else(|| variable("CI_JOB_URL")),
        repo,
        commit,
        commit_url,
        repo_url,
        compare_url: None,
    }
}

fn first(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| variable(name))
}

/// A variable of the environment, unless it is empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn git(arguments: &[&str]) -> Option<String> {
    crate::git::git(Path::new("."), arguments).filter(|text| !text.is_empty())
}
