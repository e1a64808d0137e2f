//! What fails around a deploy by people's hands, by the registry and by Slack: a bounded part of `cargo xtask chaos --only
//! faults`.

use xtask::chaos::Options;
use xtask::chaos::faults::play;

/// Plays the faults of these names.
async fn struck(names: &[&str]) {
    let filters = names.iter().map(|name| (*name).to_owned()).collect();
    let options = Options { filters, ..Options::default() };
    let sections = play(env!("CARGO_BIN_EXE_xtask").as_ref(), &options).await;
    let rows: Vec<_> = sections.iter().flat_map(|section| &section.rows).collect();
    assert_eq!(rows.len(), names.len(), "a name is of no fault, or of several");
    let faults: Vec<&String> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_that_people_rename_forge_and_put_in_the_way_cost_nothing_and_are_named() {
    struck(&[
        "the live container renamed @ start",
        "a container with all of the live one's labels",
        "another container of the candidate's name",
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_sends_another_manifest_is_found_out() {
    struck(&["registry sends another manifest @ pull"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slack_that_does_not_answer_changes_no_verdict() {
    struck(&["Slack hung"]).await;
}
