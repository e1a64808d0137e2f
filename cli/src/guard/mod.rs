//! Comparing two releases by the requests of their clients, as nginx tells them. Pure: `apply` has nginx tell.

mod compared;
mod rule;
mod tally;

pub use self::compared::{Comparison, Guarded, Judged, is_worth_waiting};
pub use self::rule::{Rule, Verdict};
pub use self::tally::{Heard, Tally};
