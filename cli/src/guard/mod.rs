//! Watching the requests of clients: nginx tells of each while a release goes live, and what is told of the new release is
//! compared with what is told of the one before.

pub(crate) mod hearing;
mod rule;
mod tally;

pub use self::hearing::{Guarded, Hearing, Judged};
pub use self::rule::{Rule, Verdict};
pub use self::tally::{Heard, Tally};
