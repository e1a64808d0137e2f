//! The steps that watch a release which has clients: all of them after the switch, or a share of them before it.

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use cutover_proxyconf::{Address, Slot};
use cutover_runtime::Container;
use cutover_runtime::Error::NoSuchContainer;
use futures_util::future::select_all;
use tokio::time::timeout;

use super::gates::Look;
use super::{Apply, Done, Stopped};
use crate::failure::{Exit, Failure};
use crate::guard::Verdict;
use crate::report::Event;
use crate::slots;

/// Between two looks at a release that was just switched to.
const PAUSE: Duration = Duration::from_millis(200);

/// So many bad looks in a row are a failure. An exit is one at once.
const BAD_LOOKS: u32 = 3;

/// So much later than nginx an engine that has much to do may tell of an exit.
const LATE: Duration = Duration::from_secs(2);

/// Why a release that is watched is not well.
enum Bad {
    /// It does not answer as it should.
    Looks(String),
    /// Its clients' requests are worse than those of the release before.
    Requests(String),
}

impl Apply<'_> {
    /// Watches the slot for the soak time, now that it has all clients.
    pub(super) async fn soak(&self, slot: Slot) -> Done {
        if let Some(hearing) = &self.hearing {
            hearing.heard().watch_all(slot, Instant::now());
        }
        self.watch(slot, self.target.app.soak.0).await
    }

    /// Watches the slot for this time: none of its containers may end, nginx must get its answers from it, and where nginx
    /// tells of its requests, they may be no worse than those of the other slot.
    pub(super) async fn watch(&self, slot: Slot, time: Duration) -> Done {
        let standing = self.standing(slot).await?;
        let replicas = standing.tried();
        if replicas.is_empty() {
            return Err(Failure::new(Exit::RolledBack, format!("{slot} is empty")).into());
        }
        let mut exits = pin!(self.exits(replicas));
        let addresses = slots::addresses(replicas);
        let watched = self.look_for(time, slot, &addresses);
        let (which, words) = tokio::select! {
            biased;
            (which, how) = &mut exits => (which, self.ended(&replicas[which], &how).await),
            why = watched => match why? {
                None => return Ok(()),
                Some(Bad::Looks(why)) => self.bad(slot, replicas, &why, exits).await,
                Some(Bad::Requests(why)) => (0, why),
            },
        };
        Err(self.gone_bad(&replicas[which], &words).await)
    }

    /// Waits until one of the containers ends; which, and how. An engine that breaks off is no end of a container's:
    /// nginx tells whether they answer, and the accept asks the engine again.
    async fn exits(&self, replicas: &[Container]) -> (usize, String) {
        let waits = replicas.iter().map(|c| Box::pin(self.target.engine.wait_exit(&c.id)));
        let (ended, which, _) = select_all(waits).await;
        match ended {
            Ok(code) => (which, format!("ended with status {code}")),
            Err(NoSuchContainer { .. }) => (which, "is not there any more".to_owned()),
            Err(error) => {
                let words =
                    format!("an end of the release would be seen late: {}", Failure::from(error).reason());
                self.report.tell(Event::Warning(&words));
                std::future::pending().await
            }
        }
    }

    /// Looks through nginx until the time is over; says why if it goes bad.
    async fn look_for(&self, limit: Duration, slot: Slot, addresses: &[Address]) -> Done<Option<Bad>> {
        let (began, mut bad) = (Instant::now(), 0);
        loop {
            if let Some(Verdict::Worse(why)) =
                self.hearing.as_ref().map(|hearing| hearing.heard().judge(slot))
            {
                return Ok(Some(Bad::Requests(why)));
            }
            match self.look_through(slot, addresses).await? {
                Look::Well(_) => bad = 0,
                Look::Ill(why) => {
                    bad += 1;
                    if bad >= BAD_LOOKS {
                        return Ok(Some(Bad::Looks(why)));
                    }
                }
            }
            if bad == 0 && began.elapsed() >= limit {
                return Ok(None);
            }
            tokio::time::sleep(PAUSE.min(limit)).await;
        }
    }

    /// How a container ended, with what the engine has to say of it.
    async fn ended(&self, container: &Container, how: &str) -> String {
        let name = &container.name;
        match self.target.engine.observe_container(&container.id).await {
            Ok(Some(seen)) if seen.oom => format!("{name} was killed for want of memory: raise its limit"),
            Ok(None) => format!("{name} was removed by somebody"),
            _ => format!("{name} {how}"),
        }
    }

    /// Why a slot went bad, and which replica shows it: the engine may know more of it than nginx does. How one has ended it
    /// may tell a moment later; meanwhile nginx has its answers from the other slot.
    async fn bad(
        &self,
        slot: Slot,
        replicas: &[Container],
        why: &str,
        exits: Pin<&mut impl Future<Output = (usize, String)>>,
    ) -> (usize, String) {
        for (which, container) in replicas.iter().enumerate() {
            let Ok(Some(seen)) = self.target.engine.observe_container(&container.id).await else { continue };
            if seen.state.is_running() && seen.restarts == container.restarts && !seen.oom {
                continue;
            }
            let (which, how) = timeout(LATE, exits).await.unwrap_or((which, "ended".to_owned()));
            return (which, self.ended(&replicas[which], &how).await);
        }
        (0, format!("{slot} went bad: {why}"))
    }

    async fn gone_bad(&self, container: &Container, words: &str) -> Stopped {
        let logs = self.target.engine.last_log_lines(&container.id, 20).await;
        Failure::new(Exit::RolledBack, words).logs(logs).into()
    }
}
