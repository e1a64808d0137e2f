//! `cargo xtask demo` on real parts.

use xtask::demo;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_loses_nothing_and_tells_what_happened() {
    let account = demo::perform(env!("CARGO_BIN_EXE_xtask")).await.unwrap();
    let table = demo::render(&account);
    assert!(account.faults().is_empty(), "{table}");
    assert_eq!((account.failed, account.stale), (0, 0), "{table}");
    let versions: Vec<&str> = account.timeline.iter().map(|period| period.version.as_str()).collect();
    assert_eq!(versions, ["1", "2", "1", "2", "1", "2"], "{table}");
    assert!(account.timeline.iter().all(|period| period.answers > 0), "{table}");
    let statuses: Vec<_> = account.acts.iter().map(|act| act.status).collect();
    assert_eq!(statuses, [Some(0), Some(0), Some(4), Some(0), Some(0), Some(0), Some(0)], "{table}");
    assert!(account.rejection.contains("it answered 500"), "{table}");
    assert_eq!(account.notices.len(), 2, "{table}");
    assert!(account.switch.is_some(), "{table}");
}
