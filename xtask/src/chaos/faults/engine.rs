//! The engine fails: it hangs, refuses, is gone, is slow, or is restarted.

use std::time::Duration;

use crate::rig::wire::Manner;

use super::{Command, Fault, Ground, Mend, Phase};

/// On the wire, from that phase on.
fn wired(name: &'static str, phase: Phase, manner: Manner, mend: &'static str) -> Fault {
    Fault::new(name, phase, move |world| {
        Box::pin(async move {
            world.strike_wire(manner);
            Ok(Mend::by(mend, |world| {
                Box::pin(async move {
                    world.wire.now(Manner::Pass);
                    Ok(())
                })
            }))
        })
    })
}

fn hung(phase: Phase) -> Fault {
    wired("engine hung", phase, Manner::Hang, "the engine goes on")
        .tells(&["engine.sock", "a ping in"])
        .doctor(&["engine.reach"])
}

fn refused(phase: Phase) -> Fault {
    wired("engine's socket refuses", phase, Manner::Refuse, "the engine is started")
        .tells(&["engine.sock"])
        .doctor(&["engine.reach"])
}

fn gone(phase: Phase) -> Fault {
    wired("engine's socket gone", phase, Manner::Gone, "the engine is started")
        .tells(&["engine.sock"])
        .doctor(&["engine.reach"])
}

fn slow(phase: Phase) -> Fault {
    let slow = Manner::Slow(Duration::from_millis(200));
    wired("engine slow (0.2 s a request)", phase, slow, "the engine is quick").exits(&[0])
}

const SURVIVES: Ground = Ground::Engine { live_restore: true };
const ENDS: Ground = Ground::Engine { live_restore: false };

/// Ended and started again by its service manager, which cuts off what it was asked.
fn restarted(name: &'static str, ground: Ground, phase: Phase) -> Fault {
    Fault::new(name, phase, |world| {
        Box::pin(async move {
            world.strike_wire(Manner::Refuse);
            world.engine()?.restart().await?;
            world.wire.now(Manner::Pass);
            Ok(Mend::Itself)
        })
    })
    .on(ground)
}

fn restarted_alive(phase: Phase) -> Fault {
    restarted("engine restarted, with live-restore", SURVIVES, phase)
}

fn restarted_dead(phase: Phase) -> Fault {
    restarted("engine restarted, without live-restore", ENDS, phase).loses("the engine stopped the app")
}

/// The very process, stopped short.
fn frozen(phase: Phase) -> Fault {
    Fault::new("engine's process frozen (SIGSTOP)", phase, |world| {
        Box::pin(async move {
            world.engine()?.freeze(true)?;
            Ok(Mend::by("it is thawed", |world| Box::pin(async move { world.engine()?.freeze(false) })))
        })
    })
    .on(SURVIVES)
    .tells(&["engine.sock", "a ping in"])
    .doctor(&["engine.reach"])
}

pub(super) fn faults() -> Vec<Fault> {
    let phases = [
        Phase::Before,
        Phase::Pull,
        Phase::Retire,
        Phase::Place,
        Phase::Gate,
        Phase::GateThrough,
        Phase::Soak,
        Phase::Accept,
    ];
    let each = |fault: fn(Phase) -> Fault| phases.into_iter().map(fault);
    let mut faults: Vec<Fault> = each(hung).chain(each(refused)).collect();
    faults.extend([gone(Phase::Before), gone(Phase::Pull), slow(Phase::Before)]);
    faults.extend([Phase::Retire, Phase::Place, Phase::Accept].map(|at| hung(at).meets(Command::Backup)));
    faults.extend([Phase::Place, Phase::Accept].map(|at| refused(at).meets(Command::Backup)));
    faults.push(restarted_alive(Phase::Before).exits(&[0]));
    // The watching goes on; the accept comes before the engine is back, or after.
    faults.push(
        restarted_alive(Phase::Soak).exits(&[0, 3]).tells(&["an end of the release would be seen late"]),
    );
    faults.extend([Phase::Place, Phase::Gate, Phase::Accept].map(restarted_alive));
    faults.push(restarted_alive(Phase::Place).meets(Command::Backup));
    faults.push(restarted_dead(Phase::Before).exits(&[0]));
    faults.extend([Phase::Place, Phase::Gate, Phase::Accept].map(restarted_dead));
    faults.push(restarted_dead(Phase::Soak).exits(&[0, 3, 6]));
    faults.extend([Phase::Place, Phase::Soak].map(frozen));
    faults
}
