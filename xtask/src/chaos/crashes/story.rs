//! The commands that are killed: what has to be there before each, and what is to be there after it.

use std::collections::BTreeMap;

use super::world::World;
use crate::rig::Result;

/// A command that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Story {
    /// `deploy` of a release that the engine has to pull.
    Deploy,
    /// `backup` after it, which prunes an image.
    Backup,
    /// `rollback` to the release that stands by.
    Rollback,
    /// `rollback` to one that is in the history alone.
    RollbackCold,
    /// `promote` of a release that waits.
    Promote,
    /// `abort` of a release that waits.
    Abort,
    /// `deploy` of a release that is rejected.
    Rejected,
    /// The app's first `deploy`.
    FirstDeploy,
    /// `deploy` of a release that goes bad once it is in use.
    RolledBack,
    /// `deploy` of a release that gets shares of the clients first.
    ByShares,
}

/// How an app's releases are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// By the health check alone.
    Gated,
    /// Watched after the switch.
    Watched,
    /// With shares of the clients, whose requests nginx tells.
    Shared,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Gated, Self::Watched, Self::Shared];
}

/// A command, and what is to come of it, however often it is killed.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// The command.
    pub(super) arguments: Vec<String>,
    /// The exit status of a whole run.
    pub(super) exit: i32,
    /// Those of a run after one that was killed.
    pub(super) again: &'static [i32],
    /// Whether a run after one that had done all of it is refused: nothing waits any more.
    pub(super) once: bool,
    /// What is to be there.
    pub(super) wanted: Wanted,
}

/// What is to be there in the end.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The release that is live, by its number.
    pub(super) live: usize,
    /// The one that stands by.
    pub(super) behind: Option<usize>,
    /// The containers, where they are to be the very same as before.
    pub(super) ids: Option<BTreeMap<String, String>>,
    /// The releases whose images the engine is to have, where that is certain.
    pub(super) images: Option<[usize; 2]>,
}

impl Story {
    /// All of them. The first deploy comes late: it forgets what was before.
    pub const ALL: [Self; 10] = [
        Self::Deploy,
        Self::Backup,
        Self::Rollback,
        Self::RollbackCold,
        Self::Promote,
        Self::Abort,
        Self::Rejected,
        Self::FirstDeploy,
        Self::RolledBack,
        Self::ByShares,
    ];

    /// What it goes by in tables and filters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Backup => "backup",
            Self::Rollback => "rollback, warm",
            Self::RollbackCold => "rollback, cold",
            Self::Promote => "promote",
            Self::Abort => "abort",
            Self::Rejected => "deploy, rejected",
            Self::FirstDeploy => "deploy, the first",
            Self::RolledBack => "deploy, bad in use",
            Self::ByShares => "deploy, by shares",
        }
    }

    /// How the releases of its app are tried.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::RolledBack => Kind::Watched,
            Self::ByShares => Kind::Shared,
            _ => Kind::Gated,
        }
    }

    /// Whether the app serves before it.
    pub(super) fn has_load(self) -> bool {
        self != Self::FirstDeploy
    }

    /// Makes what has to be there before.
    pub(super) async fn begin(self, world: &mut World) -> Result<Attempt> {
        let attempt = |arguments: &[&str], live: usize, behind: Option<usize>| Attempt {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            exit: 0,
            again: &[0],
            once: false,
            wanted: Wanted { live, behind, ids: None, images: None },
        };
        let fresh = world.fresh();
        match self {
            Self::Deploy => {
                world.forget_images().await?;
                let image = world.image(fresh);
                Ok(attempt(&["deploy", "--json", "--image", image], fresh, Some(world.live)))
            }
            Self::ByShares => {
                let words = ["deploy", "--json", "--canary", "1,2", "--image", world.image(fresh)];
                Ok(attempt(&words, fresh, Some(world.live)))
            }
            Self::Backup => {
                world.stand_apart().await?;
                let (live, before) = (world.live, world.behind.unwrap_or(world.live));
                let mut attempt = attempt(&["backup", "--json"], live, Some(live));
                attempt.wanted.images = Some([live, before]);
                Ok(attempt)
            }
            Self::Rollback => {
                world.stand_apart().await?;
                let (live, to) = (world.live, world.behind.unwrap_or(world.live));
                Ok(attempt(&["rollback", "--json", "--to", world.digest(to)], to, Some(live)))
            }
            Self::RollbackCold => {
                world.forget_images().await?;
                let words = ["rollback", "--json", "--to", world.digest(fresh)];
                Ok(attempt(&words, fresh, Some(world.live)))
            }
            Self::Promote => {
                let live = world.live;
                world.wait_with(fresh).await?;
                Ok(Attempt { once: true, ..attempt(&["promote", "--json"], fresh, Some(live)) })
            }
            Self::Abort => {
                let mut attempt = attempt(&["abort", "--json"], world.live, world.behind);
                attempt.wanted.ids = Some(world.stage.ids().await?);
                world.wait_with(fresh).await?;
                Ok(Attempt { once: true, ..attempt })
            }
            Self::FirstDeploy => {
                world.forget().await?;
                world.forget_images().await?;
                Ok(attempt(&["deploy", "--json", "--image", world.image(0)], 0, None))
            }
            Self::Rejected | Self::RolledBack => {
                world.forget_images().await?;
                let words = ["deploy", "--json", "--image", world.bad_image()];
                let mut attempt = attempt(&words, world.live, world.behind);
                attempt.wanted.ids = Some(world.stage.ids().await?);
                // One that is bad already when it is found is not switched to again.
                let (exit, again) = if self == Self::Rejected { (4, &[4][..]) } else { (6, &[4, 6][..]) };
                Ok(Attempt { exit, again, ..attempt })
            }
        }
    }
}
