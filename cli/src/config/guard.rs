//! The tables of how a release is watched, and of how it gets its clients.

use std::time::Duration;

use cutover_proxyconf::Stickiness;
use schemars::JsonSchema;
use serde::Deserialize;

use super::value::{Located, Parsed, Period};
use crate::guard::Rule;

/// How a new release is compared with the one before, by the requests of its clients. A worse one is rolled back. The table
/// may be empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guard {
    /// The greatest share of requests that may fail beyond the share that failed before; 0.01 if nothing is said.
    #[schemars(range(min = 0, max = 1))]
    pub max_error_rate: Option<Located<f64>>,
    /// How many times as long as before half of the requests may take; 2 if nothing is said.
    #[schemars(range(min = 1))]
    pub max_p50_ratio: Option<Located<f64>>,
    /// How many times as long as before 99 of 100 requests may take; 3 if nothing is said.
    #[schemars(range(min = 1))]
    pub max_p99_ratio: Option<Located<f64>>,
    /// With fewer requests nothing is judged; 100 if nothing is said.
    #[schemars(range(min = 20))]
    pub min_requests: Option<Located<u32>>,
}

impl Guard {
    /// The rule that the table says.
    #[must_use]
    pub fn rule(&self) -> Rule {
        let usual = Rule::default();
        let or = |written: &Option<Located<f64>>, usual| written.as_ref().map_or(usual, |it| it.value);
        Rule {
            max_error_rate: or(&self.max_error_rate, usual.max_error_rate),
            max_p50_ratio: or(&self.max_p50_ratio, usual.max_p50_ratio),
            max_p99_ratio: or(&self.max_p99_ratio, usual.max_p99_ratio),
            min_requests: self.min_requests.as_ref().map_or(usual.min_requests, |it| it.value.into()),
        }
    }
}

/// That a release can be given to shares of the clients first, with `--canary`. The table may be empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// By what a client is known again: its address if nothing is said.
    #[serde(default)]
    pub by: By,
    /// How long each share is watched; 30 s if nothing is said.
    pub stage: Option<Parsed<Period>>,
}

impl Canary {
    /// How long each share is watched.
    #[must_use]
    pub fn stage(&self) -> Duration {
        self.stage.as_ref().map_or(Duration::from_secs(30), |period| period.0)
    }
}

/// By what a client is known again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Its address.
    #[default]
    Address,
    /// A cookie that nginx gives it.
    Cookie,
}

impl From<By> for Stickiness {
    fn from(by: By) -> Self {
        match by {
            By::Address => Self::Address,
            By::Cookie => Self::Cookie,
        }
    }
}
