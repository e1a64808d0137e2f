//! `docker-compose config` of each of these files says the same as cutover takes of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cutover::compose::{Container, Service, read};
use cutover_runtime::Healthcheck;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// Variables that both are given.
const VARIABLES: [(&str, &str); 4] =
    [("TAG", "1.4"), ("EMPTY", ""), ("WORDS", "two words"), ("DOLLAR", "a$b")];

/// What follows `services: { web:`, and then the rest of the file.
const FILES: &[(&str, &str, &str)] = &[
    ("an image alone", "", ""),
    ("variables in the image", "    image: ghcr.io/acme/web:${TAG}", ""),
    (
        "defaults",
        "    environment: { A: \"${NONE:-a}\", B: \"${EMPTY:-b}\", C: \"${EMPTY-c}\", D: \"${TAG-d}\" }",
        "",
    ),
    ("dollars", "    environment: [\"A=$$x\", \"B=$${TAG}\", \"C=$TAG$$\", \"D=${DOLLAR}\"]", ""),
    (
        "an environment by name",
        "    environment:\n      A: one\n      B: \"2\"\n      C: 3\n      D: 1.50\n      E: ''\n",
        "",
    ),
    (
        "an environment as a list",
        "    environment:\n      - A=one=two\n      - B=\n      - WORDS\n      - NOWHERE",
        "",
    ),
    ("names passed on", "    environment: { TAG: , NOWHERE: , WORDS: ~ }", ""),
    ("a file of variables", "    env_file: app.env\n    environment: { B: over }", ""),
    ("files of variables", "    env_file: [app.env, more.env]", ""),
    ("a command as a text", "    command: sh -c 'echo \"a  b\" c' -- \"d e\" f\\ g", ""),
    (
        "a command as a list",
        "    command: [\"serve\", \"--tag\", \"${TAG}\", \"a b\"]\n    entrypoint: [\"/app\"]",
        "",
    ),
    ("an entry point as a text", "    entrypoint: /bin/sh -e ${WORDS}", ""),
    (
        "a process",
        "    user: \"1000:1000\"\n    working_dir: /srv\n    hostname: box\n    init: true\n    read_only: true",
        "",
    ),
    ("an end", "    stop_signal: SIGINT\n    stop_grace_period: 1m30s\n    restart: always", ""),
    ("restarts", "    restart: on-failure", ""),
    ("no restart", "    restart: \"no\"", ""),
    ("labels by name", "    labels: { com.acme.team: web, n: 3, empty: }", ""),
    ("labels as a list", "    labels: [\"com.acme.team=web\", \"a=b=c\", \"empty\"]", ""),
    ("logging", "    logging: { driver: json-file, options: { max-size: 5m, max-file: \"2\" } }", ""),
    (
        "volumes in the short form",
        "    volumes: [\"data:/data\", \"logs:/logs:ro\", \"./conf:/conf:ro\", \"/etc/ssl:/ssl\", \"../up:/up\"]",
        "volumes: { data: , logs: { name: real-logs } }",
    ),
    (
        "volumes in the long form",
        "    volumes:\n      - { type: volume, source: data, target: /data, read_only: true }\n      - { type: bind, source: ./x, target: /x }\n      - { type: tmpfs, target: /t }\n",
        "volumes: { data: { external: true } }",
    ),
    ("folders in memory", "    tmpfs: [/run, /tmp]\n    shm_size: 64m", ""),
    ("one folder in memory", "    tmpfs: /run", ""),
    ("networks", "    networks: [back, front]", "networks: { back: , front: { name: real-front } }"),
    (
        "aliases",
        "    networks: { back: { aliases: [www, api] } }",
        "networks: { back: { external: true, name: redis-net } }",
    ),
    ("limits", "    mem_limit: 512m\n    cpus: 1.5\n    pids_limit: 100", ""),
    ("limits of a deploy", "    deploy: { resources: { limits: { memory: 1g, cpus: \"0.5\" } } }", ""),
    (
        "a healthcheck as a list",
        "    healthcheck: { test: [\"CMD\", \"curl\", \"-f\", \"http://localhost/$$x\"], interval: 1m30s, timeout: 10s, retries: 3, start_period: 40s }",
        "",
    ),
    ("a healthcheck as a text", "    healthcheck: { test: \"curl -f http://localhost || exit 1\" }", ""),
    ("no healthcheck", "    healthcheck: { disable: true }", ""),
    ("no healthcheck by its test", "    healthcheck: { test: [\"NONE\"] }", ""),
    (
        "rights",
        "    cap_add: [NET_ADMIN]\n    cap_drop: [ALL]\n    sysctls: { net.core.somaxconn: 1024 }\n    ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 7 }",
        "",
    ),
    ("hosts", "    extra_hosts: [\"db:10.0.0.9\", \"cache:10.0.0.8\"]", ""),
    (
        "anchors and merges",
        "    environment:\n      <<: *common\n      B: own\n    labels: *labels",
        "x-common: &common { A: \"1\", B: \"2\" }\nx-labels: &labels { team: web }",
    ),
];

/// The Python that `docker-compose` itself runs in, which has its modules.
fn interpreter() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program =
        std::env::split_paths(&path).map(|folder| folder.join("docker-compose")).find(|it| it.is_file());
    let program = program.expect("this test needs docker-compose (apt-get install -y docker-compose)");
    let script =
        std::fs::read_to_string(&program).expect("this test needs the docker-compose that is Python's");
    script.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap().to_owned()
}

fn judged(files: &[PathBuf]) -> Vec<Value> {
    let mut judge = Command::new(interpreter());
    judge.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compose/judge.py")).args(files);
    judge.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(VARIABLES);
    judge.env("COMPOSE_PROJECT_NAME", "PROJECT");
    let ran = judge.output().expect("this test needs python3 and docker-compose");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// A key of the app's table, as JSON.
fn key(service: &Service, name: &str) -> Value {
    let Some(taken) = service.key(name) else { return Value::Null };
    let table: toml::Table = toml::from_str(&taken.written).unwrap();
    serde_json::to_value(&table[name]).unwrap()
}

fn milliseconds(period: &Value) -> Value {
    period.as_str().map_or(Value::Null, |text| text.trim_end_matches("ms").parse::<u64>().unwrap().into())
}

fn or(value: Value, default: Value) -> Value {
    if value.is_null() { default } else { value }
}

fn health(container: &Container) -> Value {
    match &container.healthcheck {
        None => Value::Null,
        Some(Healthcheck::Run(check)) => {
            let ms =
                |time: Option<std::time::Duration>| time.map(|time| u64::try_from(time.as_millis()).unwrap());
            json!({
                "test": check.test, "interval": ms(check.interval), "timeout": ms(check.timeout),
                "retries": check.retries, "start_period": ms(check.start_period),
            })
        }
        Some(_) => "off".into(),
    }
}

/// The environment: that of the files too.
fn environment(service: &Service, folder: &Path) -> Value {
    // Files are read when a release is made: here by hand, one NAME=value a line.
    let mut all = serde_json::Map::new();
    for file in &service.env_files {
        assert!(file.required && file.path.starts_with(folder), "{file:?}");
        for line in std::fs::read_to_string(&file.path).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            all.insert(name.to_owned(), value.into());
        }
    }
    let own = service.environment.iter();
    all.extend(own.map(|(name, variable)| (name.clone(), variable.value.expose_secret().into())));
    all.into()
}

fn taken(service: &Service, folder: &Path) -> Value {
    let container = &service.container;
    let (mut tmpfs, mut hosts) = (container.tmpfs.clone(), container.extra_hosts.clone());
    tmpfs.sort();
    hosts.sort();
    // The service's own name is an alias everywhere, of which `config` does not speak.
    let own = |joined: &cutover::compose::Joined| {
        assert_eq!(joined.aliases[0], "web");
        let mut aliases = joined.aliases[1..].to_vec();
        aliases.sort();
        json!([joined.network, aliases])
    };
    let mut networks: Vec<Value> = service.networks.iter().map(own).collect();
    networks.sort_by_key(ToString::to_string);
    let log = key(service, "log");
    json!({
        "image": key(service, "image"),
        "environment": environment(service, folder),
        "command": key(service, "command"),
        "entrypoint": key(service, "entrypoint"),
        "user": key(service, "user"),
        "working_dir": key(service, "working_dir"),
        "hostname": container.hostname,
        "stop_signal": key(service, "stop_signal"),
        "stop_grace": milliseconds(&key(service, "stop_grace")),
        "read_only": key(service, "read_only"),
        "init": container.init,
        "restart": key(service, "restart"),
        "labels": or(key(service, "labels"), json!({})),
        "log": log,
        "volumes": or(key(service, "volumes"), json!([])),
        "tmpfs": tmpfs,
        "networks": networks,
        "memory": key(service, "memory").as_str().map(|bytes| bytes.parse::<u64>().unwrap()),
        "cpus": key(service, "cpus"),
        "pids": key(service, "pids"),
        "healthcheck": health(container),
        "cap_add": container.cap_add,
        "cap_drop": container.cap_drop,
        "extra_hosts": hosts,
        "shm_size": container.shm_size,
        "ulimits": container.ulimits.iter().map(|l| (l.name.clone(), json!([l.soft, l.hard]))).collect::<serde_json::Map<_, _>>(),
        "sysctls": container.sysctls,
    })
}

#[test]
fn docker_compose_makes_the_same_of_every_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    std::fs::write(folder.join("app.env"), "A=one\nB=two\n").unwrap();
    std::fs::write(folder.join("more.env"), "B=three\nC=four\n").unwrap();
    let lookup = |name: &str| {
        let project = ("COMPOSE_PROJECT_NAME", "PROJECT");
        let found = VARIABLES.into_iter().chain([project]).find(|(there, _)| *there == name);
        found.map(|(_, value)| value.to_owned())
    };
    let file = |number: usize| folder.join(format!("{number}.yaml"));
    let texts: Vec<String> = FILES
        .iter()
        .map(|(_, lines, rest)| {
            let image = if lines.contains("image:") { "" } else { "    image: acme/web\n" };
            format!("version: \"3.9\"\n{rest}\nservices:\n  web:\n{image}{lines}\n")
        })
        .collect();
    texts.iter().enumerate().for_each(|(number, text)| std::fs::write(file(number), text).unwrap());
    let judged = judged(&(0..FILES.len()).map(file).collect::<Vec<_>>());
    assert_eq!(judged.len(), FILES.len());
    for (number, (text, theirs)) in texts.iter().zip(judged).enumerate() {
        let what = FILES[number].0;
        let service = read(&file(number), text, "web", &lookup);
        let service = service.unwrap_or_else(|invalid| panic!("{what}: {}", invalid.render(false)));
        // Compose 2 takes only lower case for a project; the judge is told what to put in its place.
        let ours = taken(&service, &folder).to_string().replace("\"project_", "\"PROJECT_");
        let ours: Value = serde_json::from_str(&ours).unwrap();
        for (key, theirs) in theirs.as_object().unwrap() {
            assert_eq!(&ours[key], theirs, "{key} of {what}:\n{text}");
        }
    }
}
