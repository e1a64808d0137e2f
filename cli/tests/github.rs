//! What a runner of GitHub Actions is told.

use crate::sandbox::{Sandbox, WEB};

const TABLES: &str = "\n[notify.slack]\nwebhook = { file = \"webhook\" }\n[apps.web.env]\nTOKEN = { env = \"APP_TOKEN\" }\n\
                      [apps.web.build.secrets]\nnpm = { command = [\"printf\", \"npm-canary\"] }\n";

fn step(config: &str) -> Sandbox {
    let step = Sandbox::with(config).env("GITHUB_ACTIONS", "true").env("APP_TOKEN", "token-canary");
    step.write("webhook", "https://hooks.slack.com/services/one-canary\n");
    step
}

#[test]
fn secrets_are_masked_before_anything_else_is_printed() {
    let ran = step(&format!("{WEB}{TABLES}")).env("DOCKER_HOST", "unix:///nonexistent").run(&["doctor"]);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        lines[..2],
        ["::add-mask::https://hooks.slack.com/services/one-canary", "::add-mask::token-canary"],
        "{ran}"
    );
    assert!(!ran.stdout.contains("canary"), "{ran}");
    assert!(
        lines[2..].iter().all(|line| line.starts_with("::add-mask::") || !line.contains("canary")),
        "{ran}"
    );
}

#[test]
fn elsewhere_no_secret_is_printed_for_anyone_to_mask() {
    let sandbox = Sandbox::with(&format!("{WEB}{TABLES}")).env("APP_TOKEN", "token-canary");
    sandbox.write("webhook", "https://hooks.slack.com/services/one-canary\n");
    let ran = sandbox.env("DOCKER_HOST", "unix:///nonexistent").run(&["doctor"]);
    assert!(!ran.stderr.contains("add-mask") && !ran.stderr.contains("canary"), "{ran}");
}

#[test]
fn what_is_wrong_with_the_configuration_is_an_annotation_at_its_line() {
    let ran = step(&format!("{WEB}prot = 80\n")).run(&["config", "check"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    assert!(ran.stderr.contains("::error title=cutover,file=cutover.toml,line=4,col=1::"), "{ran}");
}
