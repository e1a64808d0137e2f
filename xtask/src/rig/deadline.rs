//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

use super::error::{Error, Result};

const STEP: Duration = Duration::from_millis(10);

/// Looks every 10 ms until `look` returns something.
///
/// # Errors
///
/// [`Error::Late`] with `what` when `within` is over first.
pub async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if Instant::now() >= end {
            return Err(Error::Late { what: what.to_owned(), within });
        }
        tokio::time::sleep(STEP).await;
    }
}
