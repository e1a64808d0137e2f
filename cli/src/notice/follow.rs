//! A deployment that is told of while it goes on.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use cutover_notify::{Live, Notice, Progress};

use super::{Audience, Heard, with_origin};
use crate::origin::Origin;
use crate::plan::Step;
use crate::release::Release;
use crate::report::{Event, Report};

/// Hears of each step, passes it on, and has it told to those whom the file names.
pub struct Follow<'a> {
    report: &'a dyn Report,
    audience: Audience,
    /// None where nothing has begun: then there is an end alone.
    live: Option<Live>,
    state: Mutex<Progress>,
}

impl<'a> Follow<'a> {
    /// Tells that the deployment of a release has begun, if there is one. What happens is passed on to `report`.
    #[must_use]
    pub fn begin(
        report: &'a dyn Report,
        audience: Audience,
        app: &str,
        release: Option<&Release>,
        origin: &Origin,
    ) -> Self {
        let mut progress = Progress::new(app);
        progress.facts.image = release.map(|release| release.image.to_string());
        progress.facts.digest = release.map(|release| release.digest.to_string());
        progress.facts = with_origin(progress.facts, origin);
        let live = release.map(|_| audience.begin(progress.clone()));
        Self { report, audience, live, state: Mutex::new(progress) }
    }

    /// Tells how it ended.
    pub async fn end(self, notice: &Notice) -> Heard {
        let Some(live) = self.live else { return self.audience.send(notice).await };
        let told = live.end(notice, self.audience.within).await;
        Heard::new(told, self.audience.unreachable)
    }

    fn change(&self, change: impl FnOnce(&mut Progress)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        if let Some(live) = &self.live {
            live.progress(state.clone());
        }
    }

    fn begun(&self, step: &Step) {
        self.change(|progress| {
            if let Step::Create(slot, _) | Step::Place(slot, _) | Step::Share(slot, _) | Step::Switch(slot) =
                step
            {
                progress.facts.to_slot = Some(slot.to_string());
            }
            progress.phase = Some(step.to_string());
        });
    }
}

impl Report for Follow<'_> {
    fn tell(&self, event: Event<'_>) {
        match &event {
            Event::Begun(step) => self.begun(step),
            Event::Done(step, took) => self.change(|progress| {
                let step = step.to_string();
                // Another may be under way beside it.
                progress.phase.take_if(|phase| *phase == step);
                progress.facts.phases.push((step, *took));
            }),
            _ => {}
        }
        self.report.tell(event);
    }
}

impl fmt::Debug for Follow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("audience", &self.audience).finish_non_exhaustive()
    }
}
