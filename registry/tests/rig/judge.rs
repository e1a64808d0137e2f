//! Other clients of registries: what they accept is not only what we think.

use std::process::Stdio;

use tokio::process::Command;

/// Runs `skopeo` against registries on plain http, and gives what it prints.
pub(crate) async fn skopeo(arguments: &[&str]) -> Vec<u8> {
    run("skopeo", arguments).await
}

/// Has the engine pull an image by its digest, and removes it again. Gives the image's id.
pub(crate) async fn docker_pulls(image: &str) -> String {
    run("docker", &["pull", "--quiet", image]).await;
    let id = run("docker", &["image", "inspect", "--format", "{{.Id}}", image]).await;
    let id = String::from_utf8(id).unwrap().trim().to_owned();
    run("docker", &["rmi", image]).await;
    id
}

async fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().await.unwrap_or_else(|error| {
            panic!("these tests need {program} (cargo xtask test --install): {error}")
        });
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {complaint}");
    output.stdout
}
