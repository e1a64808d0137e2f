//! An engine that cannot be reached: nothing was changed, and the address that was tried is told.

use crate::sandbox::{Sandbox, WEB, snapshot};

/// Nothing listens on port 1 of loopback.
const REFUSED: &str = "tcp://127.0.0.1:1";

fn pinned() -> String {
    let digest = "a".repeat(64);
    format!("[apps.web]\nimage = \"ghcr.io/acme/web@sha256:{digest}\"\nport = 8112\n")
}

#[test]
fn a_dead_engine_is_told_by_every_command_that_needs_one() {
    let sandbox = Sandbox::with(&pinned()).env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    for command in [
        ["plan"].as_slice(),
        &["deploy"],
        &["backup"],
        &["rollback"],
        &["rollback", "--to", "abcdef"],
        &["promote"],
        &["abort"],
        &["status"],
        &["logs"],
        &["nginx", "render"],
        &["nginx", "check"],
        &["nginx", "apply"],
    ] {
        let ran = sandbox.run(command);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(3), ""), "{command:?}: {ran}");
        assert!(ran.stderr.contains("unix:///nonexistent/docker.sock"), "{command:?}: {ran}");
        assert!(ran.stderr.contains("nothing was changed"), "{command:?}: {ran}");
    }
    snapshot("engine-dead", &sandbox.run(&["status", "--json"]).to_string());
}

#[test]
fn an_engine_that_refuses_is_told() {
    let ran = Sandbox::with(&pinned()).env("DOCKER_HOST", REFUSED).run(&["status"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    snapshot("engine-refuses", &ran.to_string());
}

#[test]
fn the_files_engine_wins_over_the_environments() {
    let config = format!("[engine]\nhost = \"{REFUSED}\"\n{WEB}");
    let ran = Sandbox::with(&config).env("DOCKER_HOST", "unix:///nonexistent/docker.sock").run(&["status"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    assert!(ran.stderr.contains(REFUSED), "{ran}");
}

#[test]
fn an_engines_address_that_cannot_be_spoken_to_is_named() {
    let mut told = String::new();
    for host in
        ["ssh://deploy@web-1", "https://web-1:2376", "/var/run/docker.sock", "tcp://web-1:x", "ftp://web-1"]
    {
        let ran = Sandbox::with(WEB).env("DOCKER_HOST", host).run(&["status"]);
        assert_eq!(ran.status, Some(2), "{host}: {ran}");
        told.push_str(&format!("$ DOCKER_HOST={host} cutover status\n{ran}\n"));
    }
    snapshot("engine-address", &told);
}
