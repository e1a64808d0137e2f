//! A part of `cargo xtask chaos --only faults`, by the same code.

use std::path::Path;

use xtask::chaos::faults::play;
use xtask::chaos::{Options, Row};

/// Plays these, and holds that each was played and none has a fault.
async fn well(titles: &[&str]) {
    let filters = titles.iter().map(|&title| title.to_owned()).collect();
    let options = Options { filters, ..Options::default() };
    let sections = play(Path::new(env!("CARGO_BIN_EXE_xtask")), &options).await;
    let rows: Vec<&Row> = sections.iter().flat_map(|section| &section.rows).collect();
    let faults: Vec<&String> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(rows.len() >= titles.len(), "of {titles:?} only {} rows were played", rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_fails_in_a_run_is_named_costs_nothing_and_is_mended_by_the_same_command() {
    well(&[
        "engine hung @ accept (backup)",
        "engine's socket refuses @ gate-through",
        "engine's socket gone @ pull",
        "engine restarted, with live-restore @ soak",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_nginx_that_fails_in_a_run_is_named_and_what_others_do_to_it_costs_nothing() {
    well(&[
        "nginx stopped @ gate-through, switch (backup)",
        "nginx's master killed, its workers not @ install",
        "nginx's binary upgraded @ install",
        "nginx's configuration broken by somebody @ install",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_to_is_named_and_what_serves_goes_on() {
    well(&[
        "conf_dir full @ install",
        "state_dir read-only @ start",
        "data_dir full @ soak",
        "state_dir gone @ soak",
    ])
    .await;
}
