//! The tables below `[notify]`.

use std::ops::Range;

use cutover_notify::{Error, Status, Template};

use super::{Check, Checked};
use crate::config::notify::{Notify, Slack};
use crate::config::value::{Located, Parsed, Period};

impl Check<'_> {
    pub(super) fn notify(&self, notify: &Notify) -> Checked {
        if let Some(slack) = &notify.slack {
            self.slack(slack)?;
            self.telling("slack", slack.timeout.as_ref(), slack.on.as_deref())?;
            self.template(slack.template.as_ref())?;
        }
        if let Some(webhook) = &notify.webhook {
            self.telling("webhook", webhook.timeout.as_ref(), webhook.on.as_deref())?;
        }
        if let Some(stdout) = &notify.stdout {
            self.telling("stdout", None, stdout.on.as_deref())?;
            self.template(stdout.template.as_ref())?;
        }
        Ok(())
    }

    /// There are two ways to Slack, and each is whole.
    fn slack(&self, slack: &Slack) -> Checked {
        let one = "write `webhook`, or `token` and `channel`";
        let (key, problem) = match (&slack.webhook, &slack.token, &slack.channel) {
            (None, None, None) => (None, "slack is told by a webhook, or by a bot's token in a channel"),
            (Some(_), Some(_), _) => {
                (Some("token"), "slack is told by a webhook or by a bot's token, not both")
            }
            (Some(_), None, Some(_)) => (Some("channel"), "a webhook has its channel already"),
            (Some(_), None, None) if slack.api.is_some() => {
                (Some("api"), "a webhook has its address already")
            }
            (None, Some(_), None) => (Some("token"), "a bot's token needs a channel to post to"),
            (None, None, Some(_)) => (Some("channel"), "a channel needs a bot's token to post with"),
            (Some(_), None, None) | (None, Some(_), Some(_)) => return Ok(()),
        };
        let path: Vec<&str> = ["notify", "slack"].into_iter().chain(key).collect();
        Err(self.key(&path, problem, one))
    }

    fn telling(
        &self,
        sink: &str,
        timeout: Option<&Parsed<Period>>,
        on: Option<&[Parsed<Status>]>,
    ) -> Checked {
        if timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            let path = ["notify", sink, "timeout"];
            return Err(self.at(
                &path,
                "no notice is sent in no time",
                "write a time above 0, such as \"10s\"",
            ));
        }
        if on.is_some_and(<[_]>::is_empty) {
            let mend = "name the outcomes that are told, or leave `on` out for all";
            return Err(self.at(&["notify", sink, "on"], "no outcome is told", mend));
        }
        Ok(())
    }

    fn template(&self, template: Option<&Located<String>>) -> Checked {
        let Some(template) = template else { return Ok(()) };
        match Template::new(&template.value) {
            Ok(_) => Ok(()),
            Err(Error::Template { why, line, column, range }) => {
                let within = self.within(template, range);
                // Where the file writes the text otherwise than it reads, its own line and column tell the place.
                let place = format!("{why} (line {line}, column {column} of the template)");
                let problem = if within.is_some() { why } else { place };
                let span = within.unwrap_or_else(|| template.span.clone());
                let mend = "a template is text with {{ app }} for a value and {% if reason %}…{% endif %} for a choice";
                Err(self.source.invalid(span, problem, Some(mend)))
            }
            Err(error) => Err(self.source.invalid(template.span.clone(), error.to_string(), None)),
        }
    }

    /// Where a part of a string stands in the file, if the string stands there as it reads: without escapes.
    fn within(&self, string: &Located<String>, part: Range<usize>) -> Option<Range<usize>> {
        let written = self.source.text().get(string.span.clone())?;
        let start = string.span.start + written.find(string.value.as_str())?;
        Some(start + part.start..start + part.end)
    }
}
