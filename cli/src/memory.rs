//! The memory of this process, in which secrets stand for a while.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Keeps it from others: a crash leaves no core dump, and no process of the same user can look into it or into the
/// environment it was started with. What it starts is not concerned, but for the limit.
///
/// Where the kernel refuses, nothing is told: it is a second lock behind the file rights of the system.
pub(crate) fn keep() {
    let limit = Rlimit { current: Some(0), ..getrlimit(Resource::Core) };
    let kept = setrlimit(Resource::Core, limit);
    // A program that takes dumps over a pipe is not held by the limit.
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Some(error) = kept.err().or(hidden.err()) {
        tracing::debug!(%error, "the memory could not be kept from dumps");
    }
}
