//! The host: its clock, its limits, its memory.

use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::needs;

use super::{Fault, Ground, Mend, Phase, World};

/// The program sees another time than everybody else, as after a clock that jumped.
fn clock(name: &'static str, offset: &'static str) -> Fault {
    Fault::new(name, Phase::Before, move |world| {
        Box::pin(async move {
            let library = needs::faketime().ok_or_else(|| unexpected("the clock", "there is no faketime"))?;
            // Only what people call time: what measures how long things take does not jump.
            for (key, value) in [
                ("LD_PRELOAD", &*library.to_string_lossy()),
                ("FAKETIME", offset),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ] {
                world.env(key, value);
            }
            Ok(Mend::by("the clock is set", |world| {
                Box::pin(async move {
                    world.env.retain(|(key, _)| !key.contains("FAKETIME") && key != "LD_PRELOAD");
                    Ok(())
                })
            }))
        })
    })
    .exits(&[0])
    .doctor(&["clock.engine"])
}

/// The program may have so many files and connections open.
fn handles(name: &'static str, most: &'static str) -> Fault {
    Fault::new(name, Phase::Before, move |world| {
        Box::pin(async move {
            world.wrap = vec!["prlimit".to_owned(), format!("--nofile={most}"), "--".to_owned()];
            Ok(Mend::by("the limit is raised", |world| {
                Box::pin(async move {
                    world.wrap.clear();
                    Ok(())
                })
            }))
        })
    })
}

/// The release takes more than the app is given, so long after its start.
fn hungry(name: &'static str, after: &'static str) -> Fault {
    Fault::new(name, Phase::Before, move |world| {
        Box::pin(async move {
            let version = world.version();
            world.stage.release(version, &[("MODE", &format!("hungry-after:{after}"))]).await?;
            limit(world, "48m", "10s")?;
            Ok(Mend::by("the limit is raised", |world| Box::pin(async move { limit(world, "512m", "1s") })))
        })
    })
    .on(Ground::Memory)
    .tells(&["for want of memory"])
    .loses("those that the app was at when it was killed")
}

/// Gives the app so much memory, and so long a watch.
fn limit(world: &World, memory: &str, soak: &str) -> Result<()> {
    let path = world.stage.config();
    let old = std::fs::read_to_string(&path).doing("read the configuration")?;
    let others = old.lines().filter(|line| !line.starts_with("memory = ") && !line.starts_with("soak = "));
    let new = others.map(|line| {
        let of_app = line == format!("[apps.{}]", world.stage.app);
        let added =
            if of_app { format!("\nmemory = \"{memory}\"\nsoak = \"{soak}\"") } else { String::new() };
        format!("{line}{added}\n")
    });
    std::fs::write(&path, new.collect::<String>()).doing("write the configuration")
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        clock("the clock a year ahead", "+365d"),
        clock("the clock a year behind", "-365d"),
        handles("10 handles", "10").exits(&[1, 3]),
        handles("14 handles", "14").exits(&[0, 1, 3]),
        handles("18 handles", "18").exits(&[0, 1, 3]),
        hungry("the app takes too much memory as it starts", "0").exits(&[4, 6]),
        hungry("the app takes too much memory once it is live", "4000").exits(&[4, 6]),
    ]
}
