//! The folders of nginx and of cutover: read-only, full, gone.

use std::path::PathBuf;

use crate::rig::disk::Disk;
use crate::rig::error::{Doing as _, Result, unexpected};

use super::{Command, Fault, Ground, Mend, Phase, World};

/// Which folder.
#[derive(Clone, Copy)]
enum Folder {
    Conf,
    State,
    Data,
}

/// The disk that lies over a folder on [`Ground::Disks`].
fn disk(world: &World, folder: Folder) -> Result<&Disk> {
    let disks = world.kept.iter().filter_map(|kept| kept.downcast_ref::<Disk>());
    disks.into_iter().nth(folder as usize).ok_or_else(|| unexpected("the world", "it has no such disk"))
}

const fn name(folder: Folder, [conf, state, data]: [&'static str; 3]) -> &'static str {
    match folder {
        Folder::Conf => conf,
        Folder::State => state,
        Folder::Data => data,
    }
}

fn doctor(folder: Folder) -> &'static [&'static str] {
    match folder {
        Folder::Conf => &["disk.conf_dir"],
        Folder::State => &["disk.state_dir"],
        Folder::Data => &["disk.data_dir"],
    }
}

fn read_only(folder: Folder, phase: Phase) -> Fault {
    let names = ["conf_dir read-only", "state_dir read-only", "data_dir read-only"];
    Fault::new(name(folder, names), phase, move |world| {
        Box::pin(async move {
            disk(world, folder)?.read_only(true)?;
            Ok(Mend::by("it can be written to", move |world| {
                Box::pin(async move { disk(world, folder)?.read_only(false) })
            }))
        })
    })
    .on(Ground::Disks)
    .tells(&["Read-only file system"])
    .doctor(doctor(folder))
}

fn full(folder: Folder, phase: Phase) -> Fault {
    let names = ["conf_dir full", "state_dir full", "data_dir full"];
    Fault::new(name(folder, names), phase, move |world| {
        Box::pin(async move {
            disk(world, folder)?.fill()?;
            Ok(Mend::by("room is made", move |world| Box::pin(async move { disk(world, folder)?.clear() })))
        })
    })
    .on(Ground::Disks)
    .tells(&["No space left on device"])
    .doctor(doctor(folder))
}

fn gone(name: &'static str, folder: fn(&mut World) -> PathBuf, phase: Phase) -> Fault {
    Fault::new(name, phase, move |world| {
        Box::pin(async move {
            std::fs::remove_dir_all(folder(world)).doing("remove a folder")?;
            Ok(Mend::Itself)
        })
    })
    .exits(&[0])
    .reloads()
}

fn conf_gone(phase: Phase) -> Fault {
    gone("conf_dir gone", |world| world.nginx().conf_dir(), phase)
}

fn state_gone(phase: Phase) -> Fault {
    gone("state_dir gone", |world| world.nginx().state_dir(), phase)
}

pub(super) fn faults() -> Vec<Fault> {
    use Folder::{Conf, Data, State};
    vec![
        read_only(Conf, Phase::Before).exits(&[0]).tells(&[]),
        read_only(Conf, Phase::Before).meets(Command::DeployChanged),
        read_only(Conf, Phase::Install).meets(Command::DeployChanged),
        full(Conf, Phase::Before).meets(Command::DeployChanged),
        full(Conf, Phase::Install).meets(Command::DeployChanged),
        read_only(State, Phase::Before),
        read_only(State, Phase::GateThrough),
        read_only(State, Phase::GateThrough).meets(Command::DeployChanged),
        // An empty file needs no room, and the marker is one.
        full(State, Phase::GateThrough).exits(&[0]).tells(&[]),
        read_only(Data, Phase::Before).exits(&[1]),
        full(Data, Phase::Before).exits(&[1]),
        full(Data, Phase::Soak).exits(&[0]).tells(&["the history"]),
        conf_gone(Phase::Before),
        conf_gone(Phase::Install).meets(Command::DeployChanged),
        conf_gone(Phase::Soak),
        state_gone(Phase::Before),
        state_gone(Phase::GateThrough),
        state_gone(Phase::Soak),
    ]
}
