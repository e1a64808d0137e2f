mod message;
mod mrkdwn;
mod reply;
mod transport;
mod webhook;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use secrecy::SecretString;
use slack_morphism::prelude::{SlackApiPostWebhookMessageRequest, SlackHyperClient};

use self::reply::Trouble;
use self::webhook::Webhook;
use crate::{Delivered, Error, Field, Mention, Notice, Sending, Sink, Status};

pub(crate) use self::reply::advice;

/// The first pause before another try; each later one is twice as long.
const BACK_OFF: Duration = Duration::from_millis(250);

/// Where notices go, whom they page, what they show, and how long a delivery may take.
#[derive(Clone, Debug)]
pub struct SlackConfig {
    /// The address of the incoming webhook. It is a secret: who knows it can post.
    pub webhook: SecretString,
    /// Whom to page, by status. A status that is not here pages nobody.
    pub mentions: BTreeMap<Status, Vec<Mention>>,
    /// The facts of [`Notice::source`] to show, in order. A fact that is not known is left out.
    pub fields: Vec<Field>,
    /// A name to show under the headline.
    pub author_name: Option<String>,
    /// How long one try may take, from connecting to the last byte of the answer. 10 s.
    pub timeout: Duration,
    /// How many more tries follow a first that met a refused connection, a 429 or a 5xx. 2.
    pub retries: u32,
    /// How long all tries and the pauses between them may take. 30 s.
    pub limit: Duration,
}

impl SlackConfig {
    /// Notices to `webhook` that page nobody and show no fields of the source.
    #[must_use]
    pub fn new(webhook: impl Into<SecretString>) -> Self {
        Self {
            webhook: webhook.into(),
            mentions: BTreeMap::new(),
            fields: Vec::new(),
            author_name: None,
            timeout: Duration::from_secs(10),
            retries: 2,
            limit: Duration::from_secs(30),
        }
    }
}

/// The message that [`Slack::send`] would post, as JSON: `text` for notifications, and the `blocks`.
///
/// ```
/// use cutover_notify::{Notice, SlackConfig, Status, preview};
///
/// let config = SlackConfig::new("https://hooks.slack.com/services/T0/B0/x".to_owned());
/// let message = preview(&Notice::new(Status::Success, "web"), &config);
/// assert_eq!(message["blocks"][0]["text"]["text"], "✅ web: deployed");
/// ```
#[must_use]
pub fn preview(notice: &Notice, config: &SlackConfig) -> serde_json::Value {
    // Strings and lists of strings only: there is no key or number in it that JSON could not hold.
    serde_json::to_value(message::compose(notice, config)).unwrap_or_default()
}

/// Notices to one Slack channel, by an incoming webhook.
///
/// It keeps its connection, so one `Slack` may send many notices.
pub struct Slack {
    webhook: Webhook,
    client: SlackHyperClient,
    config: SlackConfig,
}

impl Slack {
    /// Checks the configuration and reads the system's root certificates. It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Webhook`] when the address is none, has a user name or no path, or is neither `https` nor
    /// `http` to a loopback address; [`Error::Tls`] when the system has no root certificates.
    pub fn new(config: SlackConfig) -> Result<Self, Error> {
        let webhook = Webhook::parse(&config.webhook)?;
        let client = transport::client(&webhook)?;
        Ok(Self { webhook, client, config })
    }

    /// Connects to the host that notices go to, and says nothing there. Its name, with its port where that is unusual.
    ///
    /// # Errors
    ///
    /// Why there is no connection, with no part of the address but the host.
    pub async fn knock(&self) -> std::io::Result<&str> {
        let host = self.webhook.host();
        let address = (self.webhook.name(), self.webhook.port());
        let connected =
            tokio::time::timeout(self.config.timeout, tokio::net::TcpStream::connect(address)).await;
        connected.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))?;
        Ok(host)
    }

    /// Posts the notice, and again where that can help and cannot double it: on a refused connection, on a
    /// 429 after the pause that it asks for, and on a 5xx.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Unavailable`], [`Error::RateLimited`] when the tries or the time are
    /// used up; [`Error::TimedOut`], [`Error::Broken`], [`Error::Rejected`] and [`Error::Reply`] at once.
    pub async fn send(&self, notice: &Notice) -> Result<Delivered, Error> {
        let request = SlackApiPostWebhookMessageRequest::new(message::compose(notice, &self.config));
        let started = Instant::now();
        let mut pause = BACK_OFF;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let left = self.config.limit.saturating_sub(started.elapsed());
            let trouble = match self.attempt(&request, self.config.timeout.min(left), attempts).await {
                Ok(()) => return Ok(Delivered { attempts }),
                Err(trouble) => trouble,
            };
            let (error, wait) = match trouble {
                Trouble::Final(error) => return Err(error),
                Trouble::Passing { error, retry_after } => (error, retry_after.unwrap_or(pause)),
            };
            let left = self.config.limit.saturating_sub(started.elapsed());
            if attempts > self.config.retries || wait >= left {
                return Err(error);
            }
            tracing::debug!(host = self.webhook.host(), attempts, ?wait, %error, "notice not delivered yet");
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2);
        }
    }

    async fn attempt(
        &self,
        request: &SlackApiPostWebhookMessageRequest,
        limit: Duration,
        attempts: u32,
    ) -> Result<(), Trouble> {
        let posting = self.client.post_webhook_message(self.webhook.url(), request);
        let host = self.webhook.host();
        match tokio::time::timeout(limit, posting).await {
            Ok(answer) => reply::read(answer, host, attempts),
            Err(_) => Err(Trouble::Final(Error::TimedOut { host: host.to_owned(), after: limit, attempts })),
        }
    }
}

impl Sink for Slack {
    fn name(&self) -> String {
        format!("slack ({})", self.webhook.host())
    }

    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(Slack::send(self, notice))
    }
}

impl fmt::Debug for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slack")
            .field("host", &self.webhook.host())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
