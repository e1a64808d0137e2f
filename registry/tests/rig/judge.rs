//! The engine, as the judge of what we push.

use std::process::Stdio;

use tokio::process::Command;

/// Has the engine pull an image by its digest, and removes it again. Gives the image's id.
pub(crate) async fn docker_pulls(image: &str) -> String {
    docker(&["pull", "--quiet", image]).await;
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", image]).await;
    docker(&["rmi", image]).await;
    id.trim().to_owned()
}

async fn docker(arguments: &[&str]) -> String {
    let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output().await;
    let output = run.unwrap_or_else(|error| {
        panic!(
            "these tests need Docker (`cargo xtask test --install`, or apt-get install docker.io): {error}"
        )
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
