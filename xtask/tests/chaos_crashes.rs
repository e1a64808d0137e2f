//! A bounded part of `cargo xtask chaos --only crashes`: runs that are killed at their effects, with load on the app.
#![expect(clippy::print_stdout, reason = "the figures are for people")]

use std::path::Path;

use xtask::chaos::Place;
use xtask::chaos::crashes::{Account, Story, play_in};

/// Plays them on the host, each `stride`th crash point; nothing may be lost, and nothing be left over.
async fn cost_nothing(stories: &[Story], stride: usize) {
    let accounts = play_in(Path::new(env!("CARGO_BIN_EXE_xtask")), Place::Host, stories, stride).await;
    for Account { story, effects, kills, sent, lost, faults } in accounts {
        println!("{}: {} effects, {kills} kills, {lost} of {sent} lost", story.name(), effects.len());
        assert!(kills > 0, "{} was never killed", story.name());
        assert_eq!((faults, lost), (Vec::new(), 0), "{}", story.name());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_killed_at_any_effect_costs_nothing_and_is_mended_by_the_same_command() {
    cost_nothing(&[Story::Deploy], 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_killed_at_an_effect_costs_nothing_and_is_mended_by_the_same_command() {
    let stories =
        [Story::Backup, Story::Rollback, Story::RollbackCold, Story::Promote, Story::Abort, Story::Rejected];
    cost_nothing(&stories, 11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_deploy_that_is_killed_at_an_effect_is_mended_by_the_same_command() {
    cost_nothing(&[Story::FirstDeploy], 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_killed_on_its_way_back_is_mended_by_the_same_command() {
    cost_nothing(&[Story::RolledBack], 17).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_by_shares_that_is_killed_at_an_effect_is_mended_by_the_same_command() {
    cost_nothing(&[Story::ByShares], 9).await;
}
