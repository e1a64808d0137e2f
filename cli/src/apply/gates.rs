//! Steps that prove a slot healthy: asked directly, and asked through the very group of nginx that will serve.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use cutover_proxyconf::{Address, Answer, Ask, Error, Slot, Surface as _};
use cutover_runtime::{Check, Container, GateError, Reason};
use futures_util::future::try_join_all;

use super::{Apply, Done, Stopped, unhealthy};
use crate::config::app::Balance;
use crate::failure::{Exit, Failure};
use crate::observe;
use crate::report::Event;
use crate::slots;

/// Between two looks through nginx: soon at first, then less often.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// How many last lines of a container are told.
const LAST_LINES: usize = 20;

/// What one look through nginx found.
pub(super) enum Look {
    /// A replica of the slot answered as it should; which one.
    Well(String),
    /// It did not; why.
    Ill(String),
}

impl Apply<'_> {
    /// Waits until every replica of the slot answers as it should.
    pub(super) async fn gate(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        let replicas = standing.tried();
        if replicas.is_empty() {
            return Err(Failure::new(Exit::Unhealthy, format!("{slot} holds no container")).into());
        }
        try_join_all(replicas.iter().map(|container| self.gate_replica(container))).await?;
        Ok(())
    }

    async fn gate_replica(&self, container: &Container) -> Done {
        let gate = observe::gate(self.target, container).ok_or_else(|| {
            Failure::new(Exit::Fault, format!("{} has no address to ask at", container.name))
        })?;
        let what = gate.check.asked(gate.target);
        let told = |wrong: Option<&Reason>| {
            let wrong = wrong.map(ToString::to_string);
            let (who, id, wrong) = (&container.name, Some(container.id.as_str()), wrong.as_deref());
            self.report.tell(Event::Asked { who, id, what: &what, wrong });
        };
        match self.target.engine.gate_told(&container.id, &gate, &told).await {
            Ok(_) => Ok(()),
            Err(GateError::Unhealthy(why)) => Err(unhealthy(&why)),
            Err(GateError::Engine(error)) => Err(error.into()),
        }
    }

    /// Waits until nginx answers from every replica of the slot. Only answers that nginx says came from the slot
    /// count: a slot that failed lately is left alone for `fail_timeout`, and its backup answers instead.
    pub(super) async fn gate_through(&self, slot: Slot) -> Done {
        let standing = self.standing(slot).await?;
        let replicas = standing.tried();
        let addresses = slots::addresses(replicas);
        let sticky = self.target.app.upstream.balance == Some(Balance::IpHash);
        let wanted = if sticky { 1 } else { addresses.len() };
        let held_off =
            self.target.app.upstream.fail_timeout.as_ref().map_or(Duration::from_secs(10), |p| p.0);
        let limit = self.target.app.health.timeout() + held_off;
        let (began, mut pause, mut seen) = (Instant::now(), FIRST_PAUSE, BTreeSet::new());
        loop {
            let why = match self.look_through(slot, &addresses).await? {
                Look::Well(address) => {
                    seen.insert(address);
                    if seen.len() >= wanted {
                        return Ok(());
                    }
                    if began.elapsed() < limit {
                        continue;
                    }
                    format!("only {} of {wanted} replicas answered", seen.len())
                }
                Look::Ill(why) => why,
            };
            if began.elapsed() >= limit {
                return Err(self.not_through(slot, replicas, &why).await);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn not_through(&self, slot: Slot, replicas: &[Container], why: &str) -> Stopped {
        let logs = match replicas.first() {
            Some(container) => self.target.engine.last_log_lines(&container.id, LAST_LINES).await,
            None => Vec::new(),
        };
        let words = format!("{slot} answers directly and not through nginx: {why}");
        Failure::new(Exit::Unhealthy, words).logs(logs).into()
    }

    /// Asks the slot's group of nginx once.
    pub(super) async fn look_through(&self, slot: Slot, addresses: &[Address]) -> Done<Look> {
        let check = self.target.check();
        let (path, host) = match &check {
            Check::Http { path, host, .. } => (path.clone(), host.clone()),
            _ => ("/".to_owned(), None),
        };
        let ask = Ask { path, host, timeout: self.target.app.health.attempt() };
        let look = match self.target.edge.nginx.ask(&self.target.name, Some(slot), &ask).await {
            Ok(answer) => judge(&check, &answer, addresses),
            Err(Error::Control { .. }) if !self.target.edge.nginx.surface.running().await? => {
                return Err(observe::nginx_is_down().into());
            }
            Err(error) => Look::Ill(Failure::from(error).reason()),
        };
        let wrong = match &look {
            Look::Well(_) => None,
            Look::Ill(why) => Some(why.as_str()),
        };
        let what = format!("GET {} through nginx", ask.path);
        self.report.tell(Event::Asked { who: slot.as_str(), id: None, what: &what, wrong });
        Ok(look)
    }
}

fn judge(check: &Check, answer: &Answer, addresses: &[Address]) -> Look {
    let Some(from) = answer.upstream.last() else {
        return Look::Ill(format!("nginx answered {} by itself", answer.status));
    };
    let of_slot = addresses.iter().any(|address| match address {
        Address::Socket(socket) => socket.to_string() == *from,
        // nginx tells the address that the name stood for.
        Address::Name { .. } => true,
    });
    let well = match check {
        Check::Http { expect, .. } => expect.contains(answer.status),
        _ => !(502..=504).contains(&answer.status),
    };
    match (of_slot, well) {
        (true, true) => Look::Well(from.clone()),
        (true, false) => Look::Ill(format!("{from} answered {}", answer.status)),
        (false, _) => Look::Ill(format!("nginx had the answer from {from}, which is not of the slot")),
    }
}
