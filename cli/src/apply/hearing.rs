//! Hearing of the requests of clients: nginx tells of each for as long as a plan that watches a release is done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cutover_proxyconf::{AppName, Ear, Nginx, Slot};
use futures_util::future::OptionFuture;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Apply, Done};
use crate::edge::Place;
use crate::effect::Watched;
use crate::failure::Failure;
use crate::guard::{Comparison, is_worth_waiting};
use crate::plan::{Plan, Step};
use crate::report::Event;

/// nginx tells for another 100 s at least each time.
const RENEWAL: Duration = Duration::from_secs(40);

/// Between two looks at how many requests were heard.
const PAUSE: Duration = Duration::from_millis(50);

/// nginx tells of each request for as long as this is there.
#[derive(Debug)]
pub(super) struct Hearing {
    heard: Arc<Mutex<Comparison>>,
    stop: CancellationToken,
    task: JoinHandle<Option<String>>,
}

impl Hearing {
    /// What was heard so far.
    pub(super) fn heard(&self) -> MutexGuard<'_, Comparison> {
        held(&self.heard)
    }

    /// Ends the listening; what went wrong meanwhile, if anything did.
    async fn stop(self) -> Option<String> {
        self.stop.cancel();
        self.task.await.unwrap_or_else(|error| Some(error.to_string()))
    }
}

impl Apply<'_> {
    /// Has nginx tell of the requests from now on, if the app's releases are compared and the plan has a step that does.
    /// What is heard before that step is of the release before.
    ///
    /// # Errors
    /// When nginx cannot tell; nothing is changed then.
    pub async fn listen(&mut self, plan: &Plan) -> Result<(), Failure> {
        let watches = plan.steps.iter().any(|step| matches!(step, Step::Stage(_) | Step::Soak(_)));
        let Some(rule) = self.target.app.rule().filter(|_| watches) else { return Ok(()) };
        let (nginx, app) = (self.target.edge.nginx.clone(), self.target.name.clone());
        // A release that is to be compared by its requests is not tried where they cannot be heard.
        let ear =
            nginx.listen(&app).await.map_err(|error| Failure::from(error).serves("nothing was changed"))?;
        let heard = Arc::new(Mutex::new(Comparison::new(rule, Instant::now())));
        let stop = CancellationToken::new();
        let task = tokio::spawn(listen(ear, nginx, app, heard.clone(), stop.clone()));
        self.hearing = Some(Hearing { heard, stop, task });
        Ok(())
    }

    /// Has nginx fall silent, also where it was a run that was killed which it told.
    pub async fn fall_silent(&mut self) {
        let amiss = OptionFuture::from(self.hearing.take().map(Hearing::stop)).await.flatten();
        if self.target.app.rule().is_none() {
            return;
        }
        let deafened = self.target.edge.nginx.deafen(&self.target.name).await;
        if let Some(amiss) = amiss.or_else(|| deafened.err().map(|error| error.to_string())) {
            self.report.tell(Event::Warning(&format!("not all requests were heard: {amiss}")));
        }
    }

    /// Waits until enough requests to the slot were heard to compare the next release's times with, as long as that will
    /// be watched at most.
    pub(super) async fn hear(&self, slot: Slot) -> Done {
        let Some(hearing) = &self.hearing else { return Ok(()) };
        let (began, limit) = (Instant::now(), self.target.app.soak.0);
        let first = hearing.heard().wanting(slot);
        loop {
            let wanting = hearing.heard().wanting(slot);
            if !is_worth_waiting(wanting, first.saturating_sub(wanting), began.elapsed(), limit) {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Keeps and tells what was heard of the slot's requests.
    pub(super) fn tell_heard(&mut self, slot: Slot) {
        self.guarded = self.hearing.as_ref().map(|hearing| hearing.heard().guarded(slot));
        if let Some(guarded) = &self.guarded {
            self.report.tell(Event::Note(&format!("{slot}: {guarded}")));
        }
    }
}

fn held(heard: &Mutex<Comparison>) -> MutexGuard<'_, Comparison> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes in what nginx tells until it is to stop; what kept it from going on, if anything did.
async fn listen(
    mut ear: Ear,
    nginx: Nginx<Watched<Place>>,
    app: AppName,
    heard: Arc<Mutex<Comparison>>,
    stop: CancellationToken,
) -> Option<String> {
    let mut renewal = tokio::time::interval(RENEWAL);
    renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
    renewal.reset();
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            _ = renewal.tick() => {
                if let Err(error) = nginx.keep_listening(&app).await {
                    return Some(error.to_string());
                }
            }
            told = ear.next() => match told {
                Ok(told) => held(&heard).hear(&told, Instant::now()),
                Err(error) => return Some(error.to_string()),
            },
        }
    }
}
