//! The engine as a run has it: it may look at all, and what it changes is told.

use std::time::Duration;

use cutover_runtime::{
    Container, ContainerSpec, Credentials, Drained, Engine, Gate, GateError, Healthy, Heard, Image, LogLine,
    LogQuery, Network, NetworkSpec, Pull, PullProgress, Removal, Result,
};
use futures_util::Stream;

use super::{Effect, Told, around};

/// The engine, with a witness of what is changed on it.
#[derive(Clone, Debug)]
pub struct Hands {
    engine: Engine,
    witness: Told,
}

impl Hands {
    /// The engine, with this witness.
    #[must_use]
    pub fn new(engine: Engine, witness: &Told) -> Self {
        Self { engine, witness: witness.clone() }
    }

    /// Who is told.
    #[must_use]
    pub fn witness(&self) -> &Told {
        &self.witness
    }
}

/// What changes something. Errors are the engine's, as [`Engine`] has them under the same names.
#[expect(clippy::missing_errors_doc, reason = "each is told at the engine's own method")]
impl Hands {
    /// Makes sure of a network.
    pub async fn ensure_network(&self, spec: &NetworkSpec) -> Result<Network> {
        let effect = Effect::EnsureNetwork(spec.name.clone());
        around(&self.witness, effect, self.engine.ensure_network(spec)).await
    }

    /// Makes sure of an image.
    pub async fn ensure_image(
        &self,
        reference: &str,
        credentials: Option<&Credentials>,
        progress: &mut (dyn FnMut(PullProgress) + Send),
    ) -> Result<Pull> {
        let effect = Effect::EnsureImage(reference.to_owned());
        around(&self.witness, effect, self.engine.ensure_image(reference, credentials, progress)).await
    }

    /// Removes an image's reference.
    pub async fn remove_image(&self, reference: &str) -> Result<Removal> {
        let effect = Effect::RemoveImage(reference.to_owned());
        around(&self.witness, effect, self.engine.remove_image(reference)).await
    }

    /// Makes a container; its id.
    pub async fn create(&self, spec: &ContainerSpec) -> Result<String> {
        let effect = Effect::Create(spec.name.clone());
        around(&self.witness, effect, self.engine.create_container(spec)).await
    }

    /// Starts the container with this id, which is told by its name.
    pub async fn start(&self, id: &str, name: &str) -> Result<()> {
        around(&self.witness, Effect::Start(name.to_owned()), self.engine.start(id)).await
    }

    /// Stops a container.
    pub async fn stop(&self, container: &Container, grace: Duration) -> Result<()> {
        let effect = Effect::Stop(container.name.clone());
        around(&self.witness, effect, self.engine.stop(&container.id, grace)).await
    }

    /// Removes a container that does not run.
    pub async fn remove(&self, container: &Container) -> Result<()> {
        let effect = Effect::Remove(container.name.clone());
        around(&self.witness, effect, self.engine.remove(&container.id)).await
    }

    /// Gives a container another name.
    pub async fn rename(&self, container: &Container, name: &str) -> Result<()> {
        let effect = Effect::Rename(container.name.clone(), name.to_owned());
        around(&self.witness, effect, self.engine.rename(&container.id, name)).await
    }
}

/// What only looks.
#[expect(clippy::missing_errors_doc, reason = "each is told at the engine's own method")]
impl Hands {
    /// Whether the engine is this machine's.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.engine.is_local()
    }

    /// All networks.
    pub async fn observe_networks(&self) -> Result<Vec<Network>> {
        self.engine.observe_networks().await
    }

    /// The containers with these labels.
    pub async fn observe_containers(&self, labels: &[(&str, &str)]) -> Result<Vec<Container>> {
        self.engine.observe_containers(labels).await
    }

    /// The container of this name or id, if it is there.
    pub async fn observe_container(&self, name_or_id: &str) -> Result<Option<Container>> {
        self.engine.observe_container(name_or_id).await
    }

    /// An image, if it is there.
    pub async fn observe_image(&self, reference: &str) -> Result<Option<Image>> {
        self.engine.observe_image(reference).await
    }

    /// Asks a container once.
    pub async fn probe(&self, container: &str, gate: &Gate) -> Result<Healthy, GateError> {
        self.engine.probe(container, gate).await
    }

    /// Asks a container until it answers as it should, and tells of each answer.
    pub async fn gate_told(
        &self,
        container: &str,
        gate: &Gate,
        told: &Heard<'_>,
    ) -> Result<Healthy, GateError> {
        self.engine.gate_told(container, gate, told).await
    }

    /// Waits until a container has no open connection.
    pub async fn drain(&self, container: &str, port: u16, limit: Duration) -> Result<Drained> {
        self.engine.drain(container, port, limit).await
    }

    /// Waits until a container ends.
    pub async fn wait_exit(&self, id: &str) -> Result<i64> {
        self.engine.wait_exit(id).await
    }

    /// A container's output.
    pub fn logs(&self, id: &str, query: &LogQuery) -> impl Stream<Item = Result<LogLine>> + Send + use<> {
        self.engine.logs(id, query)
    }

    /// The last lines of a container's output.
    pub async fn last_log_lines(&self, id: &str, n: usize) -> Vec<String> {
        self.engine.last_log_lines(id, n).await
    }
}
