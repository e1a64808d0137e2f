//! Messages by a bot's token.

mod following;
mod method;

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use slack_morphism::prelude::{
    SlackApiToken, SlackApiTokenType, SlackApiTokenValue, SlackClientHyperHttpsConnector, SlackHyperClient,
    SlackMessageContent,
};

use self::following::Following;
use self::method::{Answer, IDENTIFY, Method, Nothing, POST, Post, REACT, Reaction, UPDATE, Update};
use super::message;
use super::{SlackApi, SlackChannel, SlackStyle, reply};
use crate::delivery::{Limits, Tries, Trouble};
use crate::sink::Thread;
use crate::{Delivered, Error, Notice, Part, Sending, Sink, Status, transport};

/// Notices to one Slack channel, by a bot's token ([Web API](https://docs.slack.dev/apis/web-api)).
///
/// Through [`Sinks::begin`](crate::Sinks::begin) it is one message, posted when the deployment begins and changed as it
/// goes on. At the end it has a reaction by the outcome, and in its thread the last lines of log of a release that
/// failed. Who is to be paged is paged by a reply that is shown in the channel too: a change of a message pages nobody.
///
/// The app needs the scope `chat:write`, for reactions `reactions:write`, and `chat:write.public` or an invitation to the
/// channel.
pub struct SlackBot {
    host: String,
    channel: SlackChannel,
    client: SlackHyperClient,
    token: SlackApiToken,
    style: SlackStyle,
    limits: Limits,
}

/// Whose a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlackIdentity {
    /// The workspace's name.
    pub team: String,
    /// The bot's name in it.
    pub bot: String,
}

impl SlackBot {
    /// Checks the token's form and reads the system's root certificates. It connects to nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Secret`] when the token is not one of Slack's; [`Error::Tls`] when the system has no root certificates.
    pub fn new(
        token: &SecretString,
        channel: SlackChannel,
        style: SlackStyle,
        limits: Limits,
    ) -> Result<Self, Error> {
        Self::at(&SlackApi::default(), token, channel, style, limits)
    }

    /// The same with the Web API elsewhere: a proxy's address, or a stand-in's. The token is sent there.
    ///
    /// # Errors
    ///
    /// Those of [`new`](Self::new).
    pub fn at(
        api: &SlackApi,
        token: &SecretString,
        channel: SlackChannel,
        style: SlackStyle,
        limits: Limits,
    ) -> Result<Self, Error> {
        let address = api.address()?;
        let token = token.expose_secret().trim();
        if !token.starts_with("xox") || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::Secret {
                what: "slack token",
                why: "it is none of Slack's: a bot's token begins with xoxb-",
            });
        }
        let token = SlackApiToken::new(SlackApiTokenValue::from(token.to_owned()))
            .with_token_type(SlackApiTokenType::Bot);
        let connector = SlackClientHyperHttpsConnector::with_connector(transport::connector(&address)?)
            .with_slack_api_url(address.url().as_str().trim_end_matches('/'));
        let client = SlackHyperClient::new(connector);
        Ok(Self { host: address.host().to_owned(), channel, client, token, style, limits })
    }

    /// Asks Slack whose token it is, without telling anyone anything: whether it holds, for a check beforehand. It says
    /// nothing of the channel.
    ///
    /// # Errors
    ///
    /// [`Error::Rejected`] for a token that does not hold, and what any delivery may meet.
    pub async fn identify(&self) -> Result<SlackIdentity, Error> {
        let (answer, _) = self.call(&IDENTIFY, &Nothing {}, self.limits).await?;
        let identity = answer.team.zip(answer.user).map(|(team, bot)| SlackIdentity { team, bot });
        identity.ok_or_else(|| Error::Reply { host: self.host.clone() })
    }

    /// Calls a method of the API. One that is `repeatable` is tried again after a timeout too.
    async fn call<R: Serialize + Send + Sync>(
        &self,
        method: &Method,
        request: &R,
        limits: Limits,
    ) -> Result<(Answer, u32), Error> {
        let mut tries = Tries::new(limits);
        loop {
            let limit = tries.begin();
            match self.attempt(method, request, limit, tries.count()).await {
                Ok(answer) => return Ok((answer, tries.count())),
                Err(trouble) => tries.again(trouble).await?,
            }
        }
    }

    async fn attempt<R: Serialize + Send + Sync>(
        &self,
        method: &Method,
        request: &R,
        limit: Duration,
        attempts: u32,
    ) -> Result<Answer, Trouble> {
        let session = self.client.open_session(&self.token);
        let calling = session.http_session_api.http_post(method.name, request, None);
        let answer = match tokio::time::timeout(limit, calling).await {
            Ok(answer) => reply::read(answer, &self.host, attempts),
            Err(_) => {
                let error = Error::TimedOut { host: self.host.clone(), after: limit, attempts };
                Err(Trouble::Final(error))
            }
        };
        match answer {
            Ok(Answer { ok: false, .. }) => Err(Trouble::Final(Error::Reply { host: self.host.clone() })),
            Err(Trouble::Final(error @ (Error::TimedOut { .. } | Error::Broken { .. })))
                if method.repeatable =>
            {
                Err(Trouble::Passing { error, retry_after: None })
            }
            answer => answer,
        }
    }

    /// Posts a message: to the channel, or to the thread of one.
    async fn post(
        &self,
        content: SlackMessageContent,
        thread: Option<&Posted>,
        limits: Limits,
    ) -> Result<(Posted, u32), Error> {
        let request = Post {
            channel: thread.map_or(self.channel.as_str(), |posted| &posted.channel),
            content,
            thread_ts: thread.map(|posted| posted.ts.as_str()),
            reply_broadcast: None,
            unfurl_links: false,
        };
        let (answer, attempts) = self.call(&POST, &request, limits).await?;
        let posted = answer.channel.zip(answer.ts).map(|(channel, ts)| Posted { channel, ts });
        let posted = posted.ok_or_else(|| Error::Reply { host: self.host.clone() })?;
        Ok((posted, attempts))
    }

    async fn update(
        &self,
        posted: &Posted,
        content: SlackMessageContent,
        limits: Limits,
    ) -> Result<u32, Error> {
        let request = Update { channel: &posted.channel, ts: &posted.ts, content };
        let (_, attempts) = self.call(&UPDATE, &request, limits).await?;
        Ok(attempts)
    }

    /// Adds what stands beside the message: the reply that pages, the log, the reaction.
    async fn complete(&self, posted: &Posted, notice: &Notice, paged: bool, delivered: &mut Delivered) {
        if let Some(content) = message::page(notice, &self.style).filter(|_| !paged) {
            let request = Post {
                channel: &posted.channel,
                content,
                thread_ts: Some(&posted.ts),
                reply_broadcast: Some(true),
                unfurl_links: false,
            };
            let paged = self.call(&POST, &request, self.limits).await;
            delivered.lacking.extend(paged.err().map(|error| (Part::Mentions, error)));
        }
        if let Some(content) = message::logs(notice) {
            let logged = self.post(content, Some(posted), self.limits).await;
            delivered.lacking.extend(logged.err().map(|error| (Part::Logs, error)));
        }
        let request =
            Reaction { channel: &posted.channel, timestamp: &posted.ts, name: reaction(notice.status) };
        match self.call(&REACT, &request, self.limits.once()).await {
            Ok(_) => {}
            Err(Error::Rejected { code, .. }) if code == "already_reacted" => {}
            Err(error) => delivered.lacking.push((Part::Reaction, error)),
        }
    }

    /// A new message with all that there is to tell.
    async fn tell(&self, notice: &Notice) -> Result<Delivered, Error> {
        let (content, lacking) = message::paging(notice, &self.style);
        let (posted, attempts) = self.post(content, None, self.limits).await?;
        let mut delivered = Delivered { attempts, lacking: lacking.into_iter().collect() };
        self.complete(&posted, notice, true, &mut delivered).await;
        Ok(delivered)
    }
}

/// The name of the reaction that shows a status.
fn reaction(status: Status) -> &'static str {
    match status {
        Status::Success => "white_check_mark",
        Status::Failure => "x",
        Status::Cancelled => "no_entry_sign",
        Status::RolledBack => "leftwards_arrow_with_hook",
        Status::Waiting => "hourglass_flowing_sand",
    }
}

/// A message that is there: the channel's id, and the time that is its name.
struct Posted {
    channel: String,
    ts: String,
}

impl Sink for SlackBot {
    fn name(&self) -> String {
        format!("slack ({})", self.channel)
    }

    fn send<'a>(&'a self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(self.tell(notice))
    }

    fn thread(&self) -> Option<Box<dyn Thread + '_>> {
        Some(Box::new(Following::new(self)))
    }
}

impl fmt::Debug for SlackBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackBot")
            .field("host", &self.host)
            .field("channel", &self.channel)
            .field("style", &self.style)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
