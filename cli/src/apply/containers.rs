//! Steps that make, stop, start and remove containers.

use std::time::{Duration, Instant};

use cutover_proxyconf::Slot;
use cutover_runtime::{Container, ContainerSpec, Error, State};
use futures_util::future::try_join_all;

use super::{Apply, Done, Stopped};
use crate::failure::{Exit, Failure};
use crate::release::label;
use crate::slots::{Role, container_name};

/// The longest that is spent on taking what a killed run had asked for out of the way.
const LEFT_LIMIT: Duration = Duration::from_secs(10);

impl Apply<'_> {
    /// Makes the replicas of the release as the slot's candidate, and leaves them for [`place`](Self::place) to start: until
    /// then what runs in the slot keeps its addresses. Those that run already are kept; one that does not, which a run that
    /// was killed may have left half made, is made anew.
    pub(super) async fn create(&self, slot: Slot) -> Done {
        let release = self.release()?;
        let standing = self.standing(slot).await?;
        let places = self.target.places.get(slot);
        let usable = |c: &Container| {
            let same = c.labels.get(label::RELEASE).is_some_and(|id| *id == release.id.0);
            same && release.secrets_are_in(c) && c.state == State::Running
        };
        let made = places.iter().enumerate().map(|(index, place)| {
            // By its number: a run that was killed while it renamed left some with the other name.
            let number = (index + 1).to_string();
            let there = standing.candidate.iter().find(|c| c.labels.get(label::REPLICA) == Some(&number));
            let name = container_name(&self.target.name, slot, index + 1, Role::Candidate);
            let spec = release.container(&self.target.name, slot, index + 1, name, place);
            async move {
                if there.is_some_and(usable) {
                    return Ok::<(), Stopped>(());
                }
                if let Some(container) = there {
                    self.stop_and_remove(container).await?;
                }
                self.make(slot, &spec).await.map(drop)
            }
        });
        try_join_all(made).await?;
        Ok(())
    }

    /// Starts the slot's candidate.
    pub(super) async fn place(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        try_join_all(standing.candidate.iter().map(|c| self.target.engine.start(&c.id, &c.name))).await?;
        Ok(())
    }

    /// Stops the slot's accepted release and keeps its containers.
    pub(super) async fn retire(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        let grace = self.target.app.stop_grace.0;
        try_join_all(standing.accepted.iter().map(|c| self.target.engine.stop(c, grace))).await?;
        Ok(())
    }

    /// Removes the slot's candidate.
    pub(super) async fn discard(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        try_join_all(standing.candidate.iter().map(|container| self.stop_and_remove(container))).await?;
        Ok(())
    }

    /// Removes what the slot held before, and gives its candidate the names of an accepted release.
    pub(super) async fn accept(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        if standing.candidate.is_empty() {
            return Ok(());
        }
        if !standing.candidate.iter().all(|container| container.state.is_running()) {
            let words = format!("the release in {slot} is not accepted: not all of its containers run");
            return Err(Failure::new(Exit::Unhealthy, words).into());
        }
        try_join_all(standing.accepted.iter().map(|container| self.stop_and_remove(container))).await?;
        for container in &standing.candidate {
            let replica = container.labels.get(label::REPLICA).and_then(|n| n.parse().ok()).unwrap_or(1);
            let name = container_name(&self.target.name, slot, replica, Role::Accepted);
            if container.name != name {
                self.target.engine.rename(container, &name).await?;
            }
        }
        Ok(())
    }

    /// Starts the slot's accepted release again.
    pub(super) async fn reinstate(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        try_join_all(standing.accepted.iter().map(|c| self.target.engine.start(&c.id, &c.name))).await?;
        Ok(())
    }

    /// Makes a container, in the place of one that a run which was killed had asked for: the engine goes on making it,
    /// and may list it only after we have looked.
    async fn make(&self, slot: Slot, spec: &ContainerSpec) -> Done<String> {
        let began = Instant::now();
        loop {
            let taken = match self.target.engine.create(spec).await {
                Err(taken @ Error::NameTaken { .. }) if began.elapsed() < LEFT_LIMIT => taken,
                created => return Ok(created?),
            };
            let standing = self.standing(slot).await?;
            match standing.candidate.iter().find(|container| container.name == spec.name) {
                Some(left) => self.stop_and_remove(left).await?,
                None => return Err(taken.into()),
            }
        }
    }

    async fn stop_and_remove(&self, container: &Container) -> Result<(), Error> {
        self.target.engine.stop(container, self.target.app.stop_grace.0).await?;
        self.target.engine.remove(container).await
    }
}
