//! skopeo, a client of other makers, as the judge of what we read and write.

use std::process::Stdio;

use tokio::process::Command;

/// Runs it; its stdout.
pub(crate) async fn skopeo(arguments: &[&str]) -> Vec<u8> {
    let run = Command::new("skopeo").args(arguments).stdin(Stdio::null()).output().await;
    let output = run.unwrap_or_else(|error| {
        panic!("these tests need skopeo (`cargo xtask test --install`, or apt-get install skopeo): {error}")
    });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "skopeo {}: {said}", arguments.join(" "));
    output.stdout
}

/// Copies an image, or all of an index. The registries here are on plain http.
pub(crate) async fn copy(from: &str, to: &str) {
    let arguments = [
        "copy",
        "--quiet",
        "--insecure-policy",
        "--all",
        "--preserve-digests",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        from,
        to,
    ];
    skopeo(&arguments).await;
}
