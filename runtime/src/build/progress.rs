//! What is told while an image is built.

use std::path::PathBuf;

use super::Builder;
use crate::LogStream;

/// Something that happened in a build.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildProgress {
    /// The builder is chosen. It comes first.
    Builder {
        /// The builder.
        builder: Builder,
        /// Why it is not BuildKit, where the engine would not have it.
        why: Option<String>,
    },
    /// A file of the context is left out because it is a socket, a device or a pipe.
    Skipped {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The context is with the builder.
    Context {
        /// The files, folders and links that are in it.
        entries: u64,
        /// The bytes that were sent. BuildKit has unchanged files from builds before.
        bytes: u64,
    },
    /// A step began, or ended.
    Step {
        /// What tells it from others of the same name.
        id: String,
        /// What it does, as the builder names it.
        name: String,
        /// How far it is.
        state: StepState,
    },
    /// A line that a step wrote.
    Output {
        /// The step, by its id.
        step: String,
        /// Which output it was written to. The classic builder has but one.
        stream: LogStream,
        /// The line without its end.
        text: String,
    },
    /// Part of a base image or of a cache is being fetched.
    Transfer {
        /// What, as the builder names it.
        name: String,
        /// Bytes done.
        current: u64,
        /// Bytes in all, where they are known.
        total: Option<u64>,
    },
    /// Something that the builder warns of.
    Warning(String),
}

/// How far a step of a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It began.
    Started,
    /// What it would do was there already.
    Cached,
    /// It is done.
    Done,
    /// It failed. The build's error says why.
    Failed,
}
