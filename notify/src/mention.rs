use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Error;

/// Whom a notice pages: `here`, `channel`, `everyone`, a user's id (`U…`, `W…`) or a user group's (`S…`).
///
/// Slack resolves no names in a message, so a name such as `@anna` is refused: it would page nobody. Ids
/// are found under "Copy member ID" in a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mention(Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Here,
    Channel,
    Everyone,
    User(String),
    Group(String),
}

impl Mention {
    /// The mention in Slack's mrkdwn ([Formatting text, "Mentioning users" and
    /// after](https://docs.slack.dev/messaging/formatting-message-text)).
    pub(crate) fn mrkdwn(&self) -> String {
        match &self.0 {
            Kind::Here => "<!here>".to_owned(),
            Kind::Channel => "<!channel>".to_owned(),
            Kind::Everyone => "<!everyone>".to_owned(),
            Kind::User(id) => format!("<@{id}>"),
            Kind::Group(id) => format!("<!subteam^{id}>"),
        }
    }
}

impl fmt::Display for Mention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match &self.0 {
            Kind::Here => "here",
            Kind::Channel => "channel",
            Kind::Everyone => "everyone",
            Kind::User(id) | Kind::Group(id) => id,
        })
    }
}

impl FromStr for Mention {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::Mention`] for what is neither one of the three words nor an id.
    fn from_str(given: &str) -> Result<Self, Error> {
        let kind = match given {
            "here" => Kind::Here,
            "channel" => Kind::Channel,
            "everyone" => Kind::Everyone,
            id if is_id(id) && id.starts_with(['U', 'W']) => Kind::User(id.to_owned()),
            id if is_id(id) && id.starts_with('S') => Kind::Group(id.to_owned()),
            _ => return Err(Error::Mention { given: given.to_owned() }),
        };
        Ok(Self(kind))
    }
}

/// Slack does not say how long its ids are. They have had 9 to 11 characters; the floor keeps words in
/// capitals out, the ceiling keeps a list of mentions within a block.
fn is_id(text: &str) -> bool {
    (8..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl From<Mention> for String {
    fn from(mention: Mention) -> Self {
        mention.to_string()
    }
}

impl TryFrom<String> for Mention {
    type Error = Error;

    fn try_from(given: String) -> Result<Self, Error> {
        given.parse()
    }
}
