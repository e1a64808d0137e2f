//! How often something is tried, and how long is waited in between.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::{Error, Result};

const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A registry that asks for more patience than this is told of instead of waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Three tries, each pause about twice the one before, unless the registry says how long.
#[derive(Default)]
pub(crate) struct Patience {
    tried: u32,
}

impl Patience {
    /// Waits before the next try, or gives the error back where there is none.
    pub(crate) async fn pause(&mut self, retry_after: Option<Duration>, error: Error) -> Result<()> {
        let retry_after = retry_after.or(error.retry_after());
        let pause = self.next(retry_after).filter(|_| error.is_passing());
        let Some(pause) = pause else { return Err(error) };
        tracing::debug!(%error, ?pause, "trying again");
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// How long to wait before the next try, whatever failed; nothing where there is none.
    ///
    /// Part of it is chance, so that clients which failed together do not come back together. It is never less than
    /// what the registry asked for.
    pub(crate) fn next(&mut self, retry_after: Option<Duration>) -> Option<Duration> {
        self.tried += 1;
        if self.tried >= TRIES || retry_after.is_some_and(|asked| asked > RETRY_AFTER_MAX) {
            return None;
        }
        let doubled = FIRST_PAUSE * 2u32.pow(self.tried - 1);
        Some(match retry_after {
            Some(asked) => asked + FIRST_PAUSE.mul_f64(chance()),
            None => doubled.mul_f64(0.5 + chance()),
        })
    }
}

/// From 0 to 1, another each time: the standard library seeds its hashers by chance, which is chance enough here.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(retry_after: Option<Duration>) -> Vec<Duration> {
        let mut patience = Patience::default();
        std::iter::from_fn(|| patience.next(retry_after)).collect()
    }

    #[test]
    fn pauses_grow_and_no_two_clients_keep_the_same() {
        for _ in 0..100 {
            let [first, second] = pauses(None)[..] else { panic!("three tries have two pauses") };
            assert!((125..=375).contains(&first.as_millis()), "{first:?}");
            assert!((250..=750).contains(&second.as_millis()), "{second:?}");
        }
        assert_ne!(pauses(None), pauses(None));
    }

    #[test]
    fn what_the_registry_asks_for_is_the_least_and_has_a_limit() {
        for asked in [0, 1, 30].map(Duration::from_secs) {
            for pause in pauses(Some(asked)) {
                assert!((asked..=asked + FIRST_PAUSE).contains(&pause), "{pause:?} for {asked:?}");
            }
        }
        assert!(pauses(Some(Duration::from_secs(31))).is_empty());
    }
}
