//! What transfers took, on both sides, and the rows that come of it.

use std::time::Duration;

use crate::bench::figures::{Aim, Part, Unit};
use crate::bench::sample::Sample;
use crate::bench::watch::Watched;

/// Where the memory of a transfer should end, in MiB.
const MEMORY: f64 = 64.0;

/// Interleaved pairs.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) ours: Side,
    pub(super) theirs: Side,
}

/// One of the two.
#[derive(Default)]
pub(super) struct Side {
    time: Sample,
    memory: Sample,
    processor: Sample,
    registry: Sample,
}

impl Side {
    /// Adds a run, and the registry's processor time meanwhile.
    pub(super) fn push(&mut self, watched: &Watched, registry: Duration) {
        self.time.push_time(watched.took);
        self.memory.push(watched.peak);
        self.processor.push(watched.spent.as_secs_f64());
        self.registry.push(registry.as_secs_f64());
    }

    /// `0.40 s and the registry 1.20 s, 75 % of both`.
    fn processors(&self) -> String {
        let [own, registry] = [&self.processor, &self.registry].map(|of| of.median().unwrap_or_default());
        let share = 100.0 * registry / (own + registry);
        format!("{own:.2} s and the registry {registry:.2} s, {share:.0} % of both")
    }
}

impl Taken {
    /// The rows of a transfer: `pull, 10 layers of 50 MB`, by `cutover image pull`.
    pub(super) fn tell(self, what: &str, command: &str, aim: Option<Aim>, part: &mut Part) {
        let (ours, theirs) = (self.ours.processors(), self.theirs.processors());
        part.notes.push(format!("{what}, processor time: cutover takes {ours}; skopeo takes {theirs}"));
        let ratio = self.theirs.time.ratio(&self.ours.time);
        part.figure(format!("{what}: skopeo's time by cutover's, pair by pair"), Unit::Times, ratio, aim);
        part.figure(format!("{what}: `{command}`"), Unit::Millis, self.ours.time, None);
        part.figure(format!("{what}: `skopeo copy`"), Unit::Millis, self.theirs.time, None);
        let bound = Some(Aim::AtMost(MEMORY));
        part.figure(format!("{what}: cutover's peak memory"), Unit::Mebibytes, self.ours.memory, bound);
        part.figure(format!("{what}: skopeo's peak memory"), Unit::Mebibytes, self.theirs.memory, None);
    }
}
