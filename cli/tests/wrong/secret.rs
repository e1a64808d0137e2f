//! Secrets that stand in the file, or come from nowhere.

use super::{beside_web, refused, web};
use crate::sandbox::Sandbox;

#[test]
fn a_secret_is_refused_that_has_not_one_source() {
    let token = |source: &str| web(&format!("env = {{ TOKEN = {source} }}"));
    refused(
        "wrong-secrets",
        &[
            ("a literal password", beside_web("[registry.a]\nusername = \"b\"\npassword = \"hunter2\"")),
            ("a number as a password", beside_web("[registry.a]\nusername = \"b\"\npassword = 1234")),
            (
                "a literal webhook",
                beside_web("[notify.slack]\nwebhook = \"https://hooks.slack.com/services/T/B/x\""),
            ),
            ("no source", token("{}")),
            ("an unknown source", token("{ vault = \"hunter2\" }")),
            ("two sources", token("{ env = \"A\", file = \"b\" }")),
            ("a command without words", token("{ command = [] }")),
            ("a command without a program", token("{ command = [\"\"] }")),
            ("a command as a string", token("{ command = \"pass show token\" }")),
            ("a variable without a name", token("{ env = \"\" }")),
            ("a file without a path", token("{ file = \"\" }")),
        ],
    );
}

#[test]
fn a_literal_secret_is_not_shown_whatever_else_is_wrong() {
    for config in [
        beside_web("[registry.a]\nusername = \"b\"\npassword = \"hunter2\""),
        beside_web("[registry]\na = { username = 1, password = \"hunter2\" }"),
        beside_web("[registry]\na = { usernam = \"b\", password = 'hunter2' }"),
        beside_web("[registry.a]\npassword = 'hunter2"),
        beside_web("[registry.a]\npassword = { value = \"hunter2\" }"),
        beside_web("[registry.a]\npassword = hunter2"),
        beside_web("[registry.a]\npassword = \"\"\"\nhunter2\n\"\"\""),
        beside_web("[notify.slack]\nwebhook = \"https://hooks.slack.com/hunter2\""),
        beside_web("[notify]\nslack = { webhook = \"https://hooks.slack.com/hunter2\", color = 1 }"),
        beside_web("[registry.a]\nusername = \"b\"\ntoken = \"hunter2\""),
        beside_web("slack = { webhook_url = \"https://hooks.slack.com/hunter2\" }"),
        web("env = { A = { text = \"hunter2\" } }"),
        web("env = { API_TOKEN = \"hunter2\", \"A=B\" = \"c\" }"),
        web("env = { STRIPE_KEY = \"hunter2\", \"A=B\" = \"c\" }"),
        web("env = { DB = \"postgres://acme:hunter2@db/web\", \"A=B\" = \"c\" }"),
        beside_web("[engine]\nhost = \"tcp://acme:hunter2@engine:2376\""),
        beside_web("[engine]\nhost = \"ssh://acme:hunter2@engine\""),
        beside_web("[registry.a]\nmirrors = [\"https://acme:hunter2@mirror.lan\"]"),
        beside_web("[registry.a]\nmirrors = [\"acme:hunter2@mirror.lan:5000\"]"),
        beside_web("[registry.\"https://acme:hunter2@ghcr.io\"]\nmirrors = 1"),
        beside_web(
            "[notify.slack]\ntoken = { env = \"T\" }\nchannel = \"#a\"\napi = \"https://acme:hunter2@slack.lan/api\"",
        ),
        beside_web("[notify.slack]\napi = \"http://acme:hunter2@slack.lan/api\"\nmention = 1"),
        "[apps.web]\nimage = \"https://acme:hunter2@ghcr.io/acme/web:1\"\nport = 80\n".to_owned(),
        "[apps.web]\nimage = \"acme:hunter2@ghcr.io/acme/web:1\"\nport = 80\n".to_owned(),
        web("slots = { blue = \"acme:hunter2@127.0.0.1:1\", green = \"127.0.0.1:2\" }"),
    ] {
        for arguments in [["config", "check", "-vv"], ["plan", "--json", "-vv"]] {
            let ran = Sandbox::with(&config).run(&arguments);
            assert_eq!(ran.status, Some(2), "{config}\n{ran}");
            assert!(!ran.to_string().contains("hunter2"), "{config}\n{ran}");
        }
    }
}

#[test]
fn a_password_in_an_address_of_the_command_line_or_the_environment_is_not_shown() {
    let sandbox = Sandbox::with(&web("")).env("DOCKER_HOST", "tcp://acme:hunter2@engine:2376");
    for arguments in
        [&["plan", "-vv", "--image", "https://acme:hunter2@ghcr.io/acme/web:1"][..], &["status", "-vv"]]
    {
        let ran = sandbox.run(arguments);
        assert!(matches!(ran.status, Some(2 | 3)), "{ran}");
        assert!(!ran.to_string().contains("hunter2"), "{ran}");
        assert!(ran.stderr.contains("@ghcr.io") || ran.stderr.contains("@engine"), "{ran}");
    }
}
