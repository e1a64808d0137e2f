use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::{
    SlackApiPostWebhookMessageRequest, SlackClientHyperHttpsConnector, SlackHyperClient,
};

use super::{SlackStyle, message, reply};
use crate::address::Address;
use crate::delivery::{Limits, Tries, Trouble};
use crate::{Delivered, Error, Notice, Sending, Sink, transport};

/// Notices to one Slack channel, by an [incoming
/// webhook](https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks): one message for each, at the end.
///
/// It keeps its connection, so one may send many notices.
pub struct SlackWebhook {
    address: Address,
    client: SlackHyperClient,
    style: SlackStyle,
    limits: Limits,
}

impl SlackWebhook {
    /// Checks the webhook's address, which is a secret: who knows it can post. Reads the system's root certificates.
    /// It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Address`] when the address is none, has a user name or no path, or is neither `https` nor
    /// `http` to a loopback address; [`Error::Tls`] when the system has no root certificates.
    pub fn new(webhook: &SecretString, style: SlackStyle, limits: Limits) -> Result<Self, Error> {
        let address = Address::webhook("slack webhook", webhook)?;
        let connector = SlackClientHyperHttpsConnector::with_connector(transport::connector(&address)?);
        Ok(Self { address, client: SlackHyperClient::new(connector), style, limits })
    }

    /// Connects to the host that notices go to, and says nothing there. Its name, with its port where that is unusual.
    ///
    /// # Errors
    ///
    /// Why there is no connection, with no part of the address but the host.
    pub async fn knock(&self) -> std::io::Result<&str> {
        self.address.knock(self.limits.timeout).await?;
        Ok(self.address.host())
    }

    /// Posts the notice, and again where that can help and cannot double it: on a refused connection, on a
    /// 429 after the pause that it asks for, and on a 5xx.
    ///
    /// # Errors
    ///
    /// [`Error::Unreachable`], [`Error::Unavailable`], [`Error::RateLimited`] when the tries or the time are
    /// used up; [`Error::TimedOut`], [`Error::Broken`], [`Error::Rejected`] and [`Error::Reply`] at once.
    pub async fn send(&self, notice: &Notice) -> Result<Delivered, Error> {
        let (content, lacking) = message::whole(notice, &self.style);
        let request = SlackApiPostWebhookMessageRequest::new(content);
        let mut tries = Tries::new(self.limits);
        loop {
            let limit = tries.begin();
            match self.attempt(&request, limit, tries.count()).await {
                Ok(()) => {
                    return Ok(Delivered { attempts: tries.count(), lacking: lacking.into_iter().collect() });
                }
                Err(trouble) => tries.again(trouble).await?,
            }
        }
    }

    async fn attempt(
        &self,
        request: &SlackApiPostWebhookMessageRequest,
        limit: Duration,
        attempts: u32,
    ) -> Result<(), Trouble> {
        let posting = self.client.post_webhook_message(self.address.url(), request);
        let host = self.address.host();
        match tokio::time::timeout(limit, posting).await {
            Ok(Err(SlackClientError::ProtocolError(answer))) => {
                reply::untyped(answer.json_body.as_deref(), host, attempts)
            }
            Ok(answer) => reply::read(answer, host, attempts).map(drop),
            Err(_) => Err(Trouble::Final(Error::TimedOut { host: host.to_owned(), after: limit, attempts })),
        }
    }
}

impl Sink for SlackWebhook {
    fn name(&self) -> String {
        format!("slack ({})", self.address.host())
    }

    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(SlackWebhook::send(self, notice))
    }
}

impl fmt::Debug for SlackWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackWebhook")
            .field("host", &self.address.host())
            .field("style", &self.style)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
