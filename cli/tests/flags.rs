//! Wrong command lines: each is refused with what is wrong and what is known instead.

use crate::sandbox::{Sandbox, WEB, snapshot};

fn refused(name: &str, cases: &[&[&str]]) {
    let sandbox = Sandbox::with(WEB).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    let mut told = String::new();
    for arguments in cases {
        let ran = sandbox.run(arguments);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}: {ran}");
        told.push_str(&format!("$ cutover {}\n{ran}\n", arguments.join(" ")));
    }
    snapshot(name, &told);
}

#[test]
fn commands_and_flags_that_are_not_known_are_refused() {
    refused(
        "flags-unknown",
        &[
            &[],
            &["deplyo"],
            &["deploy", "--no-promte"],
            &["deploy", "web", "api"],
            &["nginx"],
            &["nginx", "reload"],
            &["image"],
            &["config"],
            &["completions"],
            &["completions", "tcsh"],
        ],
    );
}

#[test]
fn values_that_are_none_are_refused() {
    refused(
        "flags-values",
        &[
            &["plan", "--quiet", "--verbose"],
            &["plan", "--color", "sometimes"],
            &["plan", "--config"],
            &["plan", "--image", "Acme/Web:1"],
            &["deploy", "--image", "ghcr.io/acme/web:-1"],
            &["ship", "--image", "ghcr.io/acme/web@sha256:12"],
            &["rollback", "--to", "abc12"],
            &["rollback", "--to", "sha256:abc12"],
            &["rollback", "--to", "the-last-one"],
            &["notify"],
            &["notify", "--status", "failed"],
            &["history", "--limit", "many"],
            &["logs", "--slot", "red"],
            &["logs", "--tail", "-1"],
            &["image", "resolve", "https://ghcr.io/acme/web"],
            &["image", "pull", "ghcr.io/acme/web:1"],
            &["image", "pull", "ghcr.io/acme/web:1", "--output", "out", "--platform", "amd64"],
        ],
    );
}

#[test]
fn the_variable_that_names_the_file_is_heeded_and_the_flag_wins() {
    let sandbox = Sandbox::with(WEB).env("CUTOVER_CONFIG", "elsewhere.toml");
    let ran = sandbox.run(&["config", "check"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("elsewhere.toml"), "{ran}");
    let ran = sandbox.run(&["config", "check", "-c", "cutover.toml"]);
    assert_eq!(ran.status, Some(0), "{ran}");
}
