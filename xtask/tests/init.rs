//! A new user's way: from a folder with a Dockerfile to the first live release, in five commands at most.

use std::time::Instant;

use serde_json::Value;
use xtask::rig::newcomer::Newcomer;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_dockerfile_is_live_after_a_few_commands() {
    let user = Newcomer::start(PROGRAM).await.unwrap();
    let (nginx, image) = (user.nginx().unwrap(), user.stage.repository());
    let commands = [
        &[
            "init",
            "--yes",
            "--name",
            &user.stage.app,
            "--image",
            &image,
            "--health",
            "/healthz",
            "--nginx",
            &nginx,
        ][..],
        &["config", "check"],
        &["ship", "--json"],
    ];
    let began = Instant::now();
    user.cutover(commands[0]).unwrap();
    user.keep_apart().unwrap();
    user.cutover(commands[1]).unwrap();
    let shipped: Value = serde_json::from_str(&user.cutover(commands[2]).unwrap()).unwrap();
    let took = began.elapsed();

    assert_eq!((&shipped["outcome"], &shipped["live"]), (&"deployed".into(), &"blue".into()), "{shipped}");
    let (status, page) = user.stage.page(user.stage.site(), "example.com", "/").await.unwrap();
    assert_eq!((status, page.as_str()), (200, "version 1\n"));
    println!("live after {took:.1?} and {} commands", commands.len());
    commands.iter().for_each(|words| println!("  cutover {}", words.join(" ")));
}
