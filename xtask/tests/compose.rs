//! An app of a compose file: its containers are what Compose would make of the service.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::fs;

use serde_json::Value;
use xtask::rig::network::Made;
use xtask::rig::stage::{Ran, Stage};
use xtask::rig::{docker, needs, run};

const COMPOSE: &str = "\
x-env: &env { LEVEL: \"2\" }
services:
  web:
    image: \"${REPOSITORY}:${TAG:-latest}\"
    container_name: web
    expose: [8080]
    environment:
      <<: *env
      TOKEN: ${TOKEN:?give it}
    env_file: app.env
    labels: { team: web }
    mem_limit: 64m
    cap_drop: [NET_RAW]
    tmpfs: /run
    init: true
    stop_grace_period: 5s
    extra_hosts: [\"db:10.0.0.9\"]
    ulimits: { nofile: 4096 }
    networks: { back: { aliases: [www] } }
networks:
  back: { name: NETWORK }
";

async fn cutover(stage: &Stage, token: &str, arguments: &[&str]) -> Ran {
    let mut command = tokio::process::Command::from(stage.command(arguments));
    command.env("TOKEN", token).env("REPOSITORY", stage.repository());
    let output = command.output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let took = std::time::Duration::ZERO;
    Ran { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr), took }
}

async fn inspect(stage: &Stage, slot: &str) -> Value {
    let container = format!("{}-{slot}-1", stage.app);
    let text = docker::run(&["inspect", &container]).await.unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_deployed_from_a_compose_file_alone() {
    let network = Made(format!("cutover-test-{}-back", run::random()));
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let mut stage = stage.with("compose = { file = \"compose.yaml\", service = \"web\" }").unwrap();
    let image = stage.release("latest", &[]).await.unwrap();
    let config = fs::read_to_string(stage.config()).unwrap();
    let without =
        |key: &str| !["image = ", "port = ", "stop_grace = "].iter().any(|own| key.starts_with(own));
    let config: Vec<&str> = config.lines().filter(|line| without(line)).collect();
    fs::write(stage.config(), config.join("\n")).unwrap();
    fs::write(stage.config().with_file_name("compose.yaml"), COMPOSE.replace("NETWORK", &network.0)).unwrap();
    fs::write(stage.config().with_file_name("app.env"), "FROM_FILE='a b'\nLEVEL=1\n").unwrap();

    let missing = stage.cutover(&["deploy"]).await.exits(2);
    for words in ["compose.yaml:9:14", "the variable TOKEN is not set: give it"] {
        assert!(missing.stderr.contains(words), "{words}: {}", missing.stderr);
    }
    let told = cutover(&stage, "canary-one", &["plan", "-v"]).await.exits(0);
    let file = stage.config().with_file_name("compose.yaml").display().to_string();
    for words in ["compose.yaml:5:5: `container_name` is not taken", &format!("image: {file}:4:12")] {
        assert!(told.stderr.contains(words), "{words}: {}", told.stderr);
    }
    assert!(!format!("{told:?}").contains("canary"), "{told:?}");
    let deployed = cutover(&stage, "canary-one", &["deploy", "--json"]).await.exits(0).json();
    assert_eq!(deployed["outcome"], "deployed");
    assert_eq!(stage.page(stage.site(), "x", "/").await.unwrap(), (200, "version latest\n".to_owned()));

    let seen = inspect(&stage, "blue").await;
    let env: Vec<&str> = seen["Config"]["Env"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for variable in ["LEVEL=2", "TOKEN=canary-one", "FROM_FILE=a b"] {
        assert!(env.contains(&variable), "{variable}: {env:?}");
    }
    let host = &seen["HostConfig"];
    assert_eq!(seen["Config"]["Labels"]["team"], "web");
    assert_eq!((&host["Memory"], &host["Init"]), (&(64 << 20).into(), &true.into()));
    assert_eq!(host["ExtraHosts"], serde_json::json!(["db:10.0.0.9"]));
    assert_eq!((&host["Ulimits"][0]["Soft"], &host["Tmpfs"]["/run"]), (&4096.into(), &"".into()));
    assert!(host["CapDrop"][0].as_str().unwrap().ends_with("NET_RAW"));
    let aliases = &seen["NetworkSettings"]["Networks"][&network.0]["Aliases"];
    for alias in ["web", "www"] {
        assert!(aliases.as_array().unwrap().contains(&alias.into()), "{aliases}");
    }
    // The value of a variable is in no label, and yet another value is another release.
    let labels = seen["Config"]["Labels"].to_string();
    assert!(!labels.contains("canary") && labels.contains(&image), "{labels}");
    let again = cutover(&stage, "canary-one", &["deploy", "--json"]).await.exits(0).json();
    assert_eq!(again["outcome"], "unchanged");
    let other = cutover(&stage, "canary-two", &["deploy", "--json"]).await.exits(0).json();
    assert_eq!((&other["outcome"], &other["live"]), (&"deployed".into(), &"green".into()));
    // The containers go before the network they are on.
    drop(stage);
    drop(network);
}
