//! A container's output, in whole lines.

use cutover_runtime::{LogQuery, LogStream};
use futures_util::StreamExt;

use crate::rig::{Rig, until};

#[tokio::test]
async fn the_last_lines_and_no_others_are_read() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("say");
    spec.command = Some(["/service", "say", "30"].map(str::to_owned).into());
    let container = rig.run(&spec).await;
    let wanted = ["line 29", "line 30"];
    until("the last line", || async { rig.engine.last_log_lines(&container.id, 2).await == wanted }).await;
}

#[tokio::test]
async fn following_goes_on_until_the_container_ends() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("exit:300").await;
    let query = LogQuery { follow: true, ..LogQuery::default() };
    let lines: Vec<_> = rig.engine.logs(&container.id, &query).map(Result::unwrap).collect().await;
    let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["starting in mode exit", "giving up"]);
    assert!(lines.iter().all(|line| line.stream == LogStream::Stderr), "{lines:?}");
}

#[tokio::test]
async fn a_container_that_is_not_there_has_no_last_lines() {
    let rig = Rig::new().await;
    assert!(rig.engine.last_log_lines("cutover-no-such", 5).await.is_empty());
}
