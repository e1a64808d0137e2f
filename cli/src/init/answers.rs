//! The answers from which the files are made.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::str::FromStr;

use cutover_proxyconf::{AppName, Listen};
use cutover_registry::ImageRef;

use super::ask::Asker;
use super::choice::{Domains, Health, Label, NginxPlace, Slack, Yes};
use super::flags::Flags;
use super::found::Found;

/// Everything that the files are made from.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The app's name.
    pub name: AppName,
    /// Its image.
    pub image: ImageRef,
    /// The compose file and the service in it that say the rest.
    pub compose: Option<(String, String)>,
    /// Whether cutover builds it, by the folder's Dockerfile.
    pub build: bool,
    /// The user of the image's registry.
    pub registry_user: Option<String>,
    /// The port in the container.
    pub port: NonZeroU16,
    /// The health check.
    pub health: Health,
    /// What nginx listens on.
    pub listen: Listen,
    /// The names of the site.
    pub domains: Domains,
    /// Where nginx is.
    pub nginx: NginxPlace,
    /// Whether Slack is told.
    pub slack: Slack,
    /// What the workflows need besides, if there are to be any.
    pub github: Option<Github>,
}

/// What the workflows need besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// A label of the runner on the server, besides `self-hosted`.
    pub runner: Option<Label>,
    /// The branch that is deployed.
    pub branch: String,
    /// The app's folder in the repository; empty at its top.
    pub folder: PathBuf,
}

/// Why there are no answers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotKnown {
    /// Nobody is asked, and these cannot be guessed.
    #[error("the folder does not say everything: {} cannot be guessed", .0.join(" and "))]
    Flags(Vec<&'static str>),
    /// Who was asked did not answer.
    #[error("the questions were not answered")]
    Unanswered(#[source] io::Error),
}

impl Answers {
    /// The answers: of the command line, else by asking if there is anyone to ask, else as found, else the default.
    ///
    /// # Errors
    /// [`NotKnown`], with the flags that say what is missing.
    pub fn gather<R: BufRead, W: Write>(
        flags: &Flags,
        found: &Found,
        asker: Option<Asker<R, W>>,
    ) -> Result<Self, NotKnown> {
        let mut way = Way { asker, missing: Vec::new() };
        let name = way.needs("--name", "The app's name", flags.name.clone(), found.name.clone())?;
        let image = way.needs("--image", "Its image", flags.image.clone(), found.image())?;
        let port =
            way.needs("--port", "The port it listens on in its container", flags.port, found.port())?;
        let usual = "80".parse().ok();
        let listen = way.needs("--listen", "What nginx listens on for it", flags.listen.clone(), usual)?;
        let (Some(name), Some(image), Some(port), Some(listen)) = (name, image, port, listen) else {
            return Err(NotKnown::Flags(way.missing));
        };
        let usual = found.health().unwrap_or_else(|| Health::Path("/".to_owned()));
        let health = way.takes("Its health check: a path, tcp or image", flags.health.clone(), usual)?;
        let said = (!flags.domain.is_empty()).then(|| Domains(flags.domain.clone()));
        let domains = way.takes("The names of the site", said, Domains::default())?;
        let nginx =
            way.takes("Where nginx is: host, or container:NAME", flags.nginx.clone(), NginxPlace::Host)?;
        let slack = way.takes("Whether Slack is told: webhook or none", flags.slack, Slack::None)?;
        let wanted = flags.wants_github().map(Yes);
        let github = way.takes("Workflows for GitHub Actions", wanted, Yes(found.on_github))?;
        Ok(Self {
            name,
            image,
            compose: found.service.as_ref().map(|(file, service)| (file.clone(), service.name.clone())),
            build: found.dockerfile.is_some(),
            registry_user: flags.registry_user.clone(),
            port,
            health,
            listen,
            domains,
            nginx,
            slack,
            github: github.0.then(|| Github::new(flags, found)),
        })
    }
}

impl Github {
    fn new(flags: &Flags, found: &Found) -> Self {
        let branch = flags.branch.clone().or_else(|| found.branch.clone());
        Self {
            runner: flags.runner.clone(),
            branch: branch.unwrap_or_else(|| "main".to_owned()),
            folder: found.repository.as_ref().map(|(_, below)| below.clone()).unwrap_or_default(),
        }
    }
}

/// How an answer is come by.
struct Way<R, W> {
    asker: Option<Asker<R, W>>,
    missing: Vec<&'static str>,
}

impl<R: BufRead, W: Write> Way<R, W> {
    /// An answer that has no default.
    fn needs<T>(
        &mut self,
        flag: &'static str,
        question: &str,
        said: Option<T>,
        found: Option<T>,
    ) -> Result<Option<T>, NotKnown>
    where
        T: FromStr<Err: Display> + Display,
    {
        let answer = match (said, &mut self.asker) {
            (Some(said), _) => Some(said),
            (None, Some(asker)) => Some(asker.ask(question, found).map_err(NotKnown::Unanswered)?),
            (None, None) => found,
        };
        if answer.is_none() {
            self.missing.push(flag);
        }
        Ok(answer)
    }

    /// An answer that has one.
    fn takes<T>(&mut self, question: &str, said: Option<T>, usual: T) -> Result<T, NotKnown>
    where
        T: FromStr<Err: Display> + Display,
    {
        match (said, &mut self.asker) {
            (Some(said), _) => Ok(said),
            (None, Some(asker)) => asker.ask(question, Some(usual)).map_err(NotKnown::Unanswered),
            (None, None) => Ok(usual),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init::dockerfile::Dockerfile;

    type Nobody = Option<Asker<io::Empty, io::Sink>>;

    fn found(ports: &[u16]) -> Found {
        let ports = ports.iter().filter_map(|port| NonZeroU16::new(*port)).collect();
        Found {
            name: "web".parse().ok(),
            image: "ghcr.io/acme/web".parse().ok(),
            dockerfile: Some(Dockerfile { ports, health: "/up".parse().ok() }),
            on_github: true,
            ..Found::default()
        }
    }

    #[test]
    fn what_was_found_is_taken_and_what_was_said_wins_over_it() {
        let answers =
            Answers::gather(&Flags::default(), &found(&[3000]), None::<Asker<io::Empty, io::Sink>>).unwrap();
        assert_eq!((answers.name.as_str(), answers.port.get(), answers.build), ("web", 3000, true));
        assert_eq!((answers.health, answers.slack), (Health::Path("/up".to_owned()), Slack::None));
        assert_eq!(answers.github.unwrap().branch, "main");
        let flags = Flags {
            port: NonZeroU16::new(1),
            no_github: true,
            health: Some(Health::Tcp),
            ..Flags::default()
        };
        let answers = Answers::gather(&flags, &found(&[3000]), Nobody::None).unwrap();
        assert_eq!((answers.port.get(), answers.health, answers.github), (1, Health::Tcp, None));
    }

    #[test]
    fn what_can_only_be_guessed_at_is_asked_for_by_its_flag() {
        let error = Answers::gather(&Flags::default(), &Found::default(), Nobody::None).unwrap_err();
        assert!(
            matches!(&error, NotKnown::Flags(flags) if flags == &["--name", "--image", "--port"]),
            "{error}"
        );
        // Of several ports none is more likely than the others.
        let error = Answers::gather(&Flags::default(), &found(&[80, 9090]), Nobody::None).unwrap_err();
        assert!(matches!(&error, NotKnown::Flags(flags) if flags == &["--port"]), "{error}");
    }

    #[test]
    fn on_a_terminal_only_what_was_not_said_is_asked() {
        let flags = Flags { port: NonZeroU16::new(8112), ..Flags::default() };
        let mut told = Vec::new();
        let typed = "shop\n\n8080\n/healthz\nexample.com\ncontainer:lb\nwebhook\nno\n";
        let asker = Asker::new(typed.as_bytes(), &mut told);
        let answers = Answers::gather(&flags, &found(&[]), Some(asker)).unwrap();
        assert_eq!(
            (answers.name.as_str(), answers.image.to_string().as_str()),
            ("shop", "ghcr.io/acme/web:latest")
        );
        assert_eq!((answers.health.to_string().as_str(), answers.port.get()), ("/healthz", 8112));
        assert_eq!(answers.listen.to_string(), "8080");
        assert_eq!((answers.domains.to_string().as_str(), answers.slack), ("example.com", Slack::Webhook));
        assert_eq!((answers.nginx.to_string().as_str(), answers.github), ("container:lb", None));
        let told = String::from_utf8(told).unwrap();
        assert!(!told.contains("port it listens"), "{told}");
        let asker = Asker::new("shop\n".as_bytes(), io::sink());
        let error = Answers::gather(&flags, &found(&[]), Some(asker)).unwrap_err();
        assert!(matches!(error, NotKnown::Unanswered(_)), "{error}");
    }
}
