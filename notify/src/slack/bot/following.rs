//! A message that follows a deployment.

use super::{Posted, SlackBot};
use crate::sink::Thread;
use crate::slack::message;
use crate::{Delivered, Error, Notice, Progress, Sending};

/// One message that follows a deployment.
pub(super) struct Following<'a> {
    bot: &'a SlackBot,
    posted: Option<Posted>,
}

impl<'a> Following<'a> {
    pub(super) fn new(bot: &'a SlackBot) -> Self {
        Self { bot, posted: None }
    }

    async fn show(&mut self, progress: &Progress) -> Result<Delivered, Error> {
        let content = message::under_way(progress, &self.bot.style);
        let limits = self.bot.limits.once();
        let attempts = match &self.posted {
            Some(posted) => self.bot.update(posted, content, limits).await?,
            None => {
                let (posted, attempts) = self.bot.post(content, None, limits).await?;
                self.posted = Some(posted);
                attempts
            }
        };
        Ok(Delivered::after(attempts))
    }

    async fn finish(&mut self, notice: &Notice) -> Result<Delivered, Error> {
        let Some(posted) = &self.posted else { return self.bot.tell(notice).await };
        let (content, lacking) = message::head(notice, &self.bot.style);
        match self.bot.update(posted, content, self.bot.limits).await {
            Ok(attempts) => {
                let mut delivered = Delivered { attempts, lacking: lacking.into_iter().collect() };
                self.bot.complete(posted, notice, false, &mut delivered).await;
                Ok(delivered)
            }
            // Someone deleted it, or it may not be changed any more: the outcome is told all the same.
            Err(Error::Rejected { code, .. })
                if matches!(
                    code.as_str(),
                    "message_not_found" | "cant_update_message" | "edit_window_closed"
                ) =>
            {
                self.bot.tell(notice).await
            }
            Err(error) => Err(error),
        }
    }
}

impl Thread for Following<'_> {
    fn progress<'a>(&'a mut self, progress: &'a Progress) -> Sending<'a> {
        Box::pin(self.show(progress))
    }

    fn end<'a>(&'a mut self, notice: &'a Notice) -> Sending<'a> {
        Box::pin(self.finish(notice))
    }
}
