//! What is wrong only where a command meets the file: apps that are not there, secrets that cannot be read.

use super::web;
use crate::sandbox::{Sandbox, snapshot};

/// The address of no engine: what is told before it is met was found without one.
const NO_ENGINE: &str = "unix:///nonexistent/docker.sock";

const TWO: &str = "[apps.web]\nimage = \"nginx\"\nport = 80\n\n[apps.api]\nimage = \"nginx\"\nport = 81\n";

#[test]
fn an_app_is_named_when_the_file_has_several() {
    let sandbox = Sandbox::with(TWO).env("DOCKER_HOST", NO_ENGINE);
    let mut told = String::new();
    for arguments in [["plan"].as_slice(), &["plan", "wbe"], &["status"], &["notify", "--status", "success"]]
    {
        let ran = sandbox.run(arguments);
        assert_eq!(ran.status, Some(2), "{arguments:?}: {ran}");
        told.push_str(&format!("$ cutover {}\n{ran}\n", arguments.join(" ")));
    }
    snapshot("wrong-app-named", &told);
}

#[test]
fn settings_that_cannot_be_read_are_told_before_anything_is_connected() {
    let cases = [
        ("a variable that is not set", web("env = { TOKEN = { env = \"APP_TOKEN\" } }")),
        ("a variable that is empty", web("env = { TOKEN = { env = \"EMPTY\" } }")),
        ("a file that is not there", web("env = { TOKEN = { file = \"token\" } }")),
        ("a program that is not there", web("env = { TOKEN = { command = [\"/nonexistent/pass\"] } }")),
        ("a program that fails", web("env = { TOKEN = { command = [\"false\"] } }")),
        ("an environment file that is not there", web("env_files = [\"missing.env\"]")),
        ("an environment file with a line that is none", web("env_files = [\"good.env\", \"bad.env\"]")),
    ];
    let mut told = String::new();
    for (what, config) in cases {
        let sandbox = Sandbox::with(&config).env("DOCKER_HOST", NO_ENGINE).env("EMPTY", "");
        sandbox.write("good.env", "# a comment\nA=b\n\nC=d=e\n");
        sandbox.write("bad.env", "A=b\nexport C D\n");
        for command in ["plan", "deploy", "ship"] {
            let ran = sandbox.run(&[command]);
            assert_eq!(ran.status, Some(2), "{what}, {command}: {ran}");
            if command == "plan" {
                told.push_str(&format!("## {what}\n{ran}\n"));
            }
        }
    }
    snapshot("wrong-settings", &told);
}

#[test]
fn a_notice_to_nobody_is_refused() {
    let ran = Sandbox::with(&web("")).run(&["notify", "--status", "failure"]);
    assert_eq!(ran.status, Some(2));
    snapshot("wrong-notice-to-nobody", &ran.to_string());
}

#[test]
fn a_failure_prints_no_data() {
    let sandbox = Sandbox::with(&web("soak = \"10\"")).env("DOCKER_HOST", NO_ENGINE);
    for command in
        ["plan", "deploy", "backup", "rollback", "ship", "promote", "abort", "status", "history", "logs"]
    {
        let ran = sandbox.run(&[command, "--json"]);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{command}");
        assert!(ran.stderr.contains("cutover.toml:4:8"), "{command}: {ran}");
    }
}
