//! What is done to a container: from created to removed.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::{CreateContainerOptions, KillContainerOptions, RemoveContainerOptions};
use bollard::query_parameters::{EventsOptions, WaitContainerOptions};
use bollard::query_parameters::{RenameContainerOptions, StartContainerOptions, StopContainerOptions};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::error::{self, Error, Result, refusal};
use crate::{ContainerSpec, Engine, State, create, words};

/// Long enough to stand for ever, short enough to be added to.
pub(crate) const FOR_EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The longest that the engine may take to give a name away, and how often it is asked meanwhile.
const NAME_LIMIT: Duration = Duration::from_secs(10);
const NAME_PAUSE: Duration = Duration::from_millis(20);

/// How far back an end that was just told of is looked for.
const RECENT: Duration = Duration::from_secs(60);

/// How long an engine may be silent that is to tell what it has written down.
const SILENCE: Duration = Duration::from_secs(2);

impl Engine {
    /// Creates the container, on all of its networks, without starting it. Returns its id.
    ///
    /// What cannot be created whole is not left behind. A name of a container that is being removed is waited for (10 s).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSpec`] before anything is asked of the engine, [`Error::NameTaken`], [`Error::NoSuchImage`],
    /// [`Error::NoSuchNetwork`], [`Error::AmbiguousNetwork`].
    pub async fn create_container(&self, spec: &ContainerSpec) -> Result<String> {
        let body = create::body(spec)?;
        self.check_networks(spec).await?;
        let options =
            CreateContainerOptions { name: Some(spec.name.clone()), ..CreateContainerOptions::default() };
        let create = async || {
            let created = self.docker().create_container(Some(options.clone()), body.clone()).await;
            created.map_err(|e| match refusal(&e) {
                Some((404, message)) if words::no_image(message) => {
                    Error::NoSuchImage { image: spec.image.clone() }
                }
                _ => error::container("create", &spec.name, e),
            })
        };
        let created = self.once_free(&spec.name, create).await?;
        for warning in &created.warnings {
            tracing::warn!(container = spec.name, warning, "the engine warns");
        }
        if let Err(e) = self.connect_others(&created.id, spec).await {
            // It has never run, so nothing of it is worth keeping; the first error is the one to tell.
            if let Err(left) = self.remove(&created.id).await {
                tracing::warn!(container = spec.name, error = %left, "a container half made is left behind");
            }
            return Err(e);
        }
        tracing::debug!(container = spec.name, id = created.id, "container created");
        Ok(created.id)
    }

    /// The engine takes a place on a network that is not there, and fails only at the start.
    async fn check_networks(&self, spec: &ContainerSpec) -> Result<()> {
        if spec.networks.is_empty() {
            return Ok(());
        }
        let there = self.observe_networks().await?;
        for place in &spec.networks {
            let ids =
                there.iter().filter(|network| network.name == place.network || network.id == place.network);
            let ids: Vec<String> = ids.map(|network| network.id.clone()).collect();
            match ids.len() {
                0 => {
                    let doing = format!("create the container `{}`", spec.name);
                    let source = format!("network {} not found", place.network).into();
                    return Err(Error::NoSuchNetwork { doing, source });
                }
                1 => {}
                _ => return Err(Error::AmbiguousNetwork { name: place.network.clone(), ids }),
            }
        }
        Ok(())
    }

    async fn connect_others(&self, id: &str, spec: &ContainerSpec) -> Result<()> {
        for place in spec.networks.iter().skip(1) {
            let request = NetworkConnectRequest {
                container: id.to_owned(),
                endpoint_config: Some(create::endpoint(place)),
            };
            self.docker().connect_network(&place.network, request).await.map_err(|e| {
                let doing =
                    format!("connect the container `{}` to the network `{}`", spec.name, place.network);
                error::engine(doing, e)
            })?;
        }
        Ok(())
    }

    /// Starts the container. One that runs is fine.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchContainer`]; [`Error::AddressTaken`] when a port or an address of it belongs to another;
    /// [`Error::Refused`] when its program cannot be run.
    pub async fn start(&self, id: &str) -> Result<()> {
        let started = self.docker().start_container(id, None::<StartContainerOptions>).await;
        started.map_err(|e| error::container("start", id, e))
    }

    /// Asks the container to stop, and kills it when it has not after `grace` (whole seconds, rounded up).
    ///
    /// One that does not run, or is not there, is fine.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn stop(&self, id: &str, grace: Duration) -> Result<()> {
        let t = Some(create::whole_seconds(grace));
        let options = StopContainerOptions { t, ..StopContainerOptions::default() };
        match self.patient(grace).stop_container(id, Some(options)).await {
            Err(e) if !error::is_absent(&e) => Err(error::container("stop", id, e)),
            _ => Ok(()),
        }
    }

    /// Removes the container and its anonymous volumes. One that is not there is fine. Never by force.
    ///
    /// # Errors
    ///
    /// [`Error::StillRunning`] when it runs.
    pub async fn remove(&self, id: &str) -> Result<()> {
        let options = RemoveContainerOptions { v: true, ..RemoveContainerOptions::default() };
        match self.docker().remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(e) => match refusal(&e) {
                Some((404, _)) => Ok(()),
                Some((409, message)) if message.contains("already in progress") => Ok(()),
                Some((_, message)) if words::still_running(message) => {
                    Err(Error::StillRunning { container: id.to_owned() })
                }
                _ => Err(error::container("remove", id, e)),
            },
        }
    }

    /// Gives the container another name. One of a container that is being removed is waited for (10 s).
    ///
    /// # Errors
    ///
    /// [`Error::NameTaken`] when another container has it, [`Error::NoSuchContainer`].
    pub async fn rename(&self, id: &str, name: &str) -> Result<()> {
        let options = RenameContainerOptions { name: name.to_owned() };
        let rename = async || {
            let renamed = self.docker().rename_container(id, options.clone()).await;
            renamed.map_err(|e| match error::container("rename", id, e) {
                Error::NameTaken { source, .. } => Error::NameTaken { name: name.to_owned(), source },
                other => other,
            })
        };
        self.once_free(name, rename).await
    }

    /// Tries again while the name is one that the engine is about to give away: it removes a container first and its
    /// name last, and goes on with that where whoever asked for it has gone.
    async fn once_free<T>(&self, name: &str, attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            match attempt().await {
                Err(Error::NameTaken { .. })
                    if began.elapsed() < NAME_LIMIT && self.is_leaving(name).await? =>
                {
                    tokio::time::sleep(NAME_PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn is_leaving(&self, name: &str) -> Result<bool> {
        let holder = self.observe_container(name).await?;
        Ok(holder.is_none_or(|container| container.state == State::Dead))
    }

    /// Sends a signal to the container's first process, such as `HUP`.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchContainer`], [`Error::NotRunning`].
    pub async fn signal(&self, id: &str, signal: &str) -> Result<()> {
        let options = KillContainerOptions { signal: signal.to_owned() };
        let sent = self.docker().kill_container(id, Some(options)).await;
        sent.map_err(|e| error::container("signal", id, e))
    }

    /// Waits until the container ends, and returns the status of its first process. Dropping it ends the wait.
    ///
    /// One that does not run has ended; so has one that the engine then starts again.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchContainer`].
    pub async fn wait_exit(&self, id: &str) -> Result<i64> {
        tokio::select! {
            ended = self.wait(id, "not-running") => ended,
            // To the engine, one that it is about to start again runs all along.
            ended = self.wait(id, "next-exit") => ended,
        }
    }

    /// Waits for the next time the container ends, whether or not the engine starts it again.
    pub(crate) async fn wait_next_exit(&self, id: &str) -> Result<i64> {
        self.wait(id, "next-exit").await
    }

    async fn wait(&self, id: &str, condition: &str) -> Result<i64> {
        let options = WaitContainerOptions { condition: condition.to_owned() };
        let docker = self.patient(FOR_EVER);
        let mut answers = Box::pin(docker.wait_container(id, Some(options)));
        let status = match answers.next().await {
            Some(Ok(ended)) => ended.status_code,
            Some(Err(bollard::errors::Error::DockerContainerWaitError { error, code }))
                if error.is_empty() =>
            {
                code
            }
            Some(Err(e)) => return Err(error::container("wait for", id, e)),
            None => {
                return Err(Error::Exchange {
                    doing: format!("wait for the container `{id}`"),
                    source: "the engine ended its answer before there was one".into(),
                });
            }
        };
        // The engine sets the status to 0 with each start, and may tell only then that there was an end.
        match status {
            0 => Ok(self.last_exit(id).await.ok().flatten().unwrap_or(0)),
            status => Ok(status),
        }
    }

    /// The status with which the container ended last, if that was within the last minute, also where the engine has
    /// started it again since: then the container itself does not tell it any more.
    ///
    /// `None` where the engine's events have no end of it; of Docker's it keeps the last 256 of all kinds.
    ///
    /// # Errors
    ///
    /// [`Error::Exchange`].
    pub async fn last_exit(&self, id: &str) -> Result<Option<i64>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let only = [("type", "container"), ("container", id)];
        let options = EventsOptions {
            since: Some(now.saturating_sub(RECENT).as_secs().to_string()),
            until: Some(format!("{}.{:09}", now.as_secs(), now.subsec_nanos())),
            filters: Some(only.map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).into()),
        };
        let mut events = Box::pin(self.docker().events(Some(options)));
        let mut last = None;
        // An engine whose clock is behind goes on listening until it is as late there as it is here.
        while let Ok(Some(event)) = timeout(SILENCE, events.next()).await {
            let event = event.map_err(|e| error::engine(format!("ask how the container `{id}` ended"), e))?;
            // Podman has no filter for "die", but calls it so.
            if event.action.as_deref() == Some("die") {
                let told = event.actor.and_then(|actor| actor.attributes).unwrap_or_default();
                last = told.get("exitCode").and_then(|status| status.parse().ok());
            }
        }
        Ok(last)
    }
}
