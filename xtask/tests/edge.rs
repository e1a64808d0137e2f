//! The nginx side alone: rendered, checked and installed without a release.

use xtask::rig::needs;
use xtask::rig::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn the_nginx_files_are_installed_once_and_then_served() {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let rendered = stage.cutover(&["nginx", "render", "--json"]).await.exits(0).json();
    let first = stage.cutover(&["nginx", "apply", "--json"]).await.exits(0).json();
    assert_eq!((&first["reloads"], &first["generation"]), (&1.into(), &rendered["generation"]));
    let again = stage.cutover(&["nginx", "apply", "--json"]).await.exits(0).json();
    assert_eq!(again["reloads"], 0);
    let checked = stage.cutover(&["nginx", "check", "--json"]).await.exits(0).json();
    assert_eq!((&checked["served"], &checked["diff"]), (&true.into(), &serde_json::json!([])));
    // Nothing runs yet: nginx says so by itself, and `status` says what is live and empty.
    let (answer, _) = stage.page(stage.site(), "x", "/").await.unwrap();
    assert!((502..=504).contains(&answer), "{answer}");
    let status = stage.status().await;
    assert_eq!((&status["live"], &status["slots"]["blue"]["state"]), (&"blue".into(), &"absent".into()));
    // A release that comes then needs no reload.
    let mut stage = stage;
    let image = stage.release("1", &[]).await.unwrap();
    assert_eq!(stage.deploy(&image).await["reloads"], 0);
    assert_eq!(stage.page(stage.site(), "x", "/").await.unwrap().1, "version 1\n");
}
