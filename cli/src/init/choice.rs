//! The kinds of answers that are `init`'s own. Each is read from a word as it is written on the command line.

use std::fmt;
use std::str::FromStr;

use cutover_proxyconf::ServerName;

/// Why a word is no answer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAChoice(String);

impl NotAChoice {
    fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

/// How a container is found to be well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// By an HTTP request of this path.
    Path(String),
    /// By a TCP connection.
    Tcp,
    /// By the image's own HEALTHCHECK.
    Image,
}

impl FromStr for Health {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Self, NotAChoice> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "image" => Ok(Self::Image),
            path if path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic()) => {
                Ok(Self::Path(path.to_owned()))
            }
            _ => Err(NotAChoice::new("write a path that begins with `/`, `tcp` or `image`")),
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path(path) => path,
            Self::Tcp => "tcp",
            Self::Image => "image",
        })
    }
}

/// Where nginx is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NginxPlace {
    /// On this host, with its usual paths.
    Host,
    /// In the container of this name.
    Container(String),
}

impl FromStr for NginxPlace {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Self, NotAChoice> {
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
        };
        match text.split_once(':') {
            None if text == "host" => Ok(Self::Host),
            Some(("container", name)) if is_name(name) => Ok(Self::Container(name.to_owned())),
            _ => Err(NotAChoice::new("write `host` or `container:NAME`")),
        }
    }
}

impl fmt::Display for NginxPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => f.write_str("host"),
            Self::Container(name) => write!(f, "container:{name}"),
        }
    }
}

/// Whether Slack is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slack {
    /// By a webhook, whose URL is read from `SLACK_WEBHOOK_URL`.
    Webhook,
    /// It is not.
    None,
}

impl FromStr for Slack {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Self, NotAChoice> {
        match text {
            "webhook" => Ok(Self::Webhook),
            "none" => Ok(Self::None),
            _ => Err(NotAChoice::new("write `webhook` or `none`")),
        }
    }
}

impl fmt::Display for Slack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Webhook { "webhook" } else { "none" })
    }
}

/// The names that a site answers to; `all` for every name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains(pub Vec<ServerName>);

impl FromStr for Domains {
    type Err = cutover_proxyconf::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            return Ok(Self::default());
        }
        text.split_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Domains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(if names.is_empty() { "all" } else { "" })?;
        f.write_str(&names.join(" "))
    }
}

/// A label of a self-hosted runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

impl FromStr for Label {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Self, NotAChoice> {
        let well = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if text.is_empty() || !text.chars().all(well) {
            return Err(NotAChoice::new("a label has letters, digits and any of `_.-`"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Yes(pub(super) bool);

impl FromStr for Yes {
    type Err = NotAChoice;

    fn from_str(text: &str) -> Result<Self, NotAChoice> {
        match text.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(Self(true)),
            "n" | "no" => Ok(Self(false)),
            _ => Err(NotAChoice::new("write `yes` or `no`")),
        }
    }
}

impl fmt::Display for Yes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "yes" } else { "no" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<T: FromStr + fmt::Display>(words: &[&str]) {
        for word in words {
            let read = word.parse::<T>().unwrap_or_else(|_| panic!("{word} is refused"));
            assert_eq!(read.to_string(), *word);
        }
    }

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        comes_back::<Health>(&["/", "/healthz?deep=1", "tcp", "image"]);
        comes_back::<NginxPlace>(&["host", "container:load_balancer"]);
        comes_back::<Slack>(&["webhook", "none"]);
        comes_back::<Domains>(&["all", "example.com", "example.com *.example.com"]);
        comes_back::<Label>(&["web-1", "linux_x64"]);
        comes_back::<Yes>(&["yes", "no"]);
    }

    #[test]
    fn what_would_say_something_else_in_a_file_is_refused() {
        for text in ["", "healthz", "/a b", "/\n", "http"] {
            assert!(text.parse::<Health>().is_err(), "{text:?}");
        }
        for text in ["", "container", "container:", "container:a b", "host:x", "container:a\"]"] {
            assert!(text.parse::<NginxPlace>().is_err(), "{text:?}");
        }
        for text in ["", "a b", "a]", "a,b", "${{x}}"] {
            assert!(text.parse::<Label>().is_err(), "{text:?}");
        }
        assert!("example.com;".parse::<Domains>().is_err());
    }
}
