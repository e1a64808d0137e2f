//! A new user's way: from a folder with a Dockerfile to the first live release, in five commands at most.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]
#![expect(clippy::print_stdout, reason = "the time is for people")]

use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use xtask::rig::image::service_binary;
use xtask::rig::stage::{Nginx, Stage};
use xtask::rig::{docker, needs, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

/// Someone with a folder, a registry that they are logged in to, and an nginx in a container.
struct User {
    stage: Stage,
    folder: TempDir,
    commands: Vec<String>,
}

impl User {
    async fn with_a_dockerfile() -> Self {
        let stage = Stage::in_container(PROGRAM, needs::nginx()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(service_binary().await.unwrap(), folder.path().join("service")).unwrap();
        let [test, ours] = run::labels();
        let dockerfile = format!(
            "FROM scratch\nLABEL {test} {ours}\nCOPY service /service\nENV VERSION=1 PORT=8080\nEXPOSE $PORT\n\
             ENTRYPOINT [\"/service\"]\n"
        );
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        Self { stage, folder, commands: Vec::new() }
    }

    /// A command as it is typed; its stdout.
    fn types(&mut self, words: &[&str]) -> String {
        self.commands.push(words.join(" "));
        let program = if words[0] == "cutover" { PROGRAM } else { words[0] };
        let ran = Command::new(program)
            .args(&words[1..])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.folder.path())
            .env("DOCKER_CONFIG", self.stage.registry.docker_config())
            .envs(std::env::var_os("DOCKER_HOST").map(|host| ("DOCKER_HOST", host)))
            .output()
            .unwrap();
        let (out, error) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(ran.status.success(), "{words:?}: {out}{error}");
        out.into_owned()
    }

    /// A network of this test's own instead of the one that all users of this machine share.
    fn keeps_apart(&self) {
        let of_stage = std::fs::read_to_string(self.stage.config()).unwrap();
        let network = of_stage.split("[network]").nth(1).unwrap().split("\n\n").next().unwrap();
        let path = self.folder.path().join("cutover.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n[network]{network}\n")).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_dockerfile_is_live_after_a_few_commands() {
    let mut user = User::with_a_dockerfile().await;
    let (name, image) = (user.stage.app.clone(), user.stage.repository());
    let Nginx::Container(nginx) = &user.stage.nginx else { panic!("the nginx is in a container") };
    let nginx = format!("container:{}", nginx.name());
    let began = Instant::now();
    user.types(&[
        "cutover", "init", "--yes", "--name", &name, "--image", &image, "--health", "/healthz", "--nginx",
        &nginx,
    ]);
    user.keeps_apart();
    user.types(&["cutover", "config", "check"]);
    user.types(&["docker", "build", "--quiet", "--tag", &image, "."]);
    user.types(&["docker", "push", "--quiet", &image]);
    docker::run(&["rmi", &image]).await.unwrap();
    let shipped: Value = serde_json::from_str(&user.types(&["cutover", "ship", "--json"])).unwrap();
    let took = began.elapsed();

    assert_eq!((&shipped["outcome"], &shipped["live"]), (&"deployed".into(), &"blue".into()), "{shipped}");
    let (status, page) = user.stage.page(user.stage.site(), "example.com", "/").await.unwrap();
    assert_eq!((status, page.as_str()), (200, "version 1\n"));
    assert!(user.commands.len() <= 5, "{:#?}", user.commands);
    println!("live after {took:.1?} and {} commands:\n  {}", user.commands.len(), user.commands.join("\n  "));
}
