//! Why a build failed.

use std::io;
use std::path::PathBuf;

use super::Builder;
use crate::error::{Error, Source};

/// Why an image was not built. What the engine or its builder said is the source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The engine could not be asked, or failed at something that is not the build's own.
    #[error(transparent)]
    Engine(#[from] Error),
    /// The folder to build from cannot be used.
    #[error("the context `{}` {why}", path.display())]
    Context {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// What the system said.
        source: Option<io::Error>,
    },
    /// The Dockerfile is not there, not readable, or in a place that the builder cannot take it from.
    #[error("the Dockerfile `{}` {why}", path.display())]
    Dockerfile {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// What the system said.
        source: Option<io::Error>,
    },
    /// A file of the context could not be sent.
    #[error("`{}`, a file of the context, {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
        /// What the system said.
        source: Option<io::Error>,
    },
    /// A `.dockerignore` that cannot be read, or a line of it that is no pattern.
    #[error("`{}`, line {line}: `{pattern}` is not a pattern: {why}", path.display())]
    Ignore {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
        /// The line.
        pattern: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A secret that cannot be given to the builder.
    #[error("the build secret `{id}` {why}")]
    Secret {
        /// Its id.
        id: String,
        /// What is wrong with it; never its value.
        why: String,
    },
    /// The builder cannot do what was asked.
    #[error("{builder} cannot build with {what}: {hint}")]
    Unsupported {
        /// The builder that would have built.
        builder: Builder,
        /// What was asked.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// The Dockerfile is not well formed.
    #[error("the Dockerfile has a fault{}", line.map(|line| format!(" in line {line}")).unwrap_or_default())]
    Syntax {
        /// The line's number, from 1, where the builder told it.
        line: Option<u32>,
        /// What the builder said.
        source: Source,
    },
    /// The Dockerfile has no stage of the name given as target.
    #[error("the Dockerfile has no stage `{target}`")]
    NoSuchTarget {
        /// The target.
        target: String,
        /// What the builder said.
        source: Source,
    },
    /// A `COPY` or `ADD` names something that is not in the context, or that `.dockerignore` leaves out.
    #[error("`{path}` is not in the context, or is left out of it by the .dockerignore{}", of(step.as_deref()))]
    NotInContext {
        /// The path as the builder tells it.
        path: String,
        /// The step that needs it.
        step: Option<String>,
        /// What the builder said.
        source: Source,
    },
    /// A step ended with another status than 0.
    #[error("the build failed with exit code {exit_code}{}{}", of(step.as_deref()), told(output))]
    Step {
        /// The step, as the builder names it.
        step: Option<String>,
        /// The status.
        exit_code: i64,
        /// The last lines that the step wrote.
        output: Vec<String>,
        /// What the builder said.
        source: Source,
    },
    /// The build failed in some other way.
    #[error("the build failed{}{}", of(step.as_deref()), told(output))]
    Failed {
        /// The step, as the builder names it, where it was in one.
        step: Option<String>,
        /// The last lines that the step wrote.
        output: Vec<String>,
        /// What the builder said.
        source: Source,
    },
}

fn of(step: Option<&str>) -> String {
    step.map(|step| format!(" (step `{step}`)")).unwrap_or_default()
}

fn told(output: &[String]) -> String {
    output.last().map(|last| format!("; it last wrote: {last}")).unwrap_or_default()
}

/// Which step failed, as far as the progress told.
#[derive(Debug, Default)]
pub(super) struct Failing {
    pub(super) step: Option<String>,
    pub(super) output: Vec<String>,
    pub(super) exit_code: Option<i64>,
}

impl BuildError {
    /// Says what the builder's own words mean. There is nothing else to go by.
    pub(super) fn told(message: &str, target: Option<&str>, failing: Failing) -> Self {
        let message = message.trim();
        let source: Source = message.into();
        let Failing { step, output, exit_code } = failing;
        let lower = message.to_lowercase();
        if message.contains("no space left on device") {
            return Error::NoSpace { doing: "build the image".to_owned(), source }.into();
        }
        if let Some(at) = lower.find("dockerfile parse error") {
            return Self::Syntax {
                line: number(after(&lower[at..], "line ")).and_then(|n| n.try_into().ok()),
                source,
            };
        }
        if let Some(target) = target
            && (lower.contains("target stage") || lower.contains("build target"))
        {
            return Self::NoSuchTarget { target: target.to_owned(), source };
        }
        let code = number(after(&lower, "exit code: ")).or_else(|| number(after(&lower, "non-zero code: ")));
        if let Some(exit_code) = code.or(exit_code) {
            return Self::Step { step, exit_code, output, source };
        }
        let missing = quoted_missing(message).or_else(|| {
            message
                .split_once("dockerignore: stat ")
                .map(|(_, rest)| rest.split(": file does not exist").next().unwrap_or(rest).to_owned())
        });
        match missing {
            Some(path) => Self::NotInContext { path, step, source },
            None => Self::Failed { step, output, source },
        }
    }
}

fn after<'a>(text: &'a str, words: &str) -> &'a str {
    text.split_once(words).map_or("", |(_, rest)| rest)
}

fn number(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

/// BuildKit: `failed to compute cache key: … "/nope": not found`, with more or less between, by its age.
fn quoted_missing(message: &str) -> Option<String> {
    let known = ["failed to compute cache key", "failed to calculate checksum of ref"];
    let before =
        message.strip_suffix("not found").filter(|_| known.iter().any(|words| message.contains(words)))?;
    before.rsplit('"').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(message: &str) -> BuildError {
        BuildError::told(message, Some("final"), Failing::default())
    }

    #[test]
    fn what_both_builders_say_is_understood() {
        for message in [
            "executor failed running [/service fail 7]: exit code: 7",
            "process \"/service fail 7\" did not complete successfully: exit code: 7",
            "The command '/service fail 7' returned a non-zero code: 7",
        ] {
            assert!(matches!(told(message), BuildError::Step { exit_code: 7, .. }), "{message}");
        }
        for message in [
            "failed to compute cache key: \"/nope\" not found: not found",
            "failed to compute cache key: \"/nope\": not found",
            "failed to calculate checksum of ref ab::cd: \"/nope\": not found",
            "failed to compute cache key: failed to calculate checksum of ref ab::cd: \"/nope\": not found",
        ] {
            let error = told(message);
            assert!(matches!(&error, BuildError::NotInContext { path, .. } if path == "/nope"), "{error:?}");
        }
        let classic = told(
            "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist",
        );
        assert!(matches!(&classic, BuildError::NotInContext { path, .. } if path == "nope"), "{classic:?}");
        let syntax = told(
            "failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 2: unknown instruction: FOO",
        );
        assert!(matches!(syntax, BuildError::Syntax { line: Some(2), .. }), "{syntax:?}");
        for message in
            ["target stage final could not be found", "failed to reach build target final in Dockerfile"]
        {
            assert!(matches!(told(message), BuildError::NoSuchTarget { .. }), "{message}");
        }
        assert!(matches!(told("the moon is wrong"), BuildError::Failed { .. }));
    }
}
