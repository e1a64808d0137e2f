//! Releases that pass every check and that only the requests of their clients show to be bad.

use std::path::Path;

use xtask::chaos::Options;
use xtask::chaos::guard::{Size, play};
use xtask::rig::needs;
use xtask::rig::stage::Stage;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_some_requests_or_is_slow_is_rolled_back_and_a_good_one_is_not() {
    let sections = play(Path::new(PROGRAM), &Options::default(), Size::Bounded).await;
    let rows = sections.iter().flat_map(|section| &section.rows);
    let faults: Vec<&String> = rows.clone().flat_map(|row| &row.faults).collect();
    assert_eq!(faults, Vec::<&String>::new());
    let back: Vec<&str> = rows.map(|row| row.cells[2].as_str()).collect();
    assert_eq!(back, ["0", "1", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_requests_judge_nothing_and_what_cannot_be_heard_is_not_tried() {
    let stage = Stage::on_host(PROGRAM, needs::nginx()).await.unwrap();
    let mut stage = stage.with("soak = \"1s\"\nguard = {}").unwrap();
    let (one, two) = (stage.release("1", &[]).await.unwrap(), stage.release("2", &[]).await.unwrap());
    stage.deploy(&one).await;
    let ran = stage.cutover(&["deploy", "--json", "--image", &two]).await.exits(0);
    assert_eq!(ran.json()["guard"]["judged"], "nothing", "{}", ran.json());
    assert!(ran.stderr.contains("too few to judge by"), "{}", ran.stderr);

    // nginx cannot reach a socket of this machine's from a container that shares no folder with it.
    let stage = Stage::in_unmounted_container(PROGRAM, needs::nginx()).await.unwrap();
    let mut stage = stage.with("guard = {}").unwrap();
    let one = stage.release("1", &[]).await.unwrap();
    let ran = stage.cutover(&["deploy", "--image", &one]).await.exits(3);
    assert!(ran.stderr.contains("nothing was changed"), "{}", ran.stderr);
    assert_eq!(stage.containers().await.unwrap(), Vec::<String>::new());
}
