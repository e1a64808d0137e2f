//! Which steps are done at one time, and how a signal ends them.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Apply, Done, Stopped, phase};
use crate::failure::{Exit, Failure};
use crate::plan::Step;
use crate::report::Event;

/// What ended a turn early.
type Cut = (Step, Stopped);

/// How long each step of a turn took.
type Took = Vec<(&'static str, Duration)>;

/// How many of the steps that are left come next: one, or those that get a release ready with the draining after them, which
/// has nothing to do with them and may last. None at the end.
pub(super) fn length(left: &[Step]) -> Option<usize> {
    let ready = left.iter().take_while(|step| matches!(step, Step::Pull | Step::Create(..))).count();
    match left.get(ready) {
        Some(Step::Drain(_)) => Some(ready + 1),
        _ => left.first().map(|_| 1),
    }
}

impl Apply<'_> {
    /// Does the steps of a turn.
    pub(super) async fn turn(&mut self, steps: &[Step]) -> Result<(), Cut> {
        let Some((drain, ready)) = steps.split_last().filter(|(_, ready)| !ready.is_empty()) else {
            return self.alone(steps).await;
        };
        // Where one side fails, the other is not dropped but stopped: what is made is not to be left half made.
        let stop = self.interrupt.child_token();
        let (mut took, mut drained) = (Took::new(), Took::new());
        let ended = tokio::join!(
            self.side(ready, &stop, &mut took),
            self.side(std::slice::from_ref(drain), &stop, &mut drained)
        );
        took.append(&mut drained);
        took.into_iter().for_each(|(phase, took)| self.account(phase, took));
        match ended {
            (Ok(()), Ok(())) => Ok(()),
            (Err((_, Stopped::Interrupted)), Err(cut)) | (Err(cut), _) | (_, Err(cut)) => Err(cut),
        }
    }

    async fn alone(&mut self, steps: &[Step]) -> Result<(), Cut> {
        for step in steps {
            let began = self.begin(step);
            let interrupt = self.interrupt.clone();
            let done = until(&interrupt, step, self.step(step)).await;
            self.account(phase(step), began.elapsed());
            self.end(step, began, done)?;
        }
        Ok(())
    }

    /// Does steps beside others, which are stopped where one of these fails.
    async fn side(&self, steps: &[Step], stop: &CancellationToken, took: &mut Took) -> Result<(), Cut> {
        for step in steps {
            let began = self.begin(step);
            let done = until(stop, step, self.ready(step)).await;
            took.push((phase(step), began.elapsed()));
            self.end(step, began, done).inspect_err(|_| stop.cancel())?;
        }
        Ok(())
    }

    /// Does a step that can be done beside others.
    pub(super) async fn ready(&self, step: &Step) -> Done {
        match step {
            Step::Pull => self.pull().await,
            Step::Create(slot, _) => self.create(*slot).await,
            Step::Drain(slot) => self.drain(*slot).await,
            step => {
                Err(Failure::new(Exit::Fault, format!("it is not known how to {step} beside others")).into())
            }
        }
    }

    fn begin(&self, step: &Step) -> Instant {
        self.report.tell(Event::Begun(step));
        tracing::debug!(%step, "begun");
        Instant::now()
    }

    fn end(&self, step: &Step, began: Instant, done: Done) -> Result<(), Cut> {
        tracing::debug!(%step, took = ?began.elapsed(), done = done.is_ok(), "ended");
        done.map_err(|stopped| (step.clone(), stopped))?;
        self.report.tell(Event::Done(step, began.elapsed()));
        Ok(())
    }
}

/// Does the work of a step until it is to stop.
async fn until(stop: &CancellationToken, step: &Step, work: impl Future<Output = Done>) -> Done {
    if is_whole(step) {
        // Too short to be cut, and not to be left half done.
        return if stop.is_cancelled() { Err(Stopped::Interrupted) } else { work.await };
    }
    tokio::select! {
        biased;
        () = stop.cancelled() => Err(Stopped::Interrupted),
        done = work => done,
    }
}

/// Whether a step is short, and is not to be left in the middle by a signal.
fn is_whole(step: &Step) -> bool {
    match step {
        Step::Pull
        | Step::Drain(_)
        | Step::Gate(_)
        | Step::Hear(_)
        | Step::GateThrough(_)
        | Step::Stage(_)
        | Step::Soak(_) => false,
        Step::Network
        | Step::Retire(_)
        | Step::Discard(_)
        | Step::Create(..)
        | Step::Place(..)
        | Step::Install
        | Step::Switch(_)
        | Step::Share(..)
        | Step::Unshare
        | Step::Accept(_)
        | Step::Reinstate(_)
        | Step::Withdraw => true,
    }
}

#[cfg(test)]
mod tests {
    use cutover_proxyconf::Slot::{Blue, Green};

    use super::*;
    use crate::plan::ReleaseId;

    #[test]
    fn a_release_is_got_ready_while_its_slot_is_drained() {
        let create = || Step::Create(Green, ReleaseId("a".to_owned()));
        let turns = |steps: &[Step]| {
            let (mut left, mut turns) = (steps, Vec::new());
            while let Some(count) = length(left) {
                turns.push(count);
                left = &left[count..];
            }
            turns
        };
        let steps = [Step::Network, Step::Pull, create(), Step::Drain(Green), Step::Retire(Green)];
        assert_eq!(turns(&steps), [1, 3, 1]);
        let steps = [Step::Pull, Step::Drain(Green), Step::Discard(Green), create(), Step::Gate(Green)];
        assert_eq!(turns(&steps), [2, 1, 1, 1]);
        assert_eq!(turns(&[Step::Network, Step::Pull, create(), Step::Gate(Blue)]), [1, 1, 1, 1]);
        assert_eq!(turns(&[Step::Drain(Blue), Step::Discard(Blue)]), [1, 1]);
    }
}
