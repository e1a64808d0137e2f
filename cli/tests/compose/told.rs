//! What is not taken is told at its place, and what is wrong is refused there.

use super::web;
use crate::sandbox::{Sandbox, snapshot};

fn warnings(lines: &str) -> Vec<String> {
    web(lines, &[]).unwrap().warnings.iter().map(cutover::config::Invalid::line).collect()
}

#[test]
fn every_key_that_is_not_taken_is_told_with_its_place_and_reason() {
    let lines = "    ports: [\"80:80\"]\n    container_name: web\n    depends_on: [db]\n    build: .\n    profiles: [a]\n    \
                 tty: true\n    security_opt: [\"seccomp=unconfined\"]\n    restart: always\n    volumes: [\"/anonymous\", \"./a:/a:z\"]\n    \
                 deploy: { replicas: 3, update_config: { order: start-first }, resources: { reservations: { memory: 1m }, limits: { gpus: 1 } } }\n    \
                 networks: { back: { ipv4_address: 10.0.0.2 } }\n    labels: { n: 1.10 }\n    user: $NOBODY\n    healthcheck: { interval: 3s }\n\
                 networks: { back: }";
    snapshot("compose-told", &warnings(lines).join("\n"));
}

#[test]
fn what_is_wrong_is_refused_where_it_stands() {
    let mut told = String::new();
    for (what, lines) in [
        ("a network of the host's", "    network_mode: host"),
        ("privileges", "    privileged: true"),
        ("another file", "    extends: { service: base }"),
        ("devices", "    devices: [\"/dev/kvm\"]"),
        ("secrets", "    secrets: [token]"),
        ("a slip", "    enviroment: { A: b }"),
        ("a network that is not there", "    networks: [nowhere]"),
        ("a volume that is not there", "    volumes: [\"nowhere:/x\"]"),
        ("a mode", "    volumes: [\"./a:/a:rx\"]"),
        ("a type of volume", "    volumes: [{ type: npipe, source: a, target: /a }]"),
        ("a variable that must be set", "    user: ${UID:?give it}"),
        ("a dollar", "    command: echo $"),
        ("a quote", "    command: sh -c 'x"),
        ("an empty command", "    command: []"),
        ("a time", "    stop_grace_period: 10"),
        ("a size", "    mem_limit: much"),
        ("processors", "    cpus: many"),
        ("a way to restart", "    restart: sometimes"),
        ("a healthcheck", "    healthcheck: { test: [curl, localhost] }"),
        ("a text that is a list", "    user: [a]"),
        ("a list that is a text", "    cap_add: ALL"),
        ("a limit", "    ulimits: { nofile: { soft: 1 } }"),
        ("no YAML", "    user: \"open"),
        ("a key twice", "    user: a\n    user: b"),
    ] {
        let refused = web(lines, &[]).expect_err(what);
        assert!(refused.contains("--> /srv/shop/compose.yaml:"), "{what}: {refused}");
        assert!(refused.contains("= help: "), "{what}: {refused}");
        told.push_str(&format!("## {what}\n{refused}\n\n"));
    }
    snapshot("compose-wrong", &told);
}

#[test]
fn a_value_that_an_app_cannot_have_is_told_in_the_compose_file() {
    let mut told = String::new();
    for (what, lines) in [
        ("an image", "image: Acme/Web"),
        ("a signal", "image: web\n    stop_signal: SIGNOTHING"),
        ("too little memory", "image: web\n    mem_limit: 1m"),
        ("a label", "image: web\n    labels: { cutover.app: x }"),
        ("a folder", "image: web\n    working_dir: srv"),
        ("an include", "image: web\ninclude: [other.yaml]"),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("compose.yaml", format!("services:\n  web:\n    {lines}\n"));
        sandbox.write(
            "cutover.toml",
            "[apps.web]\nport = 80\ncompose = { file = \"compose.yaml\", service = \"web\" }\n",
        );
        let ran = sandbox.run(&["config", "check"]);
        assert_eq!(ran.status, Some(2), "{what}: {ran}");
        assert!(ran.stderr.contains("--> compose.yaml:"), "{what}: {ran}");
        told.push_str(&format!("## {what}\n{ran}\n"));
    }
    snapshot("compose-values", &told);
}

#[test]
fn a_compose_file_that_is_none_is_told_where_it_is_named() {
    let sandbox = Sandbox::new();
    let file = |compose: &str| {
        sandbox.write("cutover.toml", format!("[apps.web]\nport = 80\ncompose = {compose}\n"))
    };
    let mut told = String::new();
    sandbox.write("other.yaml", "services: { db: { image: db } }\n");
    for compose in [
        "{ file = \"compose.yaml\", service = \"web\" }",
        "{ file = \"other.yaml\", service = \"web\" }",
        "{ file = \"other.yaml\" }",
        "{ file = 5, service = \"db\" }",
        "\"compose.yaml\"",
    ] {
        file(compose);
        let ran = sandbox.run(&["config", "check"]);
        assert_eq!(ran.status, Some(2), "{ran}");
        told.push_str(&format!("## {compose}\n{ran}\n"));
    }
    snapshot("compose-named", &told);
}

#[test]
fn no_secret_of_a_compose_file_is_told() {
    for lines in [
        "    environment: { TOKEN: canary-5ecr3t, B: [1] }",
        "    environment: [TOKEN=canary-5ecr3t, [1]]",
        "    environment: { TOKEN: \"canary-5ecr3t\" }\n    user: \"open",
        "    environment:\n      - TOKEN=canary-5ecr3t\n      - { A: b",
        "    environment: { TOKEN: \"canary-5ecr3t$\" }",
    ] {
        let refused = web(lines, &[]).unwrap_err();
        assert!(!refused.contains("canary"), "{refused}");
    }
}
