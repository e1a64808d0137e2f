//! `cutover init`: what it reads of a folder, what it writes, and what it leaves alone.

use std::process::Command;

use crate::sandbox::{Ran, Sandbox, snapshot};

const DOCKERFILE: &str = "FROM rust AS build\nEXPOSE 1\nFROM debian\nENV PORT=8112\nEXPOSE $PORT\n\
                          HEALTHCHECK --interval=5s CMD curl -f http://localhost:$PORT/healthz\n";

/// A folder with a Dockerfile in a repository of GitHub's.
fn shop() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Dockerfile", DOCKERFILE);
    git(&sandbox, &["init", "--quiet", "--initial-branch=trunk"]);
    git(&sandbox, &["remote", "add", "origin", "git@github.com:Acme/Shop.git"]);
    sandbox
}

fn git(sandbox: &Sandbox, arguments: &[&str]) {
    let ran = Command::new("git").arg("-C").arg(sandbox.path()).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    std::fs::read_to_string(sandbox.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn exits(ran: Ran, status: i32) -> Ran {
    assert_eq!(ran.status, Some(status), "{ran}");
    ran
}

/// Its files, and what it said, held against a snapshot.
fn printed(name: &str, sandbox: &Sandbox, arguments: &[&str]) {
    let ran = exits(sandbox.run(&[&["init", "--print", "--name", "shop"], arguments].concat()), 0);
    snapshot(name, &ran.stdout.replace(concat!("@v", env!("CARGO_PKG_VERSION")), "@v[VERSION]"));
    assert_eq!(ran.stderr, "");
    assert_eq!(
        std::fs::read_dir(sandbox.path()).unwrap().filter(|e| is_written(e.as_ref().unwrap())).count(),
        0
    );
}

fn is_written(entry: &std::fs::DirEntry) -> bool {
    ["cutover.toml", ".github"].contains(&&*entry.file_name().to_string_lossy())
}

#[test]
fn a_folder_says_what_its_dockerfile_and_its_remote_say() {
    printed("init-found", &shop(), &["--yes"]);
}

#[test]
fn every_answer_is_written_where_it_belongs() {
    let answers = [
        "--image=registry.example.com/acme/web:stable",
        "--registry-user=robot",
        "--port=3000",
        "--health=tcp",
        "--listen=127.0.0.1:8080",
        "--domain=example.com",
        "--domain=*.example.com",
        "--nginx=container:load_balancer",
        "--slack=webhook",
        "--github",
        "--runner=web-1",
        "--branch=release/*",
    ];
    printed("init-answered", &Sandbox::new(), &answers);
}

#[test]
fn a_folder_of_a_repository_has_its_workflows_at_the_top() {
    let sandbox = shop();
    std::fs::create_dir_all(sandbox.path().join("apps/Admin")).unwrap();
    let ran = exits(sandbox.run(&["init", "apps/Admin", "--port", "80", "--health", "image"]), 0);
    assert!(ran.stdout.contains("wrote apps/Admin/cutover.toml"), "{ran}");
    assert!(text(&sandbox, "apps/Admin/cutover.toml").contains("ghcr.io/acme/shop/apps/admin:latest"));
    let workflow = text(&sandbox, ".github/workflows/deploy-admin.yml");
    assert!(workflow.contains("defaults: { run: { working-directory: \"apps/Admin\" } }"), "{workflow}");
    assert!(!workflow.contains("cutover build"), "without a Dockerfile nothing is built: {workflow}");
}

#[test]
fn what_it_writes_passes_the_check_and_a_second_run_has_nothing_to_do() {
    let sandbox = shop();
    let arguments = ["init", "--yes", "--slack", "webhook"];
    let ran = exits(sandbox.run(&arguments), 0);
    let wrote = ["cutover.toml", ".github/workflows/deploy.yml", ".github/workflows/rollback.yml"];
    assert_eq!(ran.stdout, wrote.map(|file| format!("wrote {file}\n")).concat());
    exits(sandbox.run(&["config", "check"]), 0);
    let ran = exits(sandbox.run(&arguments), 0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("nothing to do: all is written already\n", ""));
}

#[test]
fn what_is_there_and_says_something_else_is_kept_and_the_change_is_shown() {
    let sandbox = shop();
    let mine = "# mine\n[apps.shop]\nimage = \"ghcr.io/acme/shop:1\"\nport = 1\n";
    sandbox.write("cutover.toml", mine);
    let ran = exits(sandbox.run(&["init", "--yes", "--json"]), 2);
    let data: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&data["files"][0]["state"], &data["files"][1]["state"]), (&"kept".into(), &"written".into()));
    let diff = data["files"][0]["diff"].as_str().unwrap();
    assert!(diff.contains("-# mine\n") && diff.contains("+port   = 8112\n"), "{diff}");
    assert!(ran.stderr.contains("not the same as what is there: cutover.toml"), "{ran}");
    assert_eq!(text(&sandbox, "cutover.toml"), mine);
    exits(sandbox.run(&["init", "--yes", "--force"]), 0);
    assert!(text(&sandbox, "cutover.toml").contains("port   = 8112"));
}

#[test]
fn what_cannot_be_guessed_is_asked_for_by_its_flags_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    for arguments in [&["init"][..], &["init", "--yes"]] {
        let ran = exits(sandbox.run(arguments), 2);
        assert!(ran.stderr.contains("--image and --port cannot be guessed"), "{ran}");
    }
    let ran = exits(sandbox.run(&["init", "nowhere"]), 2);
    assert!(ran.stderr.contains("nowhere is no folder"), "{ran}");
    let ran = exits(sandbox.run(&["init", "--image", "a/b@sha256:1"]), 2);
    assert!(ran.stderr.contains("--image"), "{ran}");
    assert_eq!(std::fs::read_dir(sandbox.path()).unwrap().count(), 0);
}

#[test]
fn an_answer_that_the_configuration_refuses_is_told_with_its_place() {
    let sandbox = Sandbox::new();
    sandbox.write("Dockerfile", DOCKERFILE);
    let digest = format!("ghcr.io/acme/web@sha256:{}", "0".repeat(64));
    let ran = exits(sandbox.run(&["init", "--name", "web", "--image", &digest]), 2);
    assert!(ran.stderr.contains("an image that is built has no digest yet"), "{ran}");
    assert!(!sandbox.path().join("cutover.toml").exists());
}

#[test]
fn a_service_of_a_compose_file_is_named_and_read() {
    let sandbox = Sandbox::new();
    let compose = "services:\n  app:\n    build: .\n    expose: [3000]\n    environment: { MODE: fast }\n  db: { image: db }\n";
    sandbox.write("compose.yaml", compose);
    let arguments = ["init", "--name", "web", "--image", "ghcr.io/acme/web"];
    exits(sandbox.run(&arguments), 0);
    let written = text(&sandbox, "cutover.toml");
    assert!(written.contains("compose = { file = \"compose.yaml\", service = \"app\" }\n"), "{written}");
    assert!(written.contains("port   = 3000\n"), "{written}");
    exits(sandbox.run(&["config", "check"]), 0);
    // One that cannot be an app is told, and done without.
    sandbox.write("compose.yaml", compose.replace("build: .", "build: .\n    network_mode: host"));
    let ran = exits(sandbox.run(&[&arguments[..], &["--force"]].concat()), 0);
    assert!(ran.stderr.contains("the service app of compose.yaml is left out"), "{ran}");
    assert!(!text(&sandbox, "cutover.toml").contains("compose"), "{ran}");
    exits(sandbox.run(&["config", "check"]), 0);
}
