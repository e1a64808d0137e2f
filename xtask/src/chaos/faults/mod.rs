//! What is around us fails, at each phase it can hit, with load on the app.
//!
//! A `Fault` is a value: what is done to which `World`, when, and what is to come of it. `trial` plays one and
//! judges it; a group of faults is a file that lists them.

mod disk;
mod engine;
mod host;
mod nginx;
mod people;
mod registry;
mod slack;
mod trial;
mod world;

use std::path::Path;

use futures_util::future::LocalBoxFuture;

use crate::rig::Result;

use super::{Options, Row, Section};
pub(super) use world::{Ground, World};

/// What a function on a world comes to, in time.
pub(super) type Doing<'w, T> = LocalBoxFuture<'w, Result<T>>;

type Strike = Box<dyn for<'w> Fn(&'w mut World) -> Doing<'w, Mend>>;
type Undo = Box<dyn for<'w> FnOnce(&'w mut World) -> Doing<'w, ()>>;

/// How a fault that was struck is mended, which the same command again then needs.
pub(super) enum Mend {
    /// It is over by itself, or the command needs nobody's help.
    Itself,
    /// By what these words say.
    By(&'static str, Undo),
}

impl Mend {
    /// Mended by what the words say, and so.
    pub(super) fn by(
        words: &'static str,
        undo: impl for<'w> FnOnce(&'w mut World) -> Doing<'w, ()> + 'static,
    ) -> Self {
        Self::By(words, Box::new(undo))
    }
}

/// The command that the fault meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `deploy` of a release that is nowhere yet.
    Deploy,
    /// The same, with a site that has changed: nginx is reloaded.
    DeployChanged,
    /// `backup` after such a deploy.
    Backup,
    /// `rollback` to the standby.
    Rollback,
    /// `ship` of such a release: deployed, backed up and told of.
    Ship,
}

/// When the fault comes. But for the first, the run is held at the phase's first request to the engine meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is there before the command begins.
    Before,
    /// The image is asked for; the engine has it not.
    Pull,
    /// The old release of the standby slot is stopped.
    Retire,
    /// The release's container is made.
    Place,
    /// It is started.
    Start,
    /// The release is asked directly.
    Gate,
    /// nginx gets a changed configuration.
    Install,
    /// The release is asked through nginx. A fault that leaves this alone hits the switch, which follows at once.
    GateThrough,
    /// The release is live and watched.
    Soak,
    /// The release is accepted.
    Accept,
}

/// What fails, when, and what is to come of it.
pub(super) struct Fault {
    name: &'static str,
    ground: Ground,
    phase: Phase,
    command: Command,
    strike: Strike,
    exits: &'static [i32],
    tells: &'static [&'static str],
    doctor: &'static [&'static str],
    loses: Option<&'static str>,
    reloads: bool,
}

impl Fault {
    /// A fault on plain ground that meets a deploy, which is to end with 3, lose nothing, and say how it is mended.
    pub(super) fn new(
        name: &'static str,
        phase: Phase,
        strike: impl for<'w> Fn(&'w mut World) -> Doing<'w, Mend> + 'static,
    ) -> Self {
        Self {
            name,
            ground: Ground::Plain,
            phase,
            command: Command::Deploy,
            strike: Box::new(strike),
            exits: &[3],
            tells: &[],
            doctor: &[],
            loses: None,
            reloads: false,
        }
    }

    /// On this ground.
    pub(super) fn on(self, ground: Ground) -> Self {
        Self { ground, ..self }
    }

    /// Meeting this command.
    pub(super) fn meets(self, command: Command) -> Self {
        Self { command, reloads: self.reloads || command == Command::DeployChanged, ..self }
    }

    /// The command is to end with one of these.
    pub(super) fn exits(self, exits: &'static [i32]) -> Self {
        Self { exits, ..self }
    }

    /// The command is to say all of this.
    pub(super) fn tells(self, tells: &'static [&'static str]) -> Self {
        Self { tells, ..self }
    }

    /// `doctor` is to name these while the fault lasts: the finding, as `engine.reach`.
    pub(super) fn doctor(self, doctor: &'static [&'static str]) -> Self {
        Self { doctor, ..self }
    }

    /// Requests are lost by the fault itself, which no deploy tool could keep; why.
    pub(super) fn loses(self, why: &'static str) -> Self {
        Self { loses: Some(why), ..self }
    }

    /// nginx is reloaded meanwhile, and not only for a changed site. An old nginx closes idle connections then, so the
    /// load keeps none.
    pub(super) fn reloads(self) -> Self {
        Self { reloads: true, ..self }
    }

    /// What it goes by in filters and reports: `engine hung @ pull (backup)`.
    fn title(&self) -> String {
        format!("{} @ {}", self.name, self.when())
    }

    /// The phase, and the command where it is not a plain deploy.
    fn when(&self) -> String {
        let command = match self.command {
            Command::Deploy => "",
            Command::DeployChanged => " (changed site)",
            Command::Backup => " (backup)",
            Command::Rollback => " (rollback)",
            Command::Ship => " (ship)",
        };
        format!("{}{command}", self.phase.as_str())
    }
}

impl Phase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "start",
            Self::Pull => "pull",
            Self::Retire => "retire",
            Self::Place => "place",
            Self::Start => "start of the container",
            Self::Gate => "gate",
            Self::Install => "install",
            Self::GateThrough => "gate-through, switch",
            Self::Soak => "soak",
            Self::Accept => "accept",
        }
    }
}

/// The groups: a section each.
fn groups() -> Vec<(&'static str, Vec<Fault>)> {
    vec![
        ("faults: the engine", engine::faults()),
        ("faults: nginx", nginx::faults()),
        ("faults: the disks", disk::faults()),
        ("faults: the registry", registry::faults()),
        ("faults: Slack", slack::faults()),
        ("faults: people's hands", people::faults()),
        ("faults: the host", host::faults()),
    ]
}

/// Plays the faults that are asked for, with this program.
///
/// # Panics
/// When the rig itself fails.
pub async fn play(program: &Path, options: &Options) -> Vec<Section> {
    let mut sections = Vec::new();
    for (name, faults) in groups() {
        let asked: Vec<Fault> = faults.into_iter().filter(|fault| options.wants(&fault.title())).collect();
        let rows = trial::play_all(program, &asked).await;
        if !rows.is_empty() {
            sections.push(section(name, rows));
        }
    }
    sections
}

fn section(name: &str, rows: Vec<Row>) -> Section {
    Section {
        name: name.to_owned(),
        about: "Each row is a run under load that met the fault at that phase. `sent` and `lost` are requests, from before \
                the fault until the same command had ended with 0 once it was mended; a loss has its reason, or fails \
                the chore. The last column is what `doctor` names while the fault lasts."
            .to_owned(),
        columns: vec!["fault", "phase", "exit", "what is told", "sent", "lost", "recovers by", "doctor"],
        rows,
    }
}
