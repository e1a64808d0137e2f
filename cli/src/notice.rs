//! From the account of a run to a notice, and telling it to whom the file names. Never changes how the run ended.

mod follow;

use std::io::Write;
use std::time::Duration;

use cutover_notify::{
    Facts, Notice, Progress, Requests, Sink, Sinks, SlackApi, SlackBot, SlackStyle, SlackWebhook, Status,
    Template, Told, Webhook, Writer, compare_url, package_url,
};

pub use self::follow::Follow;
use crate::config::Config;
use crate::config::notify::{Slack, Stdout, limits};
use crate::config::secret::SecretSource;
use crate::config::value::{Located, OneOrMany, Parsed};
use crate::failure::{Exit, Failure};
use crate::guard::{self, Guarded};
use crate::history::Entry;
use crate::origin::Origin;
use crate::outcome::{Commit, Outcome, Result as Ended};
use crate::probe::{Figures, Span};
use crate::release::located;

/// The phases of a run in the order that they are gone through; others follow.
const PHASES: [&str; 22] = [
    "build",
    "push",
    "resolve",
    "observe",
    "network",
    "pull",
    "create",
    "drain",
    "retire",
    "discard",
    "place",
    "gate",
    "install",
    "hear",
    "gate-through",
    "share",
    "stage",
    "switch",
    "unshare",
    "soak",
    "accept",
    "backup",
];

/// The end of a deployment is given this long to be told, and longer where a sink's `timeout` is longer.
const LEAST: Duration = Duration::from_secs(5);

/// The notice of a run.
#[must_use]
pub fn of_outcome(outcome: &Outcome, origin: &Origin) -> Notice {
    let mut notice = Notice::new(status(outcome.outcome), outcome.app.clone());
    let mut phases: Vec<(String, Duration)> = outcome
        .phases
        .iter()
        .filter_map(|(name, took)| Some((name.clone(), Duration::try_from_secs_f64(*took).ok()?)))
        .collect();
    phases.sort_by_key(|(name, _)| PHASES.iter().position(|phase| phase == name).unwrap_or(PHASES.len()));
    notice.facts = Facts {
        image: outcome.image.clone(),
        digest: outcome.digest.clone(),
        previous: outcome.previous.clone(),
        from_slot: outcome.from.clone(),
        to_slot: outcome.live.clone(),
        took: Duration::try_from_secs_f64(outcome.took).ok(),
        phases,
        preview: outcome.preview.clone(),
        requests: outcome.probe.as_ref().map(requests).or_else(|| outcome.guard.map(clients)),
        ..notice.facts
    };
    notice.reason.clone_from(&outcome.reason);
    notice.logs.clone_from(&outcome.logs);
    notice.next = match outcome.outcome {
        Ended::Deployed | Ended::BackedUp => Some(format!("cutover rollback {}", outcome.app)),
        Ended::Waiting => Some(format!("cutover promote {}", outcome.app)),
        _ => None,
    };
    notice.facts = with_origin(notice.facts, origin);
    let now = outcome.commit.as_ref().map(|commit| commit.revision.as_str());
    notice.facts.source.compare_url = changes(outcome.previous_commit.as_ref(), now, origin);
    notice
}

/// What a probe saw, for a notice.
fn requests(figures: &Figures) -> Requests {
    let p99 = |span: Option<&Span>| Duration::try_from_secs_f64(span?.p99_ms? / 1_000.0).ok();
    let spans = [Some(&figures.before), figures.during.as_ref(), figures.after.as_ref()];
    Requests { total: figures.sent, lost: figures.failed, p99: spans.map(p99) }
}

/// What nginx told of the clients' requests, for a notice.
fn clients(guarded: Guarded) -> Requests {
    let Guarded { new, old, .. } = guarded;
    let p99 = |heard: guard::Heard| heard.p99_ms.map(Duration::from_millis);
    Requests {
        total: old.requests + new.requests,
        lost: old.failed + new.failed,
        p99: [p99(old), None, p99(new)],
    }
}

/// The notice of a CI job's status, with what the history knows of the app's last run.
#[must_use]
pub fn of_job(status: Status, app: &str, last: Option<&Entry>, origin: &Origin) -> Notice {
    let mut notice = Notice::new(status, app);
    if let Some(last) = last {
        notice.facts.image.clone_from(&last.image);
        notice.facts.digest.clone_from(&last.digest);
        notice.facts.previous.clone_from(&last.previous);
        notice.facts.from_slot.clone_from(&last.from);
        notice.facts.to_slot.clone_from(&last.live);
        notice.reason.clone_from(&last.reason);
        notice.facts.requests = last.probe.as_ref().map(requests).or_else(|| last.guard.map(clients));
    }
    notice.facts = with_origin(notice.facts, origin);
    notice
}

fn with_origin(mut facts: Facts, origin: &Origin) -> Facts {
    facts.host = Some(origin.host.clone());
    facts.actor = Some(origin.actor.clone());
    facts.source = origin.source.clone();
    let page = facts.image.as_deref().and_then(|image| package_url(image, facts.source.repo.as_deref()));
    facts.package_url = page;
    facts
}

/// What changed since the release before, if that one's image says that it came from the same repository. The commit of
/// CI stands in for an image that says nothing.
fn changes(before: Option<&Commit>, now: Option<&str>, origin: &Origin) -> Option<String> {
    let plain = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_ascii_lowercase();
    let (before, repo_url) = before.zip(origin.source.repo_url.as_deref())?;
    let same = plain(&before.source) == plain(repo_url);
    compare_url(repo_url, &before.revision, now.or(origin.source.commit.as_deref())?).filter(|_| same)
}

fn status(ended: Ended) -> Status {
    match ended {
        Ended::Deployed | Ended::Unchanged | Ended::BackedUp | Ended::Aborted => Status::Success,
        Ended::Waiting => Status::Waiting,
        Ended::RolledBack => Status::RolledBack,
        Ended::Interrupted => Status::Cancelled,
        Ended::Rejected | Ended::Failed => Status::Failure,
    }
}

/// Those whom the file has told.
#[derive(Debug)]
pub struct Audience {
    sinks: Sinks,
    /// Those who cannot be told, and why.
    unreachable: Vec<Failure>,
    /// How long the end of a deployment may take to tell.
    within: Duration,
}

impl Audience {
    /// Reads their secrets. `stdout` is written to for `[notify.stdout]`.
    pub async fn read(config: &Config, stdout: impl Write + Send + 'static) -> Self {
        let notify = &config.file.notify;
        let mut audience = Self { sinks: Sinks::new(), unreachable: Vec::new(), within: LEAST };
        if let Some(slack) = &notify.slack {
            let timeout = limits(slack.timeout.as_ref()).timeout;
            match slack_sink(config, slack).await {
                Ok(SlackSink::Webhook(sink)) => audience.add(*sink, slack.on.as_deref(), timeout),
                Ok(SlackSink::Bot(sink)) => audience.add(*sink, slack.on.as_deref(), timeout),
                Err(failure) => audience.unreachable.push(failure),
            }
        }
        if let Some(webhook) = &notify.webhook {
            let limits = limits(webhook.timeout.as_ref());
            let sink = async {
                let url = secret(config, &webhook.url).await?;
                let key = match &webhook.secret {
                    Some(key) => Some(secret(config, key).await?),
                    None => None,
                };
                Webhook::new(&url, key.as_ref(), limits).map_err(|error| unreachable(&error))
            };
            match sink.await {
                Ok(sink) => audience.add(sink, webhook.on.as_deref(), limits.timeout),
                Err(failure) => audience.unreachable.push(failure),
            }
        }
        if let Some(Stdout { template: text, on }) = &notify.stdout {
            match template(text.as_ref()) {
                Ok(text) => audience.add(Writer::new("stdout", stdout, text), on.as_deref(), Duration::ZERO),
                Err(failure) => audience.unreachable.push(failure),
            }
        }
        audience
    }

    fn add(&mut self, sink: impl Sink + 'static, on: Option<&[Parsed<Status>]>, timeout: Duration) {
        match on {
            Some(on) => {
                let on: Vec<Status> = on.iter().map(|status| *status.get()).collect();
                self.sinks.add_on(sink, on);
            }
            None => self.sinks.add(sink),
        }
        self.within = self.within.max(timeout.saturating_mul(5));
    }

    /// Whether the file names nobody.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.sinks.is_empty() && self.unreachable.is_empty()
    }

    /// Tells them a notice.
    pub async fn send(self, notice: &Notice) -> Heard {
        Heard::new(self.sinks.send(notice).await, self.unreachable)
    }

    /// Tells them that a deployment has begun.
    fn begin(&self, progress: Progress) -> cutover_notify::Live {
        self.sinks.begin(progress)
    }
}

/// What came of telling a notice.
#[derive(Debug, Default)]
pub struct Heard {
    /// The sinks that have it.
    pub told: Vec<String>,
    /// Why others have not.
    pub failed: Vec<Failure>,
    /// What a notice lacks that was told, and why.
    pub lacking: Vec<String>,
}

impl Heard {
    fn new(told: Vec<Told>, failed: Vec<Failure>) -> Self {
        let mut heard = Self { failed, ..Self::default() };
        for Told { sink, result, .. } in told {
            match result {
                Ok(delivered) => {
                    let why = |error| unreachable(error).reason();
                    heard.lacking.extend(
                        delivered.lacking.iter().map(|(part, error)| {
                            format!("the notice to {sink} lacks {part}: {}", why(error))
                        }),
                    );
                    heard.told.push(sink);
                }
                Err(error) => heard.failed.push(unreachable(&error)),
            }
        }
        heard
    }

    /// A sentence for each thing that is amiss.
    pub fn amiss(&self) -> impl Iterator<Item = String> {
        let failed =
            self.failed.iter().map(|failure| format!("the notice was not sent: {}", failure.reason()));
        failed.chain(self.lacking.iter().cloned())
    }
}

fn unreachable(error: &cutover_notify::Error) -> Failure {
    Failure::from_error(Exit::Unreachable, error)
}

enum SlackSink {
    Webhook(Box<SlackWebhook>),
    Bot(Box<SlackBot>),
}

async fn slack_sink(config: &Config, slack: &Slack) -> Result<SlackSink, Failure> {
    let mentions = slack
        .mention
        .iter()
        .map(|(status, mentions)| (*status.get(), mentions.iter().map(|m| m.get().clone()).collect()))
        .collect();
    let fields = slack.fields.iter().flat_map(OneOrMany::as_slice);
    let style = SlackStyle {
        mentions,
        fields: fields.flat_map(|fields| fields.as_slice()).copied().collect(),
        author_name: slack.author_name.clone(),
        template: template(slack.template.as_ref())?,
    };
    let limits = limits(slack.timeout.as_ref());
    let made = match (&slack.webhook, &slack.token, &slack.channel) {
        (Some(webhook), ..) => SlackWebhook::new(&secret(config, webhook).await?, style, limits)
            .map(|sink| SlackSink::Webhook(Box::new(sink))),
        (None, Some(token), Some(channel)) => {
            let api = slack.api.as_ref().map_or_else(SlackApi::default, |api| api.get().clone());
            let token = secret(config, token).await?;
            SlackBot::at(&api, &token, channel.get().clone(), style, limits)
                .map(|sink| SlackSink::Bot(Box::new(sink)))
        }
        // The configuration was refused before.
        (None, ..) => return Err(Failure::new(Exit::Usage, "slack has neither a webhook nor a bot's token")),
    };
    made.map_err(|error| unreachable(&error))
}

/// Reaches Slack without posting anything; what was found. A webhook cannot be tried but by a message, so only its host is.
///
/// # Errors
/// Why notices would not arrive.
pub(crate) async fn reach_slack(config: &Config, slack: &Slack) -> Result<String, Failure> {
    match slack_sink(config, slack).await? {
        SlackSink::Webhook(webhook) => {
            let host = webhook.knock().await.map_err(|error| {
                let words = format!("the webhook's host cannot be reached: {error}");
                Failure::new(Exit::Unreachable, words)
            })?;
            Ok(format!("{host} is reached; nothing was posted"))
        }
        SlackSink::Bot(bot) => {
            let identity = bot.identify().await.map_err(|error| unreachable(&error))?;
            Ok(format!("the token is that of {} in {}; nothing was posted", identity.bot, identity.team))
        }
    }
}

fn template(text: Option<&Located<String>>) -> Result<Option<Template>, Failure> {
    let read = text.map(|text| Template::new(&text.value)).transpose();
    read.map_err(|error| Failure::from_error(Exit::Usage, &error))
}

async fn secret(config: &Config, source: &Located<SecretSource>) -> Result<secrecy::SecretString, Failure> {
    let read = source.value.read(config.base()).await;
    read.map_err(|error| located(config, source.span.clone(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that can be read while they are written.
    #[derive(Clone, Default)]
    struct Shared(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn stdout_alone_is_waited_for_at_the_end() {
        let text = "[apps.web]\nimage = \"nginx\"\nport = 80\n[notify.stdout]\n";
        let config = Config::parse(std::path::Path::new("cutover.toml"), text).unwrap();
        let out = Shared::default();
        let audience = Audience::read(&config, out.clone()).await;
        let told = audience.begin(Progress::new("web"));
        let told = told.end(&Notice::new(Status::Success, "web"), audience.within).await;
        let heard = Heard::new(told, audience.unreachable);
        assert_eq!((heard.told.as_slice(), heard.amiss().count()), (&["stdout".to_owned()][..], 0));
        assert_eq!(out.0.lock().unwrap().as_slice(), b"web: deployed\n");
    }

    #[test]
    fn changes_are_linked_between_commits_of_one_repository_alone() {
        let mut origin = Origin::default();
        origin.source.repo_url = Some("https://github.com/Acme/web".to_owned());
        origin.source.commit = Some("8a9b0c1d2e".to_owned());
        let before = |source: &str| Commit { source: source.to_owned(), revision: "0f5c1d2e3a".to_owned() };
        let own = before("https://github.com/acme/web.git");
        let link = |commits: &str| Some(format!("https://github.com/Acme/web/compare/{commits}"));
        assert_eq!(changes(Some(&own), None, &origin), link("0f5c1d2e3a...8a9b0c1d2e"));
        assert_eq!(changes(Some(&own), Some("77777777"), &origin), link("0f5c1d2e3a...77777777"));
        assert_eq!(changes(Some(&before("https://github.com/docker-library/node")), None, &origin), None);
        assert_eq!(changes(None, None, &origin), None);
    }
}
