//! The workflows: what `cutover init` writes for a table of answers, and the project's own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use xtask::rig::place;

use crate::step::{Runner, well};
use crate::yaml::{self, Schema};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// What `cutover init` wrote for one set of answers.
struct Written {
    folder: TempDir,
    arguments: Vec<&'static str>,
    deploy: Value,
    rollback: Value,
}

/// Answers of every kind, each with each.
fn answers() -> Vec<(bool, Vec<&'static str>)> {
    let mut answers = Vec::new();
    for dockerfile in [true, false] {
        for slack in [&["--slack=none"][..], &["--slack=webhook"]] {
            for image in [
                &["--image=ghcr.io/acme/web"][..],
                &["--image=registry.example.com/web"],
                &["--image=docker.io/acme/web:1", "--registry-user=acme"],
            ] {
                for github in [&["--github"][..], &["--github", "--runner=web-1", "--branch=release/**"]] {
                    answers.push((dockerfile, [&["--name=web", "--port=80"], slack, image, github].concat()));
                }
            }
        }
    }
    answers
}

impl Written {
    fn by(dockerfile: bool, arguments: Vec<&'static str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if dockerfile {
            std::fs::write(folder.path().join("Dockerfile"), "FROM scratch\n").unwrap();
        }
        cutover(folder.path(), &[&["init", "--yes"][..], &arguments].concat());
        cutover(folder.path(), &["config", "check"]);
        let read = |name: &str| yaml::read(&workflow(folder.path(), name));
        let (deploy, rollback) = (read("deploy"), read("rollback"));
        Self { folder, arguments, deploy, rollback }
    }

    fn said(&self, argument: &str) -> bool {
        self.arguments.contains(&argument)
    }
}

fn workflow(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".github/workflows/{name}.yml"))
}

fn cutover(folder: &Path, arguments: &[&str]) {
    let ran = Command::new(PROGRAM).args(arguments).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn jobs(workflow: &Value) -> impl Iterator<Item = (&str, &Value)> {
    workflow["jobs"].as_object().unwrap().iter().map(|(name, job)| (name.as_str(), job))
}

fn steps(job: &Value) -> impl Iterator<Item = &Value> {
    job["steps"].as_array().unwrap().iter()
}

/// The words of a value that is one or a list of them.
fn words(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn what_init_writes_is_right_by_githubs_schema_and_keeps_its_promises() {
    let all: Vec<Written> = answers().into_iter().map(|(docker, said)| Written::by(docker, said)).collect();
    let files = all.iter().flat_map(|w| ["deploy", "rollback"].map(|name| workflow(w.folder.path(), name)));
    assert_eq!(yaml::faults(Schema::Workflow, &files.collect::<Vec<_>>()), None);
    for written in &all {
        deploys_as_promised(written);
        for workflow in [&written.deploy, &written.rollback] {
            promises_of_all(workflow, &written.arguments);
        }
        for name in ["deploy", "rollback"] {
            short(&std::fs::read_to_string(workflow(written.folder.path(), name)).unwrap());
        }
    }
}

fn deploys_as_promised(written: &Written) {
    let (workflow, said) = (&written.deploy, &written.arguments);
    let dockerfile = written.folder.path().join("Dockerfile").exists();
    let mut wanted = BTreeSet::from(["deploy", "backup"]);
    wanted.extend(dockerfile.then_some("build"));
    wanted.extend(written.said("--slack=webhook").then_some("notice"));
    assert_eq!(jobs(workflow).map(|(name, _)| name).collect::<BTreeSet<_>>(), wanted, "{said:?}");
    assert_eq!(words(&workflow["jobs"]["deploy"]["needs"]).contains("build"), dockerfile, "{said:?}");
    assert_eq!(words(&workflow["jobs"]["backup"]["needs"]), BTreeSet::from(["deploy"]), "{said:?}");
    if let Some(notice) = workflow["jobs"].get("notice") {
        wanted.remove("notice");
        assert_eq!(words(&notice["needs"]), wanted, "the notice is of all jobs: {said:?}");
        assert_eq!(notice["if"], "always()");
    }
    for (name, job) in jobs(workflow) {
        let on_server = ["deploy", "backup"].contains(&name);
        assert_eq!(words(&job["runs-on"]).contains("self-hosted"), on_server, "{name}: {said:?}");
        assert_eq!(words(&job["runs-on"]).contains("web-1"), on_server && written.said("--runner=web-1"));
        // Nobody but the build may write anything, and only packages.
        let writes = job["permissions"].as_object().into_iter().flatten().filter(|(_, may)| *may == "write");
        let writes: Vec<&str> = writes.map(|(what, _)| what.as_str()).collect();
        assert_eq!(writes, if name == "build" { vec!["packages"] } else { vec![] }, "{name}: {said:?}");
    }
}

fn promises_of_all(workflow: &Value, said: &[&str]) {
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false, "{said:?}");
    assert_eq!(workflow["permissions"]["contents"], "read", "{said:?}");
    let ghcr = said.contains(&"--image=ghcr.io/acme/web");
    assert_eq!(workflow["env"]["GITHUB_TOKEN"] == "${{ github.token }}", ghcr, "{said:?}");
    for (name, job) in jobs(workflow) {
        assert!(job["timeout-minutes"].is_u64(), "{name}: {said:?}");
        for step in steps(job) {
            pinned(step);
            if step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/checkout@")) {
                assert_eq!(step["with"]["persist-credentials"], false, "{name}: {said:?}");
            }
        }
    }
}

/// An action is asked for by a version.
fn pinned(step: &Value) {
    let Some(uses) = step["uses"].as_str() else { return };
    let version = uses.split_once("@v").and_then(|(_, version)| version.chars().next());
    assert!(version.is_some_and(|c| c.is_ascii_digit()), "{uses} is not pinned by a version");
}

/// A job has ten lines under its name at most.
fn short(text: &str) {
    let (_, jobs) = text.split_once("\njobs:\n").unwrap();
    let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for line in jobs.lines().filter(|line| !line.is_empty()) {
        match counts.last_mut() {
            Some((_, count)) if !is_name(line) => *count += 1,
            _ => counts.push((line, 0)),
        }
    }
    assert!(!counts.is_empty() && counts.iter().all(|(_, count)| (1..=10).contains(count)), "{counts:?}");
}

#[test]
fn a_workflow_that_is_wrong_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.yml");
    std::fs::write(&path, "on: push\njobs:\n  build:\n    runs-on: x\n    steps: [{ urn: ls }]\n").unwrap();
    assert!(yaml::faults(Schema::Workflow, std::slice::from_ref(&path)).is_some());
    assert!(yaml::faults(Schema::Action, &[path]).is_some());
}

#[test]
fn the_projects_own_files_are_right_by_githubs_schemas() {
    let github = place::workspace().join(".github");
    let workflows: Vec<PathBuf> =
        github.join("workflows").read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(workflows.len() >= 2, "{workflows:?}");
    for path in &workflows {
        let workflow = yaml::read(path);
        jobs(&workflow).flat_map(|(_, job)| steps(job)).for_each(pinned);
    }
    assert_eq!(yaml::faults(Schema::Workflow, &workflows), None);
    assert_eq!(yaml::faults(Schema::Action, &[place::workspace().join("action.yml")]), None);
    assert_eq!(yaml::faults(Schema::Dependabot, &[github.join("dependabot.yml")]), None);
}

/// A folder with a `cutover` that says its arguments, one in brackets each, and nothing else.
fn echoing() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("cutover");
    std::fs::write(&program, "#!/bin/sh\nfor word in \"$@\"; do printf '[%s]' \"$word\"; done\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// The last step of a job, as its shell runs it.
fn last_step(workflow: &Value, job: &str, context: &[(&str, &str)]) -> String {
    let (mut runner, bin) = (Runner::new(), echoing());
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    runner.env.insert("PATH".to_owned(), path);
    for (name, value) in context {
        runner.context.insert((*name).to_owned(), (*value).to_owned());
    }
    let step = steps(&workflow["jobs"][job]).last().unwrap();
    well(&runner.run(step, bin.path()))
}

#[test]
fn what_is_handed_to_a_step_stays_one_word_of_it() {
    let written = Written::by(true, vec!["--name=web", "--port=80", "--image=ghcr.io/acme/web", "--github"]);
    let image = [("needs.build.outputs.image", "ghcr.io/acme/web@sha256:1; echo x")];
    let said = last_step(&written.deploy, "deploy", &image);
    assert_eq!(said, "[deploy][--wait][--image][ghcr.io/acme/web@sha256:1; echo x]");
    assert_eq!(last_step(&written.deploy, "build", &[]), "[build][--push]");
    assert_eq!(last_step(&written.deploy, "backup", &[]), "[backup][--wait]");
    let back = |to: &str| last_step(&written.rollback, "rollback", &[("inputs.to", to)]);
    assert_eq!(back(""), "[rollback][--wait]");
    assert_eq!(back("$(id) 'a b'"), "[rollback][--wait][--to][$(id) 'a b']");
}
