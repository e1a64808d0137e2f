//! A secret in every place that one can come from; runs that end well and runs that fail, telling all they can; then every
//! byte that came of them is searched. Each is found in the app's own environment, and nowhere else.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod canary;
mod watch;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use xtask::rig::image::{ProgramImage, service_binary};
use xtask::rig::network::Made;
use xtask::rig::session::Session;
use xtask::rig::slack::{Slack, TOKEN};
use xtask::rig::stage::{Nginx, Stage};
use xtask::rig::{docker, needs};

use canary::Canaries;
use watch::Watch;

const LONG: Duration = Duration::from_secs(180);

/// Where the app's own secrets come from, by the variable that each becomes.
const APP: [&str; 6] = ["OF_ENV", "OF_FILE", "OF_COMMAND", "OF_ENV_FILE", "OF_COMPOSE", "OF_COMPOSE_FILE"];

/// The files that hold a secret because the user put it there.
const GIVEN: [&str; 8] = [
    "app-file",
    "app-command",
    "app.env",
    "compose.env",
    "registry-password",
    "helper.json",
    ".docker/config.json",
    "build-secret",
];

struct Play {
    // Dropped in this order: the containers before the network they are on.
    stage: Stage,
    _network: Made,
    slack: Slack,
    tool: ProgramImage,
    canaries: Canaries,
    home: PathBuf,
    /// All that was told and seen, with where.
    seen: Vec<(String, Vec<u8>)>,
}

impl Play {
    async fn new() -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let (slack, canaries) = (Slack::start().await.unwrap(), Canaries::new());
        let tool = ProgramImage::build(Path::new("/usr/bin/sha256sum"), "/sha256sum").await.unwrap();
        let settings = "health = { path = \"/healthz\", timeout = \"3s\" }\nenv_files = [\"app.env\"]\n\
             compose = { file = \"compose.yaml\", service = \"web\" }\n\
             env = { OF_ENV = { env = \"APP_SECRET\" }, OF_FILE = { file = \"app-file\" }, \
             OF_COMMAND = { command = [\"cat\", \"app-command\"] } }";
        let build = format!(
            "[apps.{}.build]\ncontext = \"app\"\nsecrets = {{ token = {{ env = \"BUILD_SECRET\" }}, other = {{ file = \"build-secret\" }} }}",
            stage.app
        );
        let stage = stage.with(settings).unwrap().with_tables(&build).unwrap();
        let home = stage.config().parent().unwrap().to_owned();
        let _network = Made(format!("{}_default", stage.app));
        let play = Self { stage, _network, slack, tool, canaries, home, seen: Vec::new() };
        play.give().await;
        play
    }

    /// The files that the runs read.
    async fn give(&self) {
        let put = |name: &str, text: &str| std::fs::write(self.home.join(name), text).unwrap();
        let of = |name: &str| self.canaries.of(name);
        for folder in ["app", "tmp", ".docker"] {
            std::fs::create_dir(self.home.join(folder)).unwrap();
        }
        std::fs::copy(service_binary().await.unwrap(), self.home.join("app/service")).unwrap();
        put("app-file", &of("OF_FILE"));
        put("app-command", &of("OF_COMMAND"));
        put("build-secret", &of("build-file"));
        put("app.env", &format!("OF_ENV_FILE={}\n", of("OF_ENV_FILE")));
        put("compose.env", &format!("OF_COMPOSE_FILE={}\n", of("OF_COMPOSE_FILE")));
        put(
            "compose.yaml",
            &format!(
                "name: {}\nservices:\n  web:\n    environment: {{ OF_COMPOSE: \"${{COMPOSE_SECRET}}\" }}\n    env_file: compose.env\n",
                self.stage.app
            ),
        );
        let password = self.password();
        put("registry-password", &password);
        let helper = self.home.join("docker-credential-rig");
        put(
            "docker-credential-rig",
            &format!("#!/bin/bash\ncat {}\n", self.home.join("helper.json").display()),
        );
        std::fs::set_permissions(helper, PermissionsExt::from_mode(0o755)).unwrap();
        put("helper.json", &serde_json::json!({ "Username": "acme", "Secret": password }).to_string());
    }

    fn password(&self) -> String {
        self.stage.registry.auth().login().unwrap().1.expose_secret().to_owned()
    }

    fn version(&self, version: &str, step: &str) {
        let text = format!(
            "FROM {} AS tool\n{step}\nFROM scratch\nENV VERSION={version}\nCOPY --from=tool /sha256sum /sha256sum\n\
             COPY service /service\nENTRYPOINT [\"/service\"]\n",
            self.tool.name()
        );
        std::fs::write(self.home.join("app/Dockerfile"), text).unwrap();
    }

    /// The configuration with the registry's password from here and notices by these tables.
    fn config(&self, name: &str, password: &str, notify: &str) -> PathBuf {
        let text = std::fs::read_to_string(self.stage.config()).unwrap();
        let table = text.find("[registry.").unwrap();
        let after = table + text[table..].find("\n[apps.").unwrap();
        let registry = match password {
            "" => String::new(),
            source => format!(
                "[registry.{:?}]\nusername = \"acme\"\npassword = {source}\n",
                self.stage.registry.host()
            ),
        };
        let path = self.home.join(name);
        std::fs::write(&path, format!("{}{registry}{}\n{notify}", &text[..table], &text[after..])).unwrap();
        path
    }

    async fn run(&mut self, config: &Path, status: i32, arguments: &[&str]) -> String {
        self.run_with(config, status, arguments, &[]).await
    }

    async fn run_with(
        &mut self,
        config: &Path,
        status: i32,
        arguments: &[&str],
        more: &[(&str, String)],
    ) -> String {
        let given = self.stage.command(&[]);
        let mut command = Command::new(given.get_program());
        command.arg("-c").arg(config).arg("-vvv").args(arguments).env_clear().current_dir(&self.home);
        command.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap_or_default();
        let of = |name: &str| self.canaries.of(name);
        command
            .env("PATH", format!("{}:{path}", self.home.display()))
            .env("TMPDIR", self.home.join("tmp"))
            .env("RUST_LOG", "trace")
            .env("APP_SECRET", of("OF_ENV"))
            .env("COMPOSE_SECRET", of("OF_COMPOSE"))
            .env("BUILD_SECRET", of("build-env"))
            .env("SLACK_TOKEN", TOKEN)
            .env("SLACK_WEBHOOK", format!("{}/{}", self.slack.url(), of("slack-webhook")))
            .env("HOOK", format!("{}/{}", self.slack.url(), of("hook-path")))
            .env("HOOK_KEY", of("hook-key"))
            .envs(more.iter().map(|(name, value)| (*name, value.as_str())));
        let session = Session::start(command).unwrap();
        let watch = Watch::start(session.pid());
        let ran = session.end(LONG).await.unwrap().exits(status);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        self.seen.push((format!("what {arguments:?} told"), told.clone().into_bytes()));
        self.seen.extend(watch.end());
        told
    }

    /// Every file of the runs but those that were given to them.
    fn search_files(&mut self) {
        let Nginx::Host(nginx) = &self.stage.nginx else { panic!() };
        let mut files = Vec::new();
        for folder in [self.home.as_path(), nginx.conf_path().parent().unwrap()] {
            walk(folder, &mut files);
        }
        let given: Vec<PathBuf> = GIVEN.iter().map(|name| self.home.join(name)).collect();
        for file in files.into_iter().filter(|file| !given.contains(file)) {
            // Sockets and what has gone meanwhile hold nothing.
            let bytes = std::fs::read(&file).unwrap_or_default();
            self.seen
                .push((file.display().to_string(), [file.display().to_string().as_bytes(), &bytes].concat()));
        }
        assert_eq!(std::fs::read_dir(self.home.join("tmp")).unwrap().count(), 0, "a temporary file is left");
    }

    /// What the engine tells of containers and images, but for the containers' environment.
    async fn search_engine(&mut self) {
        for (name, id) in self.stage.ids().await.unwrap() {
            let text = docker::run(&["inspect", &id]).await.unwrap();
            let mut inspected: Value = serde_json::from_str(&text).unwrap();
            let env = inspected[0]["Config"]["Env"].take().to_string();
            for variable in APP {
                assert!(
                    env.contains(&format!("{variable}={}", self.canaries.of(variable))),
                    "{variable} of {name}"
                );
            }
            self.seen.push((format!("the environment of {name}"), self.without_own(&env)));
            self.seen.push((format!("docker inspect {name}"), inspected.to_string().into_bytes()));
        }
        let reference = format!("reference={}", self.stage.repository());
        let images = docker::run(&["images", "-q", "--no-trunc", "--filter", &reference]).await.unwrap();
        assert!(!images.is_empty());
        for image in images.lines() {
            let inspected = docker::run(&["inspect", image]).await.unwrap();
            let history = docker::run(&["history", "--no-trunc", image]).await.unwrap();
            let saved = tempfile::NamedTempFile::new().unwrap();
            docker::run(&["save", "-o", &saved.path().display().to_string(), image]).await.unwrap();
            self.seen
                .push((format!("docker inspect and history {image}"), (inspected + &history).into_bytes()));
            self.seen.push((format!("docker save {image}"), std::fs::read(saved.path()).unwrap()));
        }
    }

    fn without_own(&self, env: &str) -> Vec<u8> {
        APP.iter().fold(env.to_owned(), |env, name| env.replace(&self.canaries.of(name), "")).into_bytes()
    }
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() { walk(&path, files) } else { files.push(path) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_from_anywhere_is_found_in_the_apps_environment_and_nowhere_else() {
    const READ: &str = "RUN --mount=type=secret,id=token [\"/sha256sum\", \"/run/secrets/token\"]\n\
                        RUN --mount=type=secret,id=other [\"/sha256sum\", \"/run/secrets/other\"]";
    let mut play = Play::new().await;
    let sick = play.stage.release("sick", &[("MODE", "unhealthy")]).await.unwrap();
    let two = play.stage.release("2", &[]).await.unwrap();
    let bot = format!(
        "[notify.slack]\ntoken = {{ env = \"SLACK_TOKEN\" }}\nchannel = \"#deploys\"\napi = {:?}\nfields = \"all\"\n",
        play.slack.api()
    );
    let hooks = "[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK\" }\nfields = \"all\"\n\
                 [notify.webhook]\nurl = { env = \"HOOK\" }\nsecret = { env = \"HOOK_KEY\" }\n[notify.stdout]\n";
    let of_env = play.config("of-env.toml", "{ env = \"REGISTRY_PASSWORD\" }", &bot);
    let of_file = play.config("of-file.toml", "{ file = \"registry-password\" }", hooks);
    let of_docker = play.config("of-docker.toml", "", hooks);

    play.version("1", READ);
    play.run(&of_env, 0, &["ship", "--json"]).await;
    play.version(
        "broken",
        &format!("{READ}\nRUN --mount=type=secret,id=token [\"/sha256sum\", \"/absent\"]"),
    );
    play.run(&of_file, 3, &["ship"]).await;
    play.run(&of_file, 4, &["ship", "--image", &sick]).await;
    let docker_config =
        |text: Value| std::fs::write(play.home.join(".docker/config.json"), text.to_string()).unwrap();
    let host = play.stage.registry.host().to_owned();
    let pair = canary::base64(&format!("acme:{}", play.password()));
    docker_config(serde_json::json!({ "auths": { &host: { "auth": pair } } }));
    play.run(&of_docker, 0, &["backup"]).await;
    play.run(&of_docker, 0, &["image", "resolve", &two]).await;
    std::fs::write(
        play.home.join(".docker/config.json"),
        serde_json::json!({ "credHelpers": { &host: "rig" } }).to_string(),
    )
    .unwrap();
    play.run(&of_docker, 0, &["ship", "--image", &two]).await;
    play.run(&of_env, 0, &["rollback"]).await;
    play.run(&of_env, 2, &["rollback", "--to", "0123456789ab"]).await;
    for command in [&["status", "--json"][..], &["history", "--json"], &["plan"], &["logs"]] {
        play.run(&of_env, 0, command).await;
    }
    let proxy = [("HTTP_PROXY", format!("http://acme:{}@127.0.0.1:1", play.canaries.of("proxy")))];
    let told =
        play.run_with(&of_env, 3, &["image", "resolve", "registry.invalid:80/acme/web:1"], &proxy).await;
    assert!(told.contains("registry.invalid"), "{told}");

    let (posted, messages) = (play.slack.received(), play.slack.messages());
    assert!(posted.len() >= 4 && !messages.is_empty(), "nobody was told: this test shows nothing");
    play.seen.push(("notices".to_owned(), format!("{posted:?}{messages:?}").into_bytes()));
    play.search_files();
    play.search_engine().await;
    assert!(play.seen.iter().any(|(place, _)| place.starts_with("argv of nginx")), "no child was seen");
    let secrets = [("registry", play.password()), ("slack-token", TOKEN.to_owned())];
    let found = play.canaries.found(&secrets, &play.seen);
    assert!(found.is_empty(), "{found:#?}");
}
