//! nginx fails, or is changed by somebody else.

use crate::rig::error::Doing as _;

use super::{Command, Fault, Ground, Mend, Phase};

const DOWN: &str = "nginx itself was down";

fn stopped(phase: Phase) -> Fault {
    Fault::new("nginx stopped", phase, |world| {
        Box::pin(async move {
            world.nginx().stop();
            Ok(Mend::by("nginx is started", |world| Box::pin(world.nginx().start_again())))
        })
    })
    .tells(&["nginx is not running"])
    .doctor(&["nginx.running"])
    .loses(DOWN)
}

fn master_killed(phase: Phase) -> Fault {
    Fault::new("nginx's master killed, its workers not", phase, |world| {
        Box::pin(async move {
            let workers = world.nginx().kill_master()?;
            Ok(Mend::by("the workers are ended and nginx is started", move |world| {
                Box::pin(async move {
                    world.nginx().end_workers(&workers).await?;
                    world.nginx().start_again().await
                })
            }))
        })
    })
    .doctor(&["nginx.running"])
    .loses("nginx was down while it was started anew")
}

fn worker_killed(phase: Phase) -> Fault {
    Fault::new("a worker of nginx killed", phase, |world| {
        Box::pin(async move {
            world.nginx().kill_worker().await?;
            Ok(Mend::Itself)
        })
    })
    .exits(&[0])
    .loses("those that the worker was at")
}

fn upgraded(phase: Phase) -> Fault {
    Fault::new("nginx's binary upgraded", phase, |world| {
        Box::pin(async move {
            world.nginx().upgrade().await?;
            world.nginx().end_upgrade().await?;
            Ok(Mend::Itself)
        })
    })
    .on(Ground::Detached)
    .exits(&[0])
    .reloads()
}

fn half_upgraded(phase: Phase) -> Fault {
    Fault::new("nginx's binary upgraded, both masters there", phase, |world| {
        Box::pin(async move {
            world.nginx().upgrade().await?;
            Ok(Mend::by("the first master is ended", |world| Box::pin(world.nginx().end_upgrade())))
        })
    })
    .on(Ground::Detached)
    .exits(&[0])
    .reloads()
}

fn reloaded(phase: Phase) -> Fault {
    Fault::new("nginx reloaded by somebody", phase, |world| {
        Box::pin(async move {
            world.nginx().reload().await?;
            Ok(Mend::Itself)
        })
    })
    .exits(&[0])
    .reloads()
}

fn broken(phase: Phase) -> Fault {
    Fault::new("nginx's configuration broken by somebody", phase, |world| {
        Box::pin(async move {
            let file = world.nginx().conf_dir().join("other.conf");
            std::fs::write(&file, "server { listen nowhere; }\n").doing("break the configuration")?;
            Ok(Mend::by("their file is mended", move |_| {
                Box::pin(async move { std::fs::remove_file(&file).doing("mend the configuration") })
            }))
        })
    })
    .doctor(&["nginx.configuration"])
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        stopped(Phase::Before),
        stopped(Phase::Before).meets(Command::Backup),
        stopped(Phase::Before).meets(Command::Rollback),
        stopped(Phase::Install).meets(Command::DeployChanged),
        stopped(Phase::GateThrough),
        stopped(Phase::Soak),
        stopped(Phase::GateThrough).meets(Command::Backup),
        master_killed(Phase::Before).exits(&[0]),
        master_killed(Phase::GateThrough).exits(&[0]),
        master_killed(Phase::Install).meets(Command::DeployChanged).tells(&["nginx is not running"]),
        worker_killed(Phase::Install).meets(Command::DeployChanged),
        worker_killed(Phase::GateThrough),
        worker_killed(Phase::Soak),
        upgraded(Phase::Before),
        upgraded(Phase::GateThrough),
        upgraded(Phase::Soak),
        upgraded(Phase::Install).meets(Command::DeployChanged),
        half_upgraded(Phase::Before),
        half_upgraded(Phase::Install).meets(Command::DeployChanged),
        half_upgraded(Phase::Soak),
        reloaded(Phase::Install).meets(Command::DeployChanged),
        reloaded(Phase::GateThrough),
        reloaded(Phase::Soak),
        broken(Phase::Before).exits(&[0]),
        broken(Phase::Before).meets(Command::DeployChanged).tells(&["nginx refused", "other.conf"]),
        broken(Phase::Install).meets(Command::DeployChanged).tells(&["nginx refused", "other.conf"]),
        broken(Phase::Soak).exits(&[0]),
    ]
}
