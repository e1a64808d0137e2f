//! What an app takes of a compose file, and what of its own table wins.

use std::path::Path;

use cutover::config::Config;
use cutover::config::app::{HealthCheck, Restart};

use super::web;
use crate::sandbox::Sandbox;

const COMPOSE: &str = "\
name: shop
services:
  web:
    image: ghcr.io/acme/web:1.4
    expose: [3000]
    restart: always
    read_only: true
    user: \"1000\"
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 50
    stop_grace_period: 20s
    labels: { team: web, tier: front }
    volumes: [\"data:/data\"]
    environment: { A: plain, B: \"${CANARY}\" }
    healthcheck: { test: [\"CMD\", \"/app\", \"check\"], interval: 5s, timeout: 1s, retries: 10 }
volumes: { data: }
";

fn parse(sandbox: &Sandbox, table: &str) -> Config {
    let config = format!("[apps.web]\ncompose = {{ file = \"compose.yaml\", service = \"web\" }}\n{table}\n");
    let path = sandbox.write("cutover.toml", &config);
    Config::read(&path).unwrap_or_else(|error| match error {
        cutover::config::ConfigUnread::Invalid(invalid) => panic!("{}", invalid.render(false)),
        error => panic!("{error}"),
    })
}

#[test]
fn a_table_with_a_compose_file_needs_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yaml", COMPOSE);
    let config = parse(&sandbox, "");
    let (_, app) = config.app(None).unwrap();
    assert_eq!((app.image.to_string(), app.port.get()), ("ghcr.io/acme/web:1.4".to_owned(), 3000));
    assert_eq!(
        (*app.restart, app.read_only, app.user.as_deref()),
        (Restart::UnlessStopped, true, Some("1000"))
    );
    assert_eq!(app.memory.as_ref().map(|size| size.0), Some(64 << 20));
    assert_eq!(
        (app.cpus.as_ref().map(|cpus| cpus.value), app.pids.as_ref().map(|pids| pids.value)),
        (Some(0.5), Some(50))
    );
    assert_eq!(app.stop_grace.0.as_secs(), 20);
    assert_eq!(app.volumes[0].source, "shop_data");
    assert_eq!(app.network.as_ref().map(|network| network.value.as_str()), Some("shop_default"));
    assert_eq!(app.aliases, ["web"]);
    // A check of the container's own is waited for as long as it takes to give its verdict.
    assert_eq!(app.health.check, Some(HealthCheck::Image));
    assert_eq!(app.health.timeout().as_secs(), 60);
    let service = app.service.as_ref().unwrap();
    assert!(service.container.healthcheck.is_some());
    assert!(!service.environment["A"].secret);
}

#[test]
fn what_the_table_says_wins_key_by_key() {
    let sandbox = Sandbox::new();
    sandbox.write("compose.yaml", COMPOSE);
    let config = parse(
        &sandbox,
        "image = \"web:2\"\nport = 80\nrestart = \"no\"\nlabels = { team = \"other\" }\nnetwork = \"mine\"\n\
         health = { path = \"/healthz\" }\nmemory = \"32m\"",
    );
    let (_, app) = config.app(None).unwrap();
    assert_eq!((app.image.to_string().as_str(), app.port.get(), *app.restart), ("web:2", 80, Restart::No));
    let labels: Vec<(&str, &str)> =
        app.labels.iter().map(|(name, value)| (name.value.as_str(), value.as_str())).collect();
    assert_eq!(labels, [("team", "other"), ("tier", "front")]);
    let network = app.network.as_ref().map(|network| network.value.as_str());
    assert_eq!((network, app.aliases.len()), (Some("mine"), 0));
    assert_eq!((app.health.check, app.health.path.as_deref()), (None, Some("/healthz")));
    assert_eq!(app.memory.as_ref().map(|size| size.0), Some(32 << 20));
    let service = app.service.as_ref().unwrap();
    assert!(service.networks.is_empty() && service.container.healthcheck.is_none());
    assert_eq!(app.cpus.as_ref().map(|cpus| cpus.value), Some(0.5), "what it does not say is taken");
}

#[test]
fn variables_come_from_the_environment_and_then_from_the_file_beside() {
    let sandbox = Sandbox::new().env("FIRST", "environment");
    sandbox.write(
        "compose.yaml",
        "services:\n  web:\n    image: \"web:${FIRST}-${SECOND}\"\n    expose: [80]\n",
    );
    sandbox.write(".env", "FIRST=file\nSECOND=file\n");
    sandbox.write(
        "cutover.toml",
        "[apps.web]\ncompose = { file = \"compose.yaml\", service = \"web\" }\nmemory = \"1\"\n",
    );
    let ran = sandbox.run(&["config", "check"]);
    assert_eq!(ran.status, Some(2), "{ran}");
    sandbox.write("cutover.toml", "[apps.web]\ncompose = { file = \"compose.yaml\", service = \"web\" }\n");
    let ran = sandbox.run(&["config", "check"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
    // The image is told where it cannot be reached.
    let ran =
        sandbox.env("DOCKER_HOST", "unix:///nonexistent").run(&["plan", "-v", "--image", "127.0.0.1:1/a:1"]);
    assert!(ran.stderr.contains("image: compose.yaml:3:12"), "{ran}");
}

#[test]
fn values_that_come_from_variables_are_secret() {
    let service =
        web("    environment: { A: \"${TOKEN}\", B: plain, C: \"x${NONE:-y}\", TOKEN: }", &[("TOKEN", "t")]);
    let service = service.unwrap();
    let secret: Vec<(&str, bool)> =
        service.environment.iter().map(|(name, variable)| (name.as_str(), variable.secret)).collect();
    assert_eq!(secret, [("A", true), ("B", false), ("C", false), ("TOKEN", true)]);
    let written = format!("{service:?}");
    assert!(!written.contains("\"t\""), "{written}");
}

#[test]
fn names_have_the_projects_before_them_as_under_compose() {
    let named = |variables: &[(&str, &str)]| web("", variables).unwrap().networks[0].network.clone();
    assert_eq!(named(&[]), "shop_default");
    assert_eq!(named(&[("COMPOSE_PROJECT_NAME", "Other")]), "other_default");
    let text = "name: top\nservices: { web: { image: web } }\n";
    let service =
        cutover::compose::read(Path::new("/srv/shop/compose.yaml"), text, "web", &|_| None).unwrap();
    assert_eq!(service.networks[0].network, "top_default");
}

#[test]
fn the_port_is_the_only_one_that_is_shown() {
    let port = |lines: &str| web(lines, &[]).unwrap().key("port").map(|taken| taken.written.clone());
    assert_eq!(port("    expose: [\"3000\"]").as_deref(), Some("port = 3000"));
    assert_eq!(port("    ports: [\"127.0.0.1:8112:3000/tcp\"]").as_deref(), Some("port = 3000"));
    assert_eq!(
        port("    ports: [{ target: 3000, published: 80 }]\n    expose: [3000]").as_deref(),
        Some("port = 3000")
    );
    assert_eq!(port("    expose: [80, 81]"), None);
    assert_eq!(port("    expose: [\"53/udp\"]"), None);
}
