//! The clocks of this machine and of the engine's: tokens and certificates go by them.

use super::finding::Finding;
use super::ground::Ground;

/// More than this apart, tokens may be refused, in seconds.
const APART: i64 = 30;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let Ok(engine) = &ground.engine else { return Vec::new() };
    // What the engine cannot tell is told where it is looked at.
    let Ok(info) = engine.observe_info().await else { return Vec::new() };
    let now = jiff::Timestamp::now();
    let Some(there) = info.time.and_then(|time| time.parse::<jiff::Timestamp>().ok()) else {
        return Vec::new();
    };
    vec![skew(now.as_second() - there.as_second())]
}

fn skew(seconds: i64) -> Finding {
    if seconds.abs() <= APART {
        return Finding::ok("clock.engine", "the engine's clock agrees with this machine's");
    }
    let found =
        format!("the engine's clock is {} s {}", seconds.abs(), if seconds > 0 { "behind" } else { "ahead" });
    Finding::warning(
        "clock.engine",
        found,
        "set both by NTP: a registry's tokens and certificates go by them",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn clocks_that_are_apart_are_told() {
        assert_eq!(skew(-30).state, State::Ok);
        assert_eq!(
            (skew(31).state, skew(-90).found.as_str()),
            (State::Warning, "the engine's clock is 90 s ahead")
        );
    }
}
