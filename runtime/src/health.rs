//! Whether a container is ready to serve, and what keeps it from it.

mod check;
mod gate;
mod probe;
mod reason;

pub use check::{Check, Gate, StatusRange, StatusRanges};
pub use gate::{GateError, Healthy, Heard, Unhealthy};
pub use probe::probe;
pub use reason::Reason;
