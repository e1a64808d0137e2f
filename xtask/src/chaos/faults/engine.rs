//! The engine fails: it hangs, refuses, is gone, is slow, or is restarted.

use std::time::Duration;

use crate::rig::wire::Manner;

use super::{Command, Fault, Mend, Phase};

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
        .tells(&["engine.sock", "does not answer"])
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
    faults
}
