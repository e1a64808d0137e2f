//! The engine: reached, and in what state.

use std::path::Path;

use cutover_runtime::{Engine, EngineInfo};

use super::disk;
use super::finding::Finding;
use super::ground::Ground;

/// Storage drivers that copy whole images, or are no longer kept up.
const SLOW: [&str; 3] = ["vfs", "devicemapper", "aufs"];

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let engine = match &ground.engine {
        Ok(engine) => engine,
        Err(failure) => {
            let mend = "start the engine, or name it by `[engine] host`";
            return vec![Finding::failed("engine.reach", failure, mend)];
        }
    };
    let (version, info) = tokio::join!(engine.version(), engine.observe_info());
    let mut findings = vec![match version {
        Ok(v) => {
            let found = format!(
                "Docker Engine {} (API {}) on {}/{} at {}",
                v.version,
                v.api,
                v.os,
                v.arch,
                engine.endpoint()
            );
            Finding::ok("engine.reach", found)
        }
        Err(error) => Finding::failed("engine.reach", &error.into(), "see the engine's log"),
    }];
    match info {
        Ok(info) => findings.extend(machine(engine, &info)),
        Err(error) => findings.push(Finding::failed("engine.info", &error.into(), "see the engine's log")),
    }
    findings
}

fn machine(engine: &Engine, info: &EngineInfo) -> Vec<Finding> {
    let driver = &info.storage_driver;
    let mut findings = vec![if SLOW.contains(&driver.as_str()) {
        let mend = "set the storage driver overlay2: each container takes a copy of its image now";
        Finding::warning("engine.storage", format!("the storage driver is {driver}"), mend)
    } else {
        Finding::ok("engine.storage", format!("the storage driver is {driver}"))
    }];
    findings.push(if info.live_restore {
        Finding::ok("engine.live-restore", "containers go on while the engine is restarted")
    } else {
        let mend = "set \"live-restore\": true in daemon.json (not with Swarm)";
        Finding::note("engine.live-restore", "restarting the engine stops all containers", mend)
    });
    for warning in &info.warnings {
        findings.push(Finding::note(
            "engine.warning",
            warning.trim_start_matches("WARNING: "),
            "see the engine's manual",
        ));
    }
    match info.root_dir.as_deref().filter(|root| engine.is_local() && Path::is_dir(root)) {
        Some(root) => findings.push(disk::space("engine.disk", root)),
        None => {
            findings.push(Finding::note("engine.disk", "its disk is not this machine's", "look at it there"));
        }
    }
    findings
}
