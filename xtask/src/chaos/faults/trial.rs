//! A fault is played and judged.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::ready::say;
use crate::rig::docker;
use crate::rig::error::{Result, unexpected};
use crate::rig::load::{Config, Load, Report};
use crate::rig::stage::Ran;
use crate::rig::wire::Manner;

use super::world::{LONG, SOON};
use super::{Fault, Ground, Mend, Phase, Row, World};

/// Plays faults one after the other, on a new world where there is none of that ground or a fault has spoilt it.
pub(super) async fn play_all(program: &Path, faults: &[Fault]) -> Vec<Row> {
    let (mut rows, mut worlds): (_, Vec<(Ground, World)>) = (Vec::new(), Vec::new());
    for fault in faults {
        let at = worlds.iter().position(|(ground, _)| *ground == fault.ground);
        let world = match at {
            Some(at) => Ok(worlds.swap_remove(at).1),
            None => World::new(program, fault.ground).await,
        };
        let row = match world {
            Ok(mut world) => {
                let row = row(&mut world, fault).await;
                if row.faults.is_empty() {
                    worlds.push((fault.ground, world));
                }
                row
            }
            Err(error) => unplayed(fault, &error.to_string()),
        };
        say(&format!("{}: {}", fault.title(), row.cells.join(" | ")));
        row.faults.iter().for_each(|fault| say(&format!("  fault: {fault}")));
        rows.push(row);
    }
    rows
}

fn unplayed(fault: &Fault, why: &str) -> Row {
    let cells = [fault.name, "", "not played", "", "", "", "", ""];
    let faults = vec![format!("{}: {why}", fault.title())];
    Row { cells: cells.map(str::to_owned).to_vec(), faults }
}

/// What came of a fault.
struct Seen {
    ran: Ran,
    during: (Option<i32>, BTreeSet<String>),
    mended: Option<&'static str>,
    again: Result<()>,
    after: BTreeSet<String>,
    load: Report,
}

async fn row(world: &mut World, fault: &Fault) -> Row {
    match seen(world, fault).await {
        Ok(seen) => judged(world, fault, &seen),
        Err(error) => unplayed(fault, &error.to_string()),
    }
}

async fn seen(world: &mut World, fault: &Fault) -> Result<Seen> {
    let command = world.command(fault.command).await?;
    if fault.phase == Phase::Pull {
        forget(world).await?;
    }
    let load = load(world, fault);
    load.answered_by(world.serving(), SOON).await?;
    let (session, mend) = if fault.phase == Phase::Before {
        let mend = (fault.strike)(world).await?;
        (world.start(&command)?, mend)
    } else {
        world.wire.hold_at(&World::leads_to(fault.command, fault.phase));
        let session = world.start(&command)?;
        if let Err(error) = world.wire.holds(SOON).await {
            let told = session.narration().iter().map(|line| format!("{}\n", line.text)).collect::<String>();
            return Err(unexpected(error, told));
        }
        let mend = (fault.strike)(world).await?;
        if !world.struck {
            world.wire.now(Manner::Pass);
        }
        (session, mend)
    };
    let ran = session.end(LONG).await?;
    let during = world.doctor().await?;
    let mended = match mend {
        Mend::Itself => None,
        Mend::By(words, undo) => {
            undo(world).await?;
            Some(words)
        }
    };
    world.struck = false;
    let again = world.ends_well(&command).await;
    let after = world.doctor().await?.1;
    Ok(Seen { ran, during, mended, again, after, load: load.stop().await })
}

/// Load that does not spare: but an old nginx closes idle connections at a reload, whoever asks for it.
fn load(world: &World, fault: &Fault) -> Load {
    let kept_alive = if fault.reloads { 0 } else { 2 };
    Load::start(Config::at(world.stage.site()).workers(kept_alive, 2, 1).pace(Duration::from_millis(5)))
}

/// Has the engine forget the name of the image that is to be deployed. Where it was deployed or pushed, it has it still.
async fn forget(world: &World) -> Result<()> {
    let image = format!("acme/{}:{}", world.stage.app, world.version());
    let format = "{{range .RepoDigests}}{{println .}}{{end}}";
    for digest in docker::run(&["image", "inspect", "--format", format, &image]).await?.split_whitespace() {
        docker::run(&["rmi", digest]).await?;
    }
    Ok(())
}

fn judged(world: &World, fault: &Fault, seen: &Seen) -> Row {
    let Seen { ran, during, mended, again, after, load } = seen;
    let mut wrong = Vec::new();
    let exit = ran.status.map_or_else(|| "signal".to_owned(), |status| status.to_string());
    if !ran.status.is_some_and(|status| fault.exits.contains(&status)) {
        wrong.push(format!("ended with {exit}, not {:?}: {}", fault.exits, ran.stderr));
    }
    for words in fault.tells.iter().filter(|words| !ran.stderr.contains(**words)) {
        wrong.push(format!("does not tell `{words}`: {}", ran.stderr));
    }
    if ran.status != Some(0) && !ran.stderr.contains("next: ") {
        wrong.push(format!("names no mend: {}", ran.stderr));
    }
    if load.failed > 0 && fault.loses.is_none() {
        wrong.push(format!("lost {} of {}: {:?}", load.failed, load.sent, load.failures));
    }
    if let Err(error) = again {
        wrong.push(format!("does not recover: {error}"));
    }
    let named: Vec<&str> = during.1.difference(&world.usual).map(String::as_str).collect();
    for name in fault.doctor.iter().filter(|name| !named.iter().any(|it| it.starts_with(*name))) {
        wrong.push(format!("doctor does not name {name}, but {named:?}"));
    }
    let left: Vec<&String> = after.difference(&world.usual).collect();
    if !left.is_empty() {
        wrong.push(format!("doctor names {left:?} when all is over"));
    }
    let lost = match (load.failed, fault.loses) {
        (0, _) | (_, None) => load.failed.to_string(),
        (lost, Some(why)) => format!("{lost} ({why})"),
    };
    let recovers = match (mended, ran.status) {
        (None, Some(0)) => "it went on".to_owned(),
        (None, _) => "the same command again".to_owned(),
        (Some(words), Some(0)) => format!("it went on; {words}"),
        (Some(words), _) => format!("{words}, the same command again"),
    };
    let cells = vec![
        fault.name.to_owned(),
        fault.when(),
        exit,
        told(ran),
        load.sent.to_string(),
        lost,
        recovers,
        if named.is_empty() { "nothing" } else { "" }.to_owned() + &named.join(", "),
    ];
    Row { cells, faults: wrong.into_iter().map(|wrong| format!("{}: {wrong}", fault.title())).collect() }
}

/// The error and its reasons; the outcome where there is none.
fn told(ran: &Ran) -> String {
    let mut lines = ran.stderr.lines().skip_while(|line| !line.starts_with("error: "));
    let Some(error) = lines.next() else {
        let warnings: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("warning: ")).collect();
        return if warnings.is_empty() { "nothing".to_owned() } else { warnings.join("; ") };
    };
    let why = lines.filter_map(|line| line.strip_prefix("  because ")).map(|why| format!(": {why}"));
    error.trim_start_matches("error: ").to_owned() + &why.collect::<String>()
}
