//! The tables below `[notify]`: who is told, of what, and in which words.

use std::collections::BTreeMap;

use cutover_notify::{Fields, Limits, Mention, SlackApi, SlackChannel, Status};
use schemars::JsonSchema;
use serde::Deserialize;

use super::secret::SecretSource;
use super::value::{Located, OneOrMany, Parsed, Period};

/// Who is told.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    /// A Slack channel.
    pub slack: Option<Slack>,
    /// A program of your own.
    pub webhook: Option<Webhook>,
    /// The text of each notice on stdout; on stderr with `--json`.
    pub stdout: Option<Stdout>,
}

impl Notify {
    /// Every secret that is named here.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        let slack = self.slack.iter().flat_map(|slack| slack.webhook.iter().chain(&slack.token));
        let webhook = self.webhook.iter().flat_map(|webhook| [Some(&webhook.url), webhook.secret.as_ref()]);
        slack.chain(webhook.flatten()).map(|source| &source.value)
    }
}

/// A Slack channel: by an incoming webhook, or by a bot's token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// The URL of an incoming webhook: one message at the end. Either this, or `token` and `channel`.
    pub webhook: Option<Located<SecretSource>>,
    /// A bot's token: one message that changes while the deployment goes on. The app needs `chat:write` and
    /// `reactions:write`.
    pub token: Option<Located<SecretSource>>,
    /// The channel that the bot posts to, by its id (`C0123456789`) or its name (`#deploys`).
    #[schemars(with = "Option<String>")]
    pub channel: Option<Parsed<SlackChannel>>,
    /// Where Slack's Web API is, for a proxy. Left out: `https://slack.com/api`.
    #[schemars(with = "Option<String>")]
    pub api: Option<Parsed<SlackApi>>,
    /// Who is mentioned on which outcome: `here`, `channel`, `everyone`, or the id of a user or group.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub mention: BTreeMap<Parsed<Status>, Vec<Parsed<Mention>>>,
    /// Which facts of the run are told: `repo`, `message`, `commit`, `author`, `action`, `eventName`, `ref`, `workflow`,
    /// `job`, `took`, or `all`.
    #[schemars(with = "Option<OneOrMany<String>>")]
    pub fields: Option<OneOrMany<Parsed<Fields>>>,
    /// The name in the notice's first line.
    pub author_name: Option<String>,
    /// The text under the headline, as a template in Jinja's language: `{{ app }} is {{ status }}`.
    pub template: Option<Located<String>>,
    /// How long one try to tell may take; 10 s if nothing is said. All of them end within five such.
    pub timeout: Option<Parsed<Period>>,
    /// The outcomes that are told: `success`, `failure`, `cancelled`, `rolled-back`, `waiting`. Left out: all, and the
    /// beginning.
    #[schemars(with = "Option<Vec<String>>")]
    pub on: Option<Vec<Parsed<Status>>>,
}

/// A program of your own: each notice is one `POST` of JSON.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its URL.
    pub url: Located<SecretSource>,
    /// The key of 16 bytes or more that each notice is signed with, by HMAC-SHA256 in `X-Cutover-Signature`. Left out:
    /// unsigned.
    pub secret: Option<Located<SecretSource>>,
    /// How long one try to tell may take; 10 s if nothing is said.
    pub timeout: Option<Parsed<Period>>,
    /// The outcomes that are told. Left out: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub on: Option<Vec<Parsed<Status>>>,
}

/// The text of each notice on stdout.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stdout {
    /// The text as a template in Jinja's language.
    pub template: Option<Located<String>>,
    /// The outcomes that are told. Left out: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub on: Option<Vec<Parsed<Status>>>,
}

/// The limits of a delivery of which one try may take so long.
#[must_use]
pub fn limits(timeout: Option<&Parsed<Period>>) -> Limits {
    let default = Limits::default();
    let timeout = timeout.map_or(default.timeout, |timeout| timeout.0);
    Limits { timeout, limit: timeout.saturating_mul(3), ..default }
}
