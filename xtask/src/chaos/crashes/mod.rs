//! Crash points: for every effect of every command, a run that is killed before it, in the middle of it and after it, with
//! load on the app; then the same command again, which must end in the wanted world with nothing left over.
//!
//! The effects are not listed here. Each story is run whole once, and cutover itself tells what it does
//! ([`cutover::effect`]); `cargo xtask cut` then kills it there.

mod story;
mod world;

use std::path::Path;
use std::time::Duration;

use super::{Options, Place, Row, Section};
use crate::cut::{Passed, Side};
use crate::ready::{say, told};
use crate::rig::Result;
use crate::rig::error::unexpected;
use crate::rig::load::{Config, Load, Report};

pub use self::story::Story;
use self::story::{Attempt, Kind};
use self::world::World;

const SIDES: [Side; 3] = [Side::Before, Side::Amid, Side::After];

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Account {
    /// Which.
    pub story: Story,
    /// The effects of one whole run.
    pub effects: Vec<Passed>,
    /// How many runs were killed.
    pub kills: usize,
    /// Requests sent meanwhile.
    pub sent: u64,
    /// Those of them that were lost.
    pub lost: u64,
    /// What was not as it must be.
    pub faults: Vec<String>,
}

/// Plays the stories that are asked for, everywhere or in one place, with this program.
///
/// # Panics
/// When the rig itself fails.
pub async fn play(program: &Path, options: &Options) -> Vec<Section> {
    let mut sections = Vec::new();
    for place in [Place::Host, Place::Container, Place::Newest] {
        if options.place.is_some_and(|wanted| wanted != place) {
            continue;
        }
        let stories: Vec<Story> =
            Story::ALL.into_iter().filter(|story| options.wants(story.name())).collect();
        let accounts = play_in(program, place, &stories, 1).await;
        sections.push(section(place, &accounts));
    }
    sections
}

/// Plays stories in one place, and of each story's crash points only each `stride`th.
///
/// # Panics
/// When the rig itself fails.
pub async fn play_in(program: &Path, place: Place, stories: &[Story], stride: usize) -> Vec<Account> {
    let mut accounts = Vec::new();
    for kind in Kind::ALL {
        let of_world: Vec<Story> = stories.iter().copied().filter(|story| story.kind() == kind).collect();
        if of_world.is_empty() {
            continue;
        }
        let mut world = None;
        for story in of_world {
            let mut account =
                Account { story, effects: Vec::new(), kills: 0, sent: 0, lost: 0, faults: Vec::new() };
            let mut stands = match world.take() {
                Some(world) => world,
                None => match World::set(program, place, kind).await {
                    Ok(world) => world,
                    Err(error) => panic!("the stage could not be set: {}", told(&error)),
                },
            };
            // One in which a story was not played to its end is not what the next begins with.
            match play_story(&mut stands, stride, &mut account).await {
                Ok(()) => world = Some(stands),
                Err(error) => account.faults.push(format!("{}: {}", story.name(), told(&error))),
            }
            say(&format!(
                "{place:?}, {}: {} effects, {} kills, {} sent, {} lost, {} faults",
                story.name(),
                account.effects.len(),
                account.kills,
                account.sent,
                account.lost,
                account.faults.len()
            ));
            account.faults.iter().for_each(|fault| say(&format!("fault: {fault}")));
            accounts.push(account);
        }
    }
    accounts
}

/// Plays one story; the requests of it are counted however it ends.
async fn play_story(world: &mut World, stride: usize, account: &mut Account) -> Result<()> {
    // Before a first deploy there is nothing to put load on.
    let mut load = account.story.has_load().then(|| Load::start(load_on(world)));
    let reloads = world.stage.nginx.reloads();
    let ended = play_points(world, stride, account, &mut load).await;
    if let Some(load) = load {
        add(account, &load.stop().await);
        let reloaded = world.stage.nginx.reloads() - reloads;
        if reloaded > 0 {
            account.faults.push(format!("{}: nginx was reloaded {reloaded} times", account.story.name()));
        }
    }
    ended
}

async fn play_points(
    world: &mut World,
    stride: usize,
    account: &mut Account,
    load: &mut Option<Load>,
) -> Result<()> {
    let attempt = account.story.begin(world).await?;
    account.effects = world.whole(&attempt).await?;
    let points =
        account.effects.clone().into_iter().flat_map(|effect| SIDES.map(|side| (effect.clone(), side)));
    for (effect, side) in points.skip(stride / 2).step_by(stride) {
        play_point(world, account, &effect, side, load).await?;
    }
    Ok(())
}

async fn play_point(
    world: &mut World,
    account: &mut Account,
    effect: &Passed,
    side: Side,
    load: &mut Option<Load>,
) -> Result<()> {
    let story = account.story;
    let when = format!("{}, killed {} `{}`", story.name(), side.as_str(), effect.words);
    say(&format!("  {when}"));
    let attempt = story.begin(world).await?;
    let before = load.as_ref().map_or(0, |load| load.so_far().failed);
    let killed = at(world, &attempt, effect, side, load).await;
    account.kills += 1;
    if let Some(report) = load.as_ref().map(Load::so_far).filter(|report| report.failed > before) {
        account.faults.push(format!("{when}: {} lost: {:?}", report.failed - before, report.failures));
    }
    if !story.has_load()
        && let Some(load) = load.take()
    {
        add(account, &load.stop().await);
    }
    killed.map_err(|error| unexpected(when, told(&error)))
}

/// One crash point. What serves once the process is dead must go on serving: where there was no load, there is from then.
async fn at(
    world: &mut World,
    attempt: &Attempt,
    effect: &Passed,
    side: Side,
    load: &mut Option<Load>,
) -> Result<()> {
    world.cut(attempt, effect, side).await?;
    if load.is_none() && world.answers().await {
        *load = Some(Load::start(load_on(world)));
    }
    world.again(attempt).await
}

fn load_on(world: &World) -> Config {
    Config::at(world.stage.site()).workers(3, 1, 0).pace(Duration::from_millis(10))
}

fn add(account: &mut Account, report: &Report) {
    account.sent += report.sent;
    account.lost += report.failed;
}

fn section(place: Place, accounts: &[Account]) -> Section {
    let (title, about) = match place {
        Place::Host => ("nginx on the host", "Debian's nginx on this host."),
        Place::Container => ("nginx in a container", "The same nginx in a container."),
        Place::Newest => ("the newest nginx", "The newest nginx on this host."),
    };
    Section {
        name: format!("crash points: {title}"),
        about: format!(
            "{about} Each command is run once whole, and tells its effects. Then it is killed (SIGKILL) before, in the \
             middle of and after each of them, with load on the app, and run again: it must lose no request, end in the \
             wanted world, and leave no other container, network, image, file or lock."
        ),
        columns: vec!["command", "effects", "kills", "sent", "lost", "what it does to the world"],
        rows: accounts.iter().map(row).collect(),
    }
}

fn row(account: &Account) -> Row {
    let kinds: Vec<&str> = account.effects.iter().map(|effect| effect.kind.as_str()).collect();
    let cells = vec![
        account.story.name().to_owned(),
        account.effects.len().to_string(),
        account.kills.to_string(),
        account.sent.to_string(),
        account.lost.to_string(),
        kinds.join(", "),
    ];
    Row { cells, faults: account.faults.clone() }
}
