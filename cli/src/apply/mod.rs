//! The one place with effects: does the steps of a plan, each of which may be done again.

mod canary;
mod containers;
mod gates;
mod hearing;
mod image;
pub mod prune;
mod soak;
mod turn;

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_proxyconf::{Installed, Slot};
use cutover_runtime::{Drained, Unhealthy};
use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;

use self::hearing::Hearing;
use crate::failure::{Exit, Failure};
use crate::guard::Guarded;
use crate::lock::EdgeLock;
use crate::observe::observe;
use crate::places;
use crate::plan::{Plan, Step};
use crate::release::Release;
use crate::report::{Event, Report};
use crate::slots::{Standing, observe_standing};
use crate::target::Target;

/// Does steps, and keeps account of them.
pub struct Apply<'a> {
    target: &'a Target<'a>,
    release: Option<&'a Release>,
    report: &'a dyn Report,
    interrupt: CancellationToken,
    /// How often nginx was reloaded.
    pub reloads: u32,
    /// How long each phase took.
    pub phases: BTreeMap<String, Duration>,
    /// Whether traffic was switched.
    pub switched: bool,
    /// Who hears of the clients' requests, where somebody does.
    hearing: Option<Hearing>,
    /// What was heard of them when a release was last watched.
    pub guarded: Option<Guarded>,
}

/// A step that was not done.
#[derive(Debug)]
pub enum Stopped {
    /// It failed; with [`Exit::Unhealthy`] or [`Exit::RolledBack`], because the release is not well.
    Failed(Failure),
    /// A signal came before it was done.
    Interrupted,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

type Done<T = ()> = Result<T, Stopped>;

impl<'a> Apply<'a> {
    /// To do steps for a target with this release, until a signal comes.
    #[must_use]
    pub fn new(
        target: &'a Target<'a>,
        release: Option<&'a Release>,
        report: &'a dyn Report,
        interrupt: CancellationToken,
    ) -> Self {
        Self {
            target,
            release,
            report,
            interrupt,
            reloads: 0,
            phases: BTreeMap::new(),
            switched: false,
            hearing: None,
            guarded: None,
        }
    }

    /// Does the steps, until one fails or a signal comes.
    ///
    /// # Errors
    /// The step that was not done, and why.
    pub async fn run(&mut self, plan: &Plan) -> Result<(), (Step, Stopped)> {
        self.report.tell(Event::Planned(plan));
        let mut left = plan.steps.as_slice();
        while let Some(count) = turn::length(left) {
            let (turn, rest) = left.split_at(count);
            self.turn(turn).await?;
            left = rest;
        }
        Ok(())
    }

    /// Adds a phase that was no step of a plan.
    pub fn account(&mut self, phase: &str, took: Duration) {
        *self.phases.entry(phase.to_owned()).or_default() += took;
    }

    async fn step(&mut self, step: &Step) -> Done {
        match step {
            Step::Pull | Step::Create(..) | Step::Drain(_) => self.ready(step).await,
            Step::Network => Ok(places::ensure_networks(&self.target.engine, &self.target.networks).await?),
            Step::Retire(slot) => self.retire(*slot).await,
            Step::Discard(slot) => self.discard(*slot).await,
            Step::Place(slot, _) => self.place(*slot).await,
            Step::Gate(slot) => self.gate(*slot).await,
            Step::Hear(slot) => self.hear(*slot).await,
            Step::Install => self.install().await,
            Step::GateThrough(slot) => self.gate_through(*slot).await,
            Step::Switch(slot) => self.switch(*slot).await,
            Step::Share(slot, percent) => self.share(*slot, *percent).await,
            Step::Stage(slot) => {
                let done = self.stage(*slot).await;
                self.tell_heard(*slot);
                done
            }
            Step::Unshare => self.unshare().await,
            Step::Soak(slot) => {
                let done = self.soak(*slot).await;
                self.tell_heard(*slot);
                done
            }
            Step::Accept(slot) => self.accept(*slot).await,
            Step::Reinstate(slot) => self.reinstate(*slot).await,
            Step::Withdraw => self.withdraw().await,
        }
    }

    fn release(&self) -> Done<&'a Release> {
        Ok(self
            .release
            .ok_or_else(|| Failure::new(Exit::Fault, "a step needs a release and there is none"))?)
    }

    async fn standing(&self, slot: Slot) -> Done<Standing> {
        let mut standing = observe_standing(&self.target.engine, &self.target.name).await?;
        Ok(std::mem::take(standing.get_mut(slot)))
    }

    async fn drain(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        let (limit, port) = (self.target.app.drain.0, self.target.app.port.get());
        let running = standing.occupant().iter().filter(|container| container.state.is_running());
        let drained = try_join_all(running.map(|c| self.target.engine.drain(&c.id, port, limit))).await?;
        for outcome in drained {
            match outcome {
                Drained::TimedOut { connections, after } => self.report.tell(Event::Warning(&format!(
                    "{slot} still had {connections} open connections after {} s",
                    after.as_secs()
                ))),
                Drained::Unseen => {
                    self.report.tell(Event::Note(&format!(
                        "the connections of {slot} cannot be seen from here; waiting {} s",
                        limit.as_secs()
                    )));
                    tokio::time::sleep(limit).await;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn install(&mut self) -> Done {
        let _alone = EdgeLock::wait(&self.target.data_dir()).await;
        let observed = observe(self.target, self.release).await?;
        let nginx = &self.target.edge.nginx;
        match nginx.install(&observed.rendered, &self.target.name).await? {
            Installed::Unchanged => {}
            Installed::Reloaded { .. } => {
                self.reloads += 1;
                self.report.tell(Event::Note("nginx was reloaded, because its configuration changed"));
            }
        }
        Ok(())
    }

    async fn withdraw(&mut self) -> Done {
        let _alone = EdgeLock::wait(&self.target.data_dir()).await;
        if let Installed::Reloaded { .. } = self.target.edge.nginx.uninstall(&self.target.name).await? {
            self.reloads += 1;
        }
        Ok(())
    }

    async fn switch(&mut self, slot: Slot) -> Done {
        let switched = self.target.edge.nginx.switch(&self.target.name, slot).await?;
        self.switched |= switched.changed;
        Ok(())
    }
}

/// The name of a step in `phases`.
fn phase(step: &Step) -> &'static str {
    match step {
        Step::Network => "network",
        Step::Pull => "pull",
        Step::Drain(_) => "drain",
        Step::Retire(_) => "retire",
        Step::Discard(_) => "discard",
        Step::Create(..) => "create",
        Step::Place(..) => "place",
        Step::Gate(_) => "gate",
        Step::Hear(_) => "hear",
        Step::Install => "install",
        Step::GateThrough(_) => "gate-through",
        Step::Switch(_) => "switch",
        Step::Share(..) => "share",
        Step::Stage(_) => "stage",
        Step::Unshare => "unshare",
        Step::Soak(_) => "soak",
        Step::Accept(_) => "accept",
        Step::Reinstate(_) => "reinstate",
        Step::Withdraw => "withdraw",
    }
}

fn unhealthy(unhealthy: &Unhealthy) -> Stopped {
    Stopped::Failed(Failure::new(Exit::Unhealthy, unhealthy.to_string()).logs(unhealthy.logs.clone()))
}
