//! `cutover doctor` names what would keep a deploy from going well, and `cutover deploy` agrees with it.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use xtask::rig::nginx::HostNginx;
use xtask::rig::stage::{Nginx, Ran, Stage};
use xtask::rig::{docker, needs};

/// A stage whose file's own image is there, as version `latest`.
async fn stage() -> Stage {
    let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    stage.release("latest", &[]).await.unwrap();
    stage
}

fn host(stage: &Stage) -> &HostNginx {
    match &stage.nginx {
        Nginx::Host(nginx) => nginx,
        Nginx::Container(_) => panic!("the stage has its nginx in a container"),
    }
}

async fn run(stage: &Stage, env: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let mut command = tokio::process::Command::from(stage.command(arguments));
    let output = command.envs(env.iter().copied()).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let took = std::time::Duration::ZERO;
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr), took }
}

/// Everything that a doctor could have touched.
async fn world(stage: &Stage) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    fn files(folder: &std::path::Path, all: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, all);
            }
            all.insert(path.display().to_string(), fs::read_to_string(&path).unwrap_or_default());
        }
    }
    let mut all = BTreeMap::new();
    files(&host(stage).conf_dir(), &mut all);
    files(&host(stage).state_dir(), &mut all);
    (stage.ids().await.unwrap(), all)
}

/// What the doctor finds, once it is held to its exit status, its form, and to have touched nothing.
async fn examined(stage: &Stage, env: &[(&str, &str)], exit: i32) -> Value {
    let before = world(stage).await;
    let examined = run(stage, env, &["doctor", "--json"]).await.exits(exit).json();
    assert_eq!(world(stage).await, before, "the doctor has touched something");
    assert_eq!((&examined["app"], &examined["ok"]), (&stage.app.as_str().into(), &(exit == 0).into()));
    for check in examined["checks"].as_array().unwrap() {
        let state = check["state"].as_str().unwrap();
        assert!(["ok", "note", "warning", "problem"].contains(&state), "{check}");
        assert_eq!(check["mend"].is_string(), state != "ok", "{check}");
    }
    examined
}

/// The finding of this name in this state.
fn finding<'v>(examined: &'v Value, name: &str, state: &str) -> &'v str {
    let checks = examined["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name && check["state"] == state);
    found.unwrap_or_else(|| panic!("no {state} of {name}: {examined:#}"))["found"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_where_all_is_well_is_found_so_before_the_first_deploy_and_after_it() {
    let stage = stage().await;
    let slack = TcpListener::bind("127.0.0.1:0").unwrap();
    let webhook = format!("http://{}/services/T/B/canary-77aa", slack.local_addr().unwrap());
    let stage = stage.with_tables("[notify.slack]\nwebhook = { env = \"HOOK\" }").unwrap();
    let env = [("HOOK", webhook.as_str())];
    let fresh = examined(&stage, &env, 0).await;
    finding(&fresh, "drift.release", "note");
    assert!(finding(&fresh, "ports.site", "ok").contains("is free"));
    run(&stage, &env, &["deploy"]).await.exits(0);
    let examined = examined(&stage, &env, 0).await;
    for name in [
        "engine.reach",
        "clock.engine",
        "nginx.reach",
        "nginx.running",
        "nginx.configuration",
        "nginx.include",
        "nginx.control",
        "nginx.workers",
        "nginx.balance",
        "ports.site",
        "network.own",
        "release.settings",
        "release.credentials",
        "release.image",
        "slack.webhook",
        "containers",
        "leftovers",
        "drift.nginx",
        "drift.live",
        "drift.release",
    ] {
        finding(&examined, name, "ok");
    }
    for name in ["disk.data_dir", "disk.state_dir", "disk.conf_dir"] {
        assert!(examined["checks"].as_array().unwrap().iter().any(|check| check["name"] == name), "{name}");
    }
    // Slack's host was connected to, and not one byte was said.
    slack.set_nonblocking(true).unwrap();
    let (mut connection, _) = slack.accept().unwrap();
    connection.set_nonblocking(false).unwrap();
    assert_eq!(std::io::Read::read(&mut connection, &mut [0]).unwrap(), 0);
    let text = run(&stage, &env, &["doctor"]).await.exits(0);
    assert!(!format!("{text:?} {examined}").contains("canary-77aa"), "the webhook is told");
    let lines: Vec<&str> = text.stdout.lines().collect();
    assert!(
        lines.contains(&"nginx") && lines.iter().any(|line| line.starts_with("  ok       include: ")),
        "{text:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_nginx_in_a_container_is_examined_as_one_of_the_host() {
    let mut stage = Stage::in_container(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    stage.release("latest", &[]).await.unwrap();
    let examine = async |exit| stage.cutover(&["doctor", "--json"]).await.exits(exit).json();
    finding(&examine(0).await, "drift.release", "note");
    run(&stage, &[], &["deploy"]).await.exits(0);
    let all = examine(0).await;
    for name in
        ["nginx.running", "nginx.include", "nginx.workers", "nginx.control", "drift.release", "leftovers"]
    {
        finding(&all, name, "ok");
    }
    let Nginx::Container(nginx) = &stage.nginx else { panic!("the nginx is in a container") };
    docker::run(&["stop", "-t", "1", nginx.name()]).await.unwrap();
    assert!(finding(&examine(3).await, "nginx.reach", "problem").contains("does not run"));
    run(&stage, &[], &["deploy"]).await.exits(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_a_deploy_would_fail_of_is_named_and_the_deploy_agrees() {
    let stage = stage().await;
    let right = fs::read_to_string(stage.config()).unwrap();
    let conf_dir = host(&stage).conf_dir().display().to_string();
    let (holder, elsewhere) = (TcpListener::bind("127.0.0.1:0").unwrap(), tempfile::tempdir().unwrap());
    // What nginx serves already it serves from wherever: only a first deploy fails of a folder that is not included.
    let named = elsewhere.path().display().to_string();
    let excluded = right.replace(&format!("{conf_dir:?}"), &format!("{named:?}"));
    fs::write(stage.config(), &excluded).unwrap();
    assert!(finding(&examined(&stage, &[], 3).await, "nginx.include", "problem").contains(&named));
    run(&stage, &[], &["deploy"]).await.exits(3);
    fs::write(stage.config(), &right).unwrap();
    run(&stage, &[], &["deploy"]).await.exits(0);
    fs::write(stage.config(), &excluded).unwrap();
    finding(&examined(&stage, &[], 0).await, "nginx.include", "warning");
    fs::write(stage.config(), &right).unwrap();
    let (taken, site) = (holder.local_addr().unwrap().to_string(), stage.site().to_string());
    let file = elsewhere.path().join("file");
    fs::write(&file, "").unwrap();
    let repository = stage.repository();
    let both = |found: &str, wanted: &str| right.replace(found, wanted);
    let in_file = file.join("conf.d").display().to_string();
    type Case<'a> = (&'a str, String, &'a [(&'a str, &'a str)], i32);
    let cases: Vec<Case<'_>> = vec![
        ("engine.reach", right.clone(), &[("DOCKER_HOST", "unix:///nowhere/docker.sock")], 3),
        ("release.image", right.clone(), &[("REGISTRY_PASSWORD", "wrong-canary-91d0")], 3),
        ("release.image", both(&format!("{repository}:latest"), &format!("{repository}:nowhere")), &[], 3),
        (
            "release.settings",
            both("port = 8080", "port = 8080\nenv = { TOKEN = { env = \"NOWHERE\" } }"),
            &[],
            2,
        ),
        ("disk.conf_dir", both(&format!("{conf_dir:?}"), &format!("{in_file:?}")), &[], 3),
        (
            "ports.site",
            both(&format!("listen = {site:?}"), &format!("listen = [{site:?}, {taken:?}]")),
            &[],
            3,
        ),
        ("nginx.reach", both("/usr/sbin/nginx", "/nowhere/nginx"), &[], 3),
        ("nginx.control", both(&stage.control().to_string(), &taken), &[], 3),
    ];
    for (name, config, env, exit) in cases {
        assert!(config != right || !env.is_empty(), "{name}: nothing is changed");
        fs::write(stage.config(), config).unwrap();
        let examined = examined(&stage, env, exit).await;
        finding(&examined, name, "problem");
        assert!(!examined.to_string().contains("canary"), "a secret is told: {examined}");
        let deployed = run(&stage, env, &["deploy"]).await;
        assert_eq!(deployed.status, Some(exit), "{name}: {}", deployed.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_a_deploys_way_beside_the_file_is_named_and_the_deploy_agrees() {
    let mut stage = stage().await;
    let other = stage.release("other", &[]).await.unwrap();
    run(&stage, &[], &["deploy"]).await.exits(0);
    let state = host(&stage).state_dir();
    fs::set_permissions(&state, Permissions::from_mode(0o700)).unwrap();
    let barred = examined(&stage, &[], 3).await;
    assert!(finding(&barred, "nginx.workers", "problem").contains(state.to_str().unwrap()), "{barred:#}");
    run(&stage, &[], &["deploy", "--image", &other]).await.exits(3);
    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();

    let lock = fs::File::options().write(true).open(state.join(&stage.app).join("lock")).unwrap();
    lock.lock().unwrap();
    finding(&examined(&stage, &[], 3).await, "leftovers.lock", "problem");
    run(&stage, &[], &["deploy", "--image", &other]).await.exits(5);
    drop(lock);

    let Nginx::Host(nginx) = &mut stage.nginx else { panic!("the nginx is of the host") };
    nginx.stop();
    let stopped = examined(&stage, &[], 3).await;
    assert_eq!(finding(&stopped, "nginx.running", "problem"), "nginx is not running");
    // One part that is down hides no other.
    for name in ["engine.reach", "release.image", "nginx.include"] {
        finding(&stopped, name, "ok");
    }
    run(&stage, &[], &["deploy"]).await.exits(3);
    let Nginx::Host(nginx) = &mut stage.nginx else { panic!("the nginx is of the host") };
    nginx.start_again().await.unwrap();
    examined(&stage, &[], 0).await;
    run(&stage, &[], &["deploy", "--image", &other]).await.exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_broken_deploys_left_and_what_has_drifted_is_told_and_keeps_no_deploy() {
    let stage = stage().await;
    run(&stage, &[], &["deploy"]).await.exits(0);
    let conf_dir = host(&stage).conf_dir();
    let kept = conf_dir.join(format!(".cutover-{}.conf.cutover-old", stage.app));
    fs::write(&kept, fs::read_to_string(conf_dir.join(format!("cutover-{}.conf", stage.app))).unwrap())
        .unwrap();
    let image = format!("{}:latest", stage.repository());
    let digest = stage.status().await["slots"]["blue"]["digest"].as_str().unwrap().to_owned();
    let name = format!("{}-green-1-next", stage.app);
    let labels: Vec<String> = [
        ("app", stage.app.as_str()),
        ("slot", "green"),
        ("replica", "1"),
        ("replicas", "1"),
        ("release", "0123456789ab"),
        ("image", &image),
        ("digest", &digest),
        ("address", "127.0.0.1:9"),
    ]
    .iter()
    .map(|(key, value)| format!("--label=cutover.{key}={value}"))
    .collect();
    let pinned = format!("{}@{digest}", stage.repository());
    let mut create = vec!["create", "--name", &name];
    create.extend(labels.iter().map(String::as_str));
    create.push(&pinned);
    docker::run(&create).await.unwrap();
    let lock = host(&stage).state_dir().join(&stage.app).join("lock");
    let words = r#"{"pid":7,"who":"ann@host","command":"cutover deploy","since":"2026-01-01T00:00:00Z"}"#;
    fs::write(&lock, words).unwrap();

    let left = examined(&stage, &[], 0).await;
    assert!(finding(&left, "leftovers.candidate", "warning").contains(&name), "{left:#}");
    assert!(finding(&left, "leftovers.files", "warning").contains(kept.to_str().unwrap()), "{left:#}");
    assert!(finding(&left, "leftovers.lock", "note").contains("ann@host"), "{left:#}");
    finding(&left, "drift.nginx", "note");
    run(&stage, &[], &["deploy"]).await.exits(0);
    run(&stage, &[], &["abort"]).await.exits(0);
    finding(&examined(&stage, &[], 0).await, "leftovers", "ok");

    // Settings, then a secret's value, then the image move on from what is live.
    let mut stage = stage.with("env = { LEVEL = \"2\", TOKEN = { env = \"TOKEN\" } }").unwrap();
    let one = [("TOKEN", "one-canary-3b3b")];
    assert!(finding(&examined(&stage, &one, 0).await, "drift.release", "note").contains("settings"));
    run(&stage, &one, &["deploy"]).await.exits(0);
    finding(&examined(&stage, &one, 0).await, "drift.release", "ok");
    let changed = examined(&stage, &[("TOKEN", "two-canary-4c4c")], 0).await;
    assert!(finding(&changed, "drift.release", "note").contains("secret"), "{changed:#}");
    assert!(!changed.to_string().contains("canary"), "a secret is told: {changed}");
    stage.release("latest", &[("MODE", "ok")]).await.unwrap();
    assert!(finding(&examined(&stage, &one, 0).await, "drift.release", "note").contains("is live"));
    // A file that was changed by hand is installed anew.
    let conf = conf_dir.join(format!("cutover-{}.conf", stage.app));
    fs::write(&conf, fs::read_to_string(&conf).unwrap() + "# by hand\n").unwrap();
    finding(&examined(&stage, &one, 0).await, "drift.nginx", "note");
    run(&stage, &one, &["deploy"]).await.exits(0);
    finding(&examined(&stage, &one, 0).await, "drift.nginx", "ok");
}
