//! Releases back to back under load, for as long as is said: nothing may be lost, and nothing may grow.
//!
//! A round is a release with its backup, and in turn what else happens to releases: going back and forth, a release that
//! is refused, a run that is interrupted, a run that is killed. After each, everything that could grow is looked at; at
//! the end the last rounds are held against the first after a warm-up, by the `level` of each quantity.

mod level;
mod look;
mod round;

use std::path::Path;
use std::time::{Duration, Instant};

pub use level::{Level, Rule};
pub use look::Look;

use super::{Row, Section};
use crate::ready::say;
use crate::rig::error::Result;
use crate::rig::load::{Config, Load};
use crate::rig::needs;
use crate::rig::stage::Stage;
use round::{KINDS, Player};

/// Between two requests of a worker. The load is there to notice a loss, not to fill the machine.
const PACE: Duration = Duration::from_millis(10);

/// How long a soak goes on.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// For so many rounds.
    Rounds(usize),
    /// Until so much time is over, and for the fewest rounds that can be judged.
    For(Duration),
}

impl Length {
    fn is_over(self, rounds: usize, began: Instant) -> bool {
        match self {
            Self::Rounds(wanted) => rounds >= wanted,
            Self::For(time) => began.elapsed() >= time && rounds >= LEAST,
        }
    }
}

/// The fewest rounds that can be judged: one of each kind to warm up, to begin with, and to end with.
pub const LEAST: usize = 3 * KINDS;

/// What a soak came to.
#[derive(Clone, Debug)]
pub struct Soaked {
    /// How many rounds were played.
    pub rounds: usize,
    /// How often cutover was run.
    pub runs: usize,
    /// How long it took.
    pub took: Duration,
    /// How many requests were sent.
    pub sent: u64,
    /// How many were lost, with the words of the first of them.
    pub lost: (u64, Vec<String>),
    /// How often nginx was reloaded.
    pub reloads: usize,
    /// What was looked at, each with its first and last figures.
    pub levels: Vec<Level>,
    /// What else was not as it must be, such as a command that ended otherwise.
    pub faults: Vec<String>,
}

impl Soaked {
    /// All that was not as it must be.
    #[must_use]
    pub fn all_faults(&self) -> Vec<String> {
        let mut faults = self.faults.clone();
        if self.lost.0 > 0 {
            faults.push(format!("{} of {} requests were lost: {:?}", self.lost.0, self.sent, self.lost.1));
        }
        if self.reloads != 1 {
            faults
                .push(format!("nginx was reloaded {} times, not for the first release alone", self.reloads));
        }
        faults.extend(self.levels.iter().filter_map(Level::fault));
        faults
    }
}

/// Plays rounds on an nginx of the host, with this program as `cutover`.
///
/// # Errors
/// When a part of the rig fails. What cutover did wrong is in the outcome instead.
pub async fn soak(program: &Path, length: Length) -> Result<Soaked> {
    let stage = Stage::on_host(program, needs::nginx()).await?.with("soak = \"300ms\"")?;
    let mut player = Player::new(stage).await?;
    let load = Load::start(Config::at(player.site()).workers(6, 2, 1).pace(PACE));
    let (began, mut looks, mut faults) = (Instant::now(), Vec::new(), Vec::new());
    while !length.is_over(looks.len(), began) {
        let round = looks.len();
        faults.extend(player.play(round, &load).await?);
        let (sent, failed) = load.counts();
        looks.push(player.look().await?);
        if round.is_multiple_of(20) || faults.len() > 20 {
            say(&format!("round {round}: {sent} requests sent, {failed} lost, {} faults", faults.len()));
        }
        if faults.len() > 20 {
            break;
        }
    }
    let took = began.elapsed();
    let report = load.stop().await;
    Ok(Soaked {
        rounds: looks.len(),
        runs: player.runs(),
        took,
        sent: report.sent,
        lost: (report.failed, report.failures),
        reloads: player.reloads(),
        levels: level::levels(&looks, KINDS),
        faults,
    })
}

/// Soaks, and tells it as a section of the document.
pub(super) async fn section(program: &Path, time: Duration) -> Section {
    let soaked = soak(program, Length::For(time)).await;
    let (about, rows) = match soaked {
        Ok(soaked) => (about(&soaked), rows(&soaked)),
        Err(error) => {
            let fault = crate::ready::told(&error);
            let cells = vec!["the rig".to_owned(), String::new(), String::new(), fault.clone()];
            ("The rig failed.".to_owned(), vec![Row { cells, faults: vec![format!("soak: {fault}")] }])
        }
    };
    Section { name: "Soak".to_owned(), about, columns: vec!["what", "at first", "at last", "rule"], rows }
}

fn about(soaked: &Soaked) -> String {
    format!(
        "{} rounds back to back in {:.0} minutes, {} runs of cutover, on {}; nginx on the host, with 9 clients (6 kept \
         alive, 2 fresh, 1 slow). A round deploys a release and backs it up; three of four have more: back and forth \
         by `rollback`, a release that fails its health check, a run ended by SIGTERM, a run ended by SIGKILL, each at a \
         step that changes from round to round, and then the same command again. **{} requests sent, {} lost; nginx was \
         reloaded {} times**, for the first release.\n\nAfter each round everything that could grow was looked at, with \
         the load going on. \"At first\" is the first tenth of the rounds after a warm-up of {KINDS}, \"at last\" the last \
         tenth, at least {KINDS} rounds each: the median of what varies by itself, the highest of what is counted. \
         cutover itself ends with each run, so its memory is the peak of each run.",
        soaked.rounds,
        soaked.took.as_secs_f64() / 60.0,
        soaked.runs,
        super::document::today(),
        soaked.sent,
        soaked.lost.0,
        soaked.reloads,
    )
}

fn rows(soaked: &Soaked) -> Vec<Row> {
    let mut rows: Vec<Row> = soaked
        .levels
        .iter()
        .map(|level| Row { cells: level.cells(), faults: level.fault().into_iter().collect() })
        .collect();
    let told: Vec<String> = soaked.levels.iter().filter_map(Level::fault).collect();
    let others: Vec<String> = soaked.all_faults().into_iter().filter(|fault| !told.contains(fault)).collect();
    let cells = vec!["faults besides".to_owned(), String::new(), others.len().to_string(), "none".to_owned()];
    rows.push(Row { cells, faults: others });
    rows
}

/// `1h`, `30m` or `90s`.
pub(super) fn length(text: &str) -> std::result::Result<Duration, String> {
    let error = || format!("`{text}` is no length of time, such as 90s, 30m or 1h");
    let split = text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at)).ok_or_else(error)?;
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(error()),
    };
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_read_with_its_unit() {
        assert_eq!(length("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(length("1h"), Ok(Duration::from_secs(3600)));
        for text in ["", "h", "1", "1d", "1é"] {
            assert!(length(text).is_err(), "{text}");
        }
    }
}
