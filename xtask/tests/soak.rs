//! A short soak: the long one is `cargo xtask chaos --only soak --for 1h`.

use std::path::Path;

use xtask::chaos::soak::{LEAST, Length, soak};

#[tokio::test(flavor = "multi_thread")]
async fn releases_back_to_back_lose_nothing_and_leave_nothing_behind() {
    let soaked = soak(Path::new(env!("CARGO_BIN_EXE_xtask")), Length::Rounds(LEAST)).await.unwrap();
    println!("{soaked:#?}");
    assert_eq!(soaked.all_faults(), Vec::<String>::new());
    assert!(soaked.sent > 100, "{} requests were sent", soaked.sent);
    for seen in ["nginx: processes", "their shims", "the app's images", "peak memory of `deploy`, MiB"] {
        let level = soaked.levels.iter().find(|level| level.what == seen);
        assert!(level.is_some_and(|level| level.first > 0.0), "{seen}: {level:?}");
    }
}
