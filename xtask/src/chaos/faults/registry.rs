//! The registry fails: it is down, hangs, is slow, or does not tell the truth. cutover asks it what a tag stands for, and
//! the engine for the image.

use crate::rig::relay::Manner;

use super::{Fault, Ground, Mend, Phase};

/// On the way to the registry, from that phase on.
fn relayed(name: &'static str, phase: Phase, manner: Manner, mend: &'static str) -> Fault {
    Fault::new(name, phase, move |world| {
        Box::pin(async move {
            world.relay()?.now(manner);
            Ok(Mend::by(mend, |world| {
                Box::pin(async move {
                    world.relay()?.now(Manner::Pass);
                    Ok(())
                })
            }))
        })
    })
    .on(Ground::Registry)
}

fn down(phase: Phase) -> Fault {
    relayed("registry down", phase, Manner::Refuse, "the registry is started")
}

fn hung(phase: Phase) -> Fault {
    relayed("registry hung", phase, Manner::Hang, "the registry goes on")
}

fn slow(phase: Phase) -> Fault {
    relayed("registry slow (100 bytes in 10 ms)", phase, Manner::Trickle(100), "the registry is quick")
        .exits(&[0])
}

fn cut(phase: Phase) -> Fault {
    relayed("registry cuts its manifests off", phase, Manner::Truncate, "the registry tells all")
}

fn lying(phase: Phase) -> Fault {
    let manner = Manner::Lie(b"\"layers\"", b"\"Layers\"");
    relayed("registry sends another manifest", phase, manner, "the registry tells the truth")
}

fn lying_by_name(phase: Phase) -> Fault {
    let manner = Manner::Lie(b"Docker-Content-Digest: sha256:", b"Docker-Content-Digest: sha256;");
    relayed("registry announces a digest that is none", phase, manner, "the registry tells the truth")
}

pub(super) fn faults() -> Vec<Fault> {
    vec![
        down(Phase::Before).tells(&["cannot reach", "nothing was changed"]).doctor(&["release.image"]),
        down(Phase::Pull),
        hung(Phase::Before).tells(&["nothing was changed"]).doctor(&["release.image"]),
        slow(Phase::Before),
        slow(Phase::Pull),
        cut(Phase::Before).tells(&["nothing was changed"]).doctor(&["release.image"]),
        // The engine may have the manifest of an image that it had once.
        cut(Phase::Pull).exits(&[0, 3]),
        lying(Phase::Before).tells(&["sha256:", "nothing was changed"]).doctor(&["release.image"]),
        lying(Phase::Pull).exits(&[0, 3]),
        lying_by_name(Phase::Before).tells(&["nothing was changed"]).doctor(&["release.image"]),
    ]
}
