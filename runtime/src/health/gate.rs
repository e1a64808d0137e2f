//! Waiting until a container is healthy.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::{Check, Gate, Reason, probe};
use crate::error::Error;
use crate::{Container, Engine, HealthStatus, State, sockets};

/// The rhythm of the looks that cost the container or the engine something.
const LOOKS: Rhythm =
    Rhythm { shortest: Duration::from_millis(2), share: 20, longest: Duration::from_millis(500) };
/// The rhythm of the looks while connections are refused, which cost next to nothing: who listens after 1 s is seen at
/// most 10 ms late.
const KNOCKS: Rhythm =
    Rhythm { shortest: Duration::from_millis(1), share: 100, longest: Duration::from_millis(100) };
/// How many of the container's last lines a failure tells.
const LAST_LINES: usize = 20;

/// Who hears of each look: why it was no good one, or `None`.
pub type Heard<'h> = dyn Fn(Option<&Reason>) + Send + Sync + 'h;

/// How a container came to be healthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Healthy {
    /// How long it took, from the first look.
    pub after: Duration,
    /// How many looks it took.
    pub attempts: u32,
}

/// How a container did not come to be healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unhealthy {
    /// Its name.
    pub container: String,
    /// What was asked, such as `GET http://10.0.0.2:80/healthz, Host: x`.
    pub asked: String,
    /// What came back last.
    pub reason: Reason,
    /// How many looks were taken.
    pub attempts: u32,
    /// How long it was waited for.
    pub after: Duration,
    /// The last lines it wrote, at most 20.
    pub logs: Vec<String>,
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { container, asked, reason, attempts, after, .. } = self;
        let looks = if *attempts == 1 { "look" } else { "looks" };
        write!(
            f,
            "the container `{container}` is not healthy after {attempts} {looks} in {after:.1?} ({asked}): {reason}"
        )
    }
}

impl std::error::Error for Unhealthy {}

/// Why a gate did not open.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The container is not healthy.
    #[error(transparent)]
    Unhealthy(Box<Unhealthy>),
    /// The engine could not be asked.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl Engine {
    /// Waits until the container is healthy.
    ///
    /// It looks at once, then every 2 ms, later after a twentieth of the time waited so far, at last every 500 ms; while
    /// connections are refused every 1 ms, then after a hundredth of the time, at last every 100 ms. It ends at once when
    /// the container does.
    /// Dropping the future ends it.
    ///
    /// # Errors
    ///
    /// [`GateError::Unhealthy`] with what was asked, what came back and the container's last lines.
    pub async fn gate(&self, container: &str, gate: &Gate) -> Result<Healthy, GateError> {
        self.gate_told(container, gate, &|_| {}).await
    }

    /// Waits as [`gate`](Self::gate) does, and tells of each look when it is taken: why it was no good one, or `None`.
    ///
    /// # Errors
    ///
    /// As [`gate`](Self::gate).
    pub async fn gate_told(
        &self,
        container: &str,
        gate: &Gate,
        told: &Heard<'_>,
    ) -> Result<Healthy, GateError> {
        let began = Instant::now();
        let mut attempts = 0;
        let looking = self.look_until(container, gate, (began, told), &mut attempts);
        let ended = tokio::select! {
            biased;
            looked = looking => looked?,
            exited = self.wait_next_exit(container) => Some(self.after_exit(container, exited?).await?),
        };
        match ended {
            None => Ok(Healthy { after: began.elapsed(), attempts }),
            Some(reason) => Err(self.unhealthy(container, gate, reason, attempts, began.elapsed()).await),
        }
    }

    /// Looks once.
    ///
    /// # Errors
    ///
    /// [`GateError::Unhealthy`], as [`gate`](Self::gate) has it.
    pub async fn probe(&self, container: &str, gate: &Gate) -> Result<Healthy, GateError> {
        let began = Instant::now();
        match self.confirmed(container, answer(gate, gate.attempt).await).await? {
            None => Ok(Healthy { after: began.elapsed(), attempts: 1 }),
            Some(reason) => Err(self.unhealthy(container, gate, reason, 1, began.elapsed()).await),
        }
    }

    /// Looks until it is healthy (`None`), until more looks are of no use, or until the time is up.
    async fn look_until(
        &self,
        container: &str,
        gate: &Gate,
        (began, heard): (Instant, &Heard<'_>),
        attempts: &mut u32,
    ) -> Result<Option<Reason>, Error> {
        let (mut told, mut engine_due) = (None, Duration::ZERO);
        loop {
            *attempts += 1;
            let left = gate.timeout.saturating_sub(began.elapsed());
            let looked = match answer(gate, gate.attempt.min(left)).await {
                // The engine need not be asked each time why nothing listens yet.
                Some(Err(refused @ Reason::Refused { .. })) if began.elapsed() < engine_due => Some(refused),
                answered => {
                    engine_due = began.elapsed() + LOOKS.pause(began.elapsed());
                    self.confirmed(container, answered).await?
                }
            };
            heard(looked.as_ref());
            let Some(reason) = looked else { return Ok(None) };
            let end = reason.is_final();
            let rhythm = if matches!(reason, Reason::Refused { .. }) { KNOCKS } else { LOOKS };
            // A look that was cut short by the end of the time tells less than one before that was not.
            if told.is_none() || left >= gate.attempt || !reason.is_for_want_of_time() {
                told = Some(reason);
            }
            let left = gate.timeout.saturating_sub(began.elapsed());
            if end || left.is_zero() {
                return Ok(told);
            }
            sleep(rhythm.pause(began.elapsed()).min(left)).await;
        }
    }

    /// What is to be made of an answer, once the engine was asked as well: `None` when the container is healthy. Even a
    /// good answer is another's while the container does not run.
    async fn confirmed(
        &self,
        container: &str,
        answered: Option<Result<(), Reason>>,
    ) -> Result<Option<Reason>, Error> {
        let Some(seen) = self.observe_container(container).await? else {
            return Ok(Some(Reason::NotRunning));
        };
        Ok(stopped(&seen).or_else(|| answered.map_or_else(|| image_health(&seen), Result::err)))
    }

    /// What the engine has to say about a container that just ended with `code`.
    async fn after_exit(&self, container: &str, code: i64) -> Result<Reason, Error> {
        let seen = self.observe_container(container).await?;
        Ok(match seen.map(|seen| (seen.restarts, seen.state, seen.oom)) {
            Some((_, State::Exited { code, oom }, _)) => Reason::Exited { code, oom },
            Some((_, _, true)) => Reason::Exited { code, oom: true },
            // The first restart is under way before it can be seen; more of them tell another story.
            Some((times, ..)) if times > 1 => Reason::Restarting { times, code },
            None => Reason::NotRunning,
            Some(_) => Reason::Exited { code, oom: false },
        })
    }

    async fn unhealthy(
        &self,
        container: &str,
        gate: &Gate,
        reason: Reason,
        attempts: u32,
        after: Duration,
    ) -> GateError {
        let seen = self.observe_container(container).await.ok().flatten();
        let reason = match &seen {
            Some(seen) => self.with_ports(seen, gate, reason).await,
            None => reason,
        };
        GateError::Unhealthy(Box::new(Unhealthy {
            container: seen.map_or_else(|| container.to_owned(), |seen| seen.name),
            asked: gate.check.asked(gate.target),
            reason,
            attempts,
            after,
            logs: self.last_log_lines(container, LAST_LINES).await,
        }))
    }

    /// Adds where the container does listen, where that can be seen from here.
    async fn with_ports(&self, seen: &Container, gate: &Gate, reason: Reason) -> Reason {
        if !matches!(reason, Reason::Refused { .. } | Reason::Closed { .. }) {
            return reason;
        }
        let ports = match seen.pid {
            Some(pid) if self.sees(pid, &seen.id).await => sockets::of_process(pid).await.unwrap_or_default(),
            _ => Vec::new(),
        };
        let (listening, loopback) = sockets::listening(&ports);
        // A published port has another number inside.
        let published = seen.published.iter().find(|published| {
            let host = published.host;
            host.port() == gate.target.port() && (host.ip() == gate.target.ip() || host.ip().is_unspecified())
        });
        let own_address = seen.networks.iter().any(|at| at.address == Some(gate.target.ip()));
        let port = published
            .filter(|_| !own_address)
            .map_or(gate.target.port(), |published| published.container_port);
        match reason {
            Reason::Refused { .. } => Reason::Refused { port, listening, loopback },
            _ => Reason::Closed { port, listening },
        }
    }
}

/// How long to wait for the next look: a share of the time waited so far, within bounds.
#[derive(Clone, Copy)]
struct Rhythm {
    shortest: Duration,
    share: u32,
    longest: Duration,
}

impl Rhythm {
    fn pause(self, waited: Duration) -> Duration {
        (waited / self.share).clamp(self.shortest, self.longest)
    }
}

/// What the container answers; nothing where the engine alone can tell.
async fn answer(gate: &Gate, attempt: Duration) -> Option<Result<(), Reason>> {
    match &gate.check {
        Check::Image => None,
        check => Some(probe(check, gate.target, attempt).await),
    }
}

/// Why a container that does not run cannot be healthy.
fn stopped(seen: &Container) -> Option<Reason> {
    match seen.state {
        State::Running => None,
        State::Exited { code, oom } => Some(Reason::Exited { code, oom }),
        State::Restarting if seen.oom => Some(Reason::Exited { code: seen.exit_code, oom: true }),
        State::Restarting => Some(Reason::Restarting { times: seen.restarts, code: seen.exit_code }),
        State::Created | State::Paused | State::Dead => Some(Reason::NotRunning),
    }
}

fn image_health(seen: &Container) -> Option<Reason> {
    let Some(health) = seen.health.as_ref().filter(|_| seen.has_healthcheck) else {
        return Some(Reason::ImageHasNoHealthcheck);
    };
    match health.status {
        HealthStatus::Healthy => None,
        HealthStatus::Starting => Some(Reason::ImageStarting),
        HealthStatus::Unhealthy => {
            Some(Reason::ImageUnhealthy { output: health.output.clone().unwrap_or_default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_soon_at_first_and_then_as_a_share_of_the_time_waited() {
        let at = |rhythm: Rhythm, millis| rhythm.pause(Duration::from_millis(millis)).as_millis();
        assert_eq!([0, 1_000, 60_000].map(|waited| at(LOOKS, waited)), [2, 50, 500]);
        assert_eq!([0, 1_000, 60_000].map(|waited| at(KNOCKS, waited)), [1, 10, 100]);
    }
}
