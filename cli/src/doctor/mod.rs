//! Whether a deploy would go well: everything that it needs, looked at, and nothing changed.
//!
//! What several checks need is [observed once](Ground); then each [`Check`] looks at its own matter, at the same time as the
//! others, and within a limit. A part that is down is one finding, and hides no other.

mod clock;
mod containers;
mod disk;
mod drift;
mod engine;
mod finding;
mod ground;
mod leftovers;
mod listener;
mod network;
mod nginx;
mod ports;
mod release;
mod slack;

use std::time::Duration;

use cutover_proxyconf::AppName;
use futures_util::future::{BoxFuture, join_all};

pub use self::finding::{Finding, State};
pub use self::ground::Ground;
use crate::config::Config;
use crate::config::app::App;

/// How long a check may take.
const LIMIT: Duration = Duration::from_secs(15);

/// One check: its name, and how it is made.
pub struct Check {
    /// What its findings' names begin with.
    pub name: &'static str,
    run: for<'g> fn(&'g Ground<'g>) -> BoxFuture<'g, Vec<Finding>>,
}

/// All checks, in the order in which they are told.
pub const CHECKS: &[Check] = &[
    Check { name: "engine", run: |ground| Box::pin(engine::check(ground)) },
    Check { name: "clock", run: |ground| Box::pin(clock::check(ground)) },
    Check { name: "nginx", run: |ground| Box::pin(nginx::check(ground)) },
    Check { name: "ports", run: |ground| Box::pin(ports::check(ground)) },
    Check { name: "network", run: |ground| Box::pin(network::check(ground)) },
    Check { name: "disk", run: |ground| Box::pin(disk::check(ground)) },
    Check { name: "release", run: |ground| Box::pin(release::check(ground)) },
    Check { name: "slack", run: |ground| Box::pin(slack::check(ground)) },
    Check { name: "containers", run: |ground| Box::pin(containers::check(ground)) },
    Check { name: "leftovers", run: |ground| Box::pin(leftovers::check(ground)) },
    Check { name: "drift", run: |ground| Box::pin(drift::check(ground)) },
];

/// Makes all checks for an app. Changes nothing.
pub async fn examine(config: &Config, name: &AppName, app: &App) -> Vec<Finding> {
    let ground = Ground::observe(config, name, app).await;
    let told = config.warnings().iter().map(|warning| {
        let mend = warning.mend().unwrap_or_default();
        Finding::warning("configuration.compose", warning.to_string(), mend)
    });
    let checked = CHECKS.iter().map(|check| async {
        let found = tokio::time::timeout(LIMIT, (check.run)(&ground)).await;
        found.unwrap_or_else(|_| {
            let found = format!("no answer within {} s", LIMIT.as_secs());
            vec![Finding::problem(check.name, found, "see what holds it up, then run this again")]
        })
    });
    let checked = join_all(checked).await;
    told.chain(checked.into_iter().flatten()).collect()
}
