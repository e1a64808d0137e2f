//! The world as it is: what nginx says is live, what the engine says runs, and whether it answers as it should.

use std::net::SocketAddr;
use std::time::Duration;

use cutover_proxyconf::{Absence, Address, BySlot, Rendered, Serving, Slot, Surface as _, marker};
use cutover_runtime::{Container, Gate};
use futures_util::future::join_all;

use crate::failure::{Exit, Failure};
use crate::plan::{Live, Occupant, ReleaseId, SlotState, World};
use crate::release::{Place, Release};
use crate::slots::{self, Standing};
use crate::target::Target;

/// A slot counts as ailing once it did so often, so far apart: one slow answer must not move traffic.
const LOOKS: u32 = 3;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The world as observed, in the plan's words and in the engine's.
#[derive(Debug)]
pub struct Observed {
    /// In the plan's words.
    pub world: World,
    /// The containers.
    pub standing: BySlot<Standing>,
    /// What nginx is to serve.
    pub rendered: Rendered,
}

impl Observed {
    /// The live slot, if nginx serves one.
    #[must_use]
    pub fn live(&self) -> Option<Slot> {
        match self.world.live {
            Live::Serving(slot) => Some(slot),
            Live::Unserved { .. } => None,
        }
    }

    /// The slot that is not live and has a share of the clients, and the share in percent.
    #[must_use]
    pub fn canary(&self) -> Option<(Slot, u8)> {
        let slot = self.live()?.other();
        Some((slot, self.world.shares[slot])).filter(|(_, percent)| *percent > 0)
    }

    /// The value of a label of the release in a slot.
    #[must_use]
    pub fn label(&self, slot: Slot, label: &str) -> Option<&str> {
        self.standing.get(slot).occupant().first()?.labels.get(label).map(String::as_str)
    }
}

/// What runs, and which slot nginx sends traffic to: what can be told without asking any container.
///
/// # Errors
/// When engine or nginx cannot be asked.
pub async fn observe_live(target: &Target<'_>) -> Result<(Live, BySlot<Standing>), Failure> {
    let (live, _, standing) = outline(target).await?;
    Ok((live, standing))
}

async fn outline(target: &Target<'_>) -> Result<(Live, Serving, BySlot<Standing>), Failure> {
    let serving = serving(target);
    let standing =
        async { slots::observe_standing(&target.engine, &target.name).await.map_err(Failure::from) };
    let (serving, standing) = tokio::try_join!(serving, standing)?;
    Ok((live(target, &serving).await?, serving, standing))
}

/// Observes an app. With a release that is wanted, one whose secrets have other values by now is not taken for it.
///
/// # Errors
/// When engine or nginx cannot be asked.
pub async fn observe(target: &Target<'_>, wanted: Option<&Release>) -> Result<Observed, Failure> {
    let (live, serving, standing) = outline(target).await?;
    let (blue, green) = tokio::join!(
        slot_state(target, standing.get(Slot::Blue), wanted),
        slot_state(target, standing.get(Slot::Green), wanted)
    );
    let rendered = render(target, &standing, live)?;
    let edge_current = target.edge.nginx.is_current(&rendered, &target.name, &serving).await?;
    let (slots, shares) = (BySlot { blue, green }, target.edge.nginx.shares(&target.name).await?);
    let compared = target.app.rule().is_some();
    Ok(Observed { world: World { live, edge_current, slots, shares, compared }, standing, rendered })
}

/// What nginx serves of the app. A worker that dies takes the question with it, so silence is asked again.
async fn serving(target: &Target<'_>) -> Result<Serving, Failure> {
    for _ in 1..LOOKS {
        let serving = target.edge.nginx.observe(&target.name).await?;
        if !matches!(serving, Serving::Nothing { why: Absence::Silent }) {
            return Ok(serving);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(target.edge.nginx.observe(&target.name).await?)
}

/// That nginx is not running is no fault of a release's.
pub(crate) fn nginx_is_down() -> Failure {
    Failure::new(Exit::Unreachable, "nginx is not running")
        .next("start nginx, then run the same command again")
}

/// What nginx says; where it says nothing, whether that is because the app is new to it or because it is down.
async fn live(target: &Target<'_>, serving: &Serving) -> Result<Live, Failure> {
    let nginx = &target.edge.nginx;
    let why = match serving {
        Serving::App { live, .. } => return Ok(Live::Serving(*live)),
        Serving::Nothing { why } => why,
    };
    let control = nginx.control;
    if !nginx.surface.running().await? {
        return Err(nginx_is_down().serves("nothing was changed"));
    }
    if let Absence::NotOurs { .. } | Absence::Silent = why {
        return Err(Failure::new(
            Exit::Unreachable,
            format!("the control server at {control} cannot be asked: {why}"),
        )
        .serves("nothing was changed")
        .next("give `[proxy] control` a port that is free"));
    }
    let green = nginx.surface.marker_present(&marker(&nginx.state_dir, &target.name)).await?;
    Ok(Live::Unserved { next: if green { Slot::Green } else { Slot::Blue } })
}

/// What nginx is to serve: the live slot where its containers are, the other where its next ones will be.
fn render(target: &Target<'_>, standing: &BySlot<Standing>, live: Live) -> Result<Rendered, Failure> {
    let places = BySlot::from_fn(|slot| {
        let there = slots::addresses(standing.get(slot).occupant());
        let planned = || target.places.get(slot).iter().map(Place::address).collect::<Vec<Address>>();
        if live == Live::Serving(slot) && !there.is_empty() { there } else { planned() }
    });
    let proxy = &target.config.file.proxy;
    Ok(target.edge.render(
        &target.name,
        target.app,
        proxy,
        places,
        (target.nginx_version, &target.inherited),
    )?)
}

async fn slot_state(target: &Target<'_>, standing: &Standing, wanted: Option<&Release>) -> SlotState {
    let of = async |containers: &[Container]| -> Option<Occupant> {
        let runs = !containers.is_empty() && containers.iter().all(|c| c.state.is_running());
        let mut occupant = slots::occupant(containers, runs && well(target, containers).await)?;
        let other_secrets = |release: &Release| {
            occupant.release == release.id && !containers.iter().all(|c| release.secrets_are_in(c))
        };
        if wanted.is_some_and(other_secrets) {
            occupant.release = ReleaseId(format!("{}+", occupant.release));
        }
        Some(occupant)
    };
    let (accepted, candidate) = tokio::join!(of(&standing.accepted), of(&standing.candidate));
    SlotState { accepted, candidate }
}

async fn well(target: &Target<'_>, containers: &[Container]) -> bool {
    join_all(containers.iter().map(|container| replica_is_well(target, container)))
        .await
        .into_iter()
        .all(|well| well)
}

async fn replica_is_well(target: &Target<'_>, container: &Container) -> bool {
    let Some(gate) = gate(target, container) else { return false };
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        if target.engine.probe(&container.id, &gate).await.is_ok() {
            return true;
        }
    }
    false
}

/// How a container is asked directly: at the address in its label, or where it was named, at its own.
#[must_use]
pub fn gate(target: &Target<'_>, container: &Container) -> Option<Gate> {
    let address = slots::addresses(std::slice::from_ref(container)).pop()?;
    let asked = match address {
        Address::Socket(socket) => socket,
        Address::Name { port, .. } => {
            let ip = container.networks.iter().find_map(|network| network.address)?;
            SocketAddr::new(ip, port)
        }
    };
    let mut gate = Gate::new(target.check(), asked);
    gate.attempt = target.app.health.attempt();
    gate.timeout = target.app.health.timeout();
    Some(gate)
}
