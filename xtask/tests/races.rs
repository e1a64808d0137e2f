//! Many runs at once: a bounded part of what `cargo xtask chaos --only races` plays.

use xtask::chaos::Options;
use xtask::chaos::races::{Size, play};

/// Plays the races of these names, as small as they are in CI.
async fn race(name: &str) {
    let options = Options { filters: vec![name.to_owned()], ..Options::default() };
    let sections = play(env!("CARGO_BIN_EXE_xtask").as_ref(), &options, Size::Bounded).await;
    let rows: Vec<_> = sections.iter().flat_map(|section| &section.rows).collect();
    assert_eq!(rows.len(), 1, "`{name}` names no race, or several");
    assert!(rows[0].faults.is_empty(), "{:#?}", rows[0].faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_at_once_go_one_at_a_time_and_the_others_are_told() {
    race("deploys at once, each").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deploys_that_wait_go_in_the_order_in_which_they_came() {
    race("that wait").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_and_a_rollback_at_once_both_go_well() {
    race("against a rollback").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_holder_is_named_by_doctor_and_holds_up_nobody() {
    race("is killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_while_releases_go_live_is_never_told_a_torn_or_wrong_thing() {
    race("are read").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_not_refused_for_what_nginx_cannot_load_of_another() {
    race("apps of one nginx").await;
}
