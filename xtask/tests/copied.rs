//! An nginx in a container that mounts nothing: its files are copied in over the engine, the marker too.

use std::time::Duration;

use xtask::rig::load::{Config, Load};
use xtask::rig::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn files_are_copied_into_a_container_that_mounts_none_and_nothing_is_lost() {
    let stage = Stage::in_unmounted_container(env!("CARGO_BIN_EXE_xtask"), "/usr/sbin/nginx").await.unwrap();
    // The markers' folder is the container's own, so the lock and the history need one of this machine.
    let data = tempfile::tempdir().unwrap();
    let mut stage = stage.with_top(&format!("data_dir = {:?}", data.path())).unwrap();
    let first = stage.release("1", &[]).await.unwrap();
    let deployed = stage.deploy(&first).await;
    assert_eq!((&deployed["live"], &deployed["reloads"]), (&"blue".into(), &1.into()));
    let load = Load::start(Config::at(stage.site()));
    load.answered_by("1", Duration::from_secs(10)).await.unwrap();
    // There and back, so that the marker is made, taken away and made again.
    for (version, live) in [("2", "green"), ("3", "blue"), ("4", "green")] {
        let image = stage.release(version, &[]).await.unwrap();
        let deployed = stage.deploy(&image).await;
        assert_eq!((&deployed["live"], &deployed["reloads"]), (&live.into(), &0.into()));
        load.answered_by(version, Duration::from_secs(10)).await.unwrap();
    }
    stage.cutover(&["rollback"]).await.exits(0);
    // What changes the configuration is installed over what is there.
    let mut stage = stage.with("upstream = { max_fails = 5 }").unwrap();
    let image = stage.release("5", &[]).await.unwrap();
    let report = load.stop().await;
    println!("{} requests, {} failed, 4 switches", report.sent, report.failed);
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(stage.deploy(&image).await["reloads"], 1);
    assert_eq!(stage.page(stage.site(), "x", "/").await.unwrap().1, "version 5\n");
}
