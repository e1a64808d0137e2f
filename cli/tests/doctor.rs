//! `cutover doctor` where nothing is up: each part is told, none hides another, and no secret is shown.

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox, WEB};

const CANARY: &str = "canary-5ecr3t";

/// Port 1 of loopback is where nothing listens: the engine, the registry and Slack are there.
fn nowhere() -> Sandbox {
    let config = "[engine]\nhost = \"tcp://127.0.0.1:1\"\n[proxy]\nnginx = { binary = \"/nonexistent/nginx\" }\n\
        conf_dir = \"/nonexistent/conf.d\"\nstate_dir = \"/nonexistent/state\"\ncontrol = \"127.0.0.1:1\"\n\
        [registry.\"127.0.0.1:1\"]\nusername = \"acme\"\npassword = { env = \"CANARY\" }\n\
        [notify.slack]\nwebhook = { env = \"HOOK\" }\n\
        [apps.web]\nimage = \"127.0.0.1:1/acme/web:1\"\nport = 80\nenv = { A = { env = \"CANARY\" } }\n";
    Sandbox::with(config).env("CANARY", CANARY).env("HOOK", &format!("http://127.0.0.1:1/services/{CANARY}"))
}

fn states(ran: &Ran) -> Vec<(String, String)> {
    let examined: Value = serde_json::from_str(&ran.stdout).unwrap();
    let checks = examined["checks"].as_array().unwrap().iter();
    let text = |check: &Value, key: &str| check[key].as_str().unwrap().to_owned();
    checks.map(|check| (text(check, "name"), text(check, "state"))).collect()
}

#[test]
fn everything_that_is_down_is_told_each_by_itself_and_without_a_secret() {
    let ran = nowhere().run(&["doctor", "--json", "-vv"]);
    assert_eq!(ran.status, Some(3), "{ran}");
    let states = states(&ran);
    for (name, state) in [
        ("engine.reach", "problem"),
        ("nginx.reach", "problem"),
        ("release.settings", "ok"),
        ("release.credentials", "ok"),
        ("release.image", "problem"),
        ("slack.webhook", "warning"),
    ] {
        assert!(states.contains(&(name.to_owned(), state.to_owned())), "no {state} of {name}: {ran}");
    }
    assert!(!ran.to_string().contains(CANARY), "a secret is told: {ran}");
}

#[test]
fn a_person_gets_one_line_a_check_and_the_verdict() {
    let ran = nowhere().run(&["doctor"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(3), ""), "{ran}");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("  problem  reach: ")), "{ran}");
    assert!(lines.last().unwrap().starts_with("web: a deploy would fail of "), "{ran}");
    assert!(
        lines.iter().all(|line| line.starts_with("  ") || !line.contains(' ') || line.starts_with("web: ")),
        "{ran}"
    );
}

#[test]
fn a_configuration_that_is_wrong_is_refused_as_everywhere() {
    let ran = Sandbox::with(&format!("{WEB}soak = 1\n")).run(&["doctor", "--json"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{ran}");
    assert!(ran.stderr.contains("cutover.toml:4"), "{ran}");
}
