//! Many clients at full speed: nginx keeps as many connections to the app as they need.

use std::time::{Duration, Instant};

use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::stage::{Nginx, Stage};

const SOON: Duration = Duration::from_secs(60);

/// Long enough for nginx to hold a slot for failed that was only busy, if it kept few connections or had little patience.
const BUSY: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_256_kept_alive_clients_at_full_speed_loses_nothing_over_many_switches() {
    let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    for version in ["1", "2"] {
        let image = stage.release(version, &[]).await.unwrap();
        stage.deploy(&image).await;
    }
    let crowd = Config::at(stage.site()).workers(256, 0, 0).pace(Duration::ZERO).timeout(SOON);
    let load = Load::start(crowd);
    load.answered_by("2", SOON).await.unwrap();
    let (began, mut switches) = (Instant::now(), 0);
    for version in ["1", "2"].into_iter().cycle() {
        stage.cutover(&["rollback"]).await.exits(0);
        load.answered_by(version, SOON).await.unwrap();
        switches += 1;
        if switches >= 4 && began.elapsed() >= BUSY {
            break;
        }
    }
    let report = load.stop().await;
    println!("{switches} switches: {} requests sent, {} failed", report.sent, report.failed);
    assert_eq!(
        (report.failed, report.ok),
        (0, report.sent),
        "{:#?}\n{}",
        report.failures,
        complaints(&stage)
    );
    assert!(report.sent > 256, "there was no load");
}

/// What nginx was not content with.
fn complaints(stage: &Stage) -> String {
    let Nginx::Host(nginx) = &stage.nginx else { return String::new() };
    let log = std::fs::read_to_string(nginx.error_log()).unwrap_or_default();
    let lines = log.lines().filter(|line| !line.contains("[notice]")).take(20);
    lines.collect::<Vec<_>>().join("\n")
}
