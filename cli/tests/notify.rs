//! `cutover notify`: who is told, and what is printed.

use crate::sandbox::{Sandbox, WEB};

fn sandbox(tables: &str) -> Sandbox {
    Sandbox::with(&format!("{WEB}\n{tables}\n")).env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
}

#[test]
fn stdout_has_the_text_once_and_with_json_the_object_alone() {
    let sandbox = sandbox("[notify.stdout]\ntemplate = \"{{ app }} ended: {{ status }}\"");
    let ran = sandbox.run(&["notify", "--status", "cancelled"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(0), "web ended: cancelled\n"), "{ran}");
    let ran = sandbox.run(&["notify", "--status", "cancelled", "--json"]);
    assert_eq!(ran.status, Some(0), "{ran}");
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&told["sent"], &told["told"][0]), (&true.into(), &"stdout".into()));
    assert_eq!(ran.stderr, "web ended: cancelled\n");
}

#[test]
fn an_outcome_that_is_for_nobody_is_no_failure() {
    let sandbox = sandbox("[notify.stdout]\non = [\"failure\"]");
    let ran = sandbox.run(&["notify", "--status", "success", "--json"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    assert!(ran.stdout.contains("\"sent\":false"), "{ran}");
}

#[test]
fn one_that_cannot_be_told_keeps_no_other_from_it_and_fails_the_command() {
    let sandbox = sandbox(
        "[notify.slack]\nwebhook = { env = \"UNSET\" }\n[notify.webhook]\nurl = { env = \"HOOK\" }\n[notify.stdout]",
    )
    .env("HOOK", "http://127.0.0.1:1/x");
    let ran = sandbox.run(&["notify", "--status", "failure"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    assert!(ran.stdout.contains("web: deployment failed on "), "{ran}");
    assert!(ran.stderr.contains("UNSET is not set") && ran.stderr.contains("127.0.0.1:1"), "{ran}");
}
