//! From a folder to a live release: jobs as processes of their own, with nothing between them but what a step of GitHub
//! Actions hands on.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use xtask::rig::image::service_binary;
use xtask::rig::load::{Config, Load};
use xtask::rig::session::Session;
use xtask::rig::slack::Slack;
use xtask::rig::stage::{Ran, Stage};
use xtask::rig::{docker, needs};

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(180);

const DOCKERFILE: &str = "FROM scratch\nARG VERSION\nENV VERSION=$VERSION\nCOPY service /service\nEXPOSE 8080\n\
                          ENTRYPOINT [\"/service\"]\n";

/// An app whose image is built from a folder, and the files by which GitHub Actions joins steps.
struct Project {
    stage: Stage,
    slack: Slack,
}

impl Project {
    async fn new(build: &str) -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        let tables = format!(
            "[apps.{}.build]\ncontext = \"app\"\n{build}\n[notify.slack]\nwebhook = {{ env = \"SLACK_WEBHOOK_URL\" }}\n",
            stage.app
        );
        let project =
            Self { stage: stage.with_tables(&tables).unwrap(), slack: Slack::start().await.unwrap() };
        std::fs::create_dir(project.folder()).unwrap();
        std::fs::copy(service_binary().await.unwrap(), project.folder().join("service")).unwrap();
        project.dockerfile(DOCKERFILE);
        project
    }

    fn folder(&self) -> PathBuf {
        self.stage.config().with_file_name("app")
    }

    fn dockerfile(&self, text: &str) {
        std::fs::write(self.folder().join("Dockerfile"), text).unwrap();
    }

    /// The next version, as a push to the repository brings it.
    fn version(&self, version: &str) {
        self.dockerfile(&DOCKERFILE.replace("ARG VERSION\n", &format!("ARG VERSION={version}\n")));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.stage.config().with_file_name(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.stage.command(arguments);
        command.env("SLACK_WEBHOOK_URL", self.slack.url());
        command
    }

    async fn run(&self, arguments: &[&str]) -> Ran {
        Session::start(self.command(arguments)).unwrap().end(LONG).await.unwrap()
    }

    /// A job of its own: the command, and what its step hands on.
    async fn job(&self, commit: &str, arguments: &[&str]) -> (Ran, Vec<(String, String)>) {
        let output = self.file("github-output");
        drop(std::fs::remove_file(&output));
        let mut command = self.command(arguments);
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", self.file("github-summary"))
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_REPOSITORY", "acme/web")
            .env("GITHUB_SHA", commit)
            .env("GITHUB_REF_NAME", "main")
            .env("GITHUB_REF_TYPE", "branch");
        let ran = Session::start(command).unwrap().end(LONG).await.unwrap();
        let text = std::fs::read_to_string(output).unwrap_or_default();
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        (ran, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A digest, as another client sees it.
    fn digest(&self, tag: &str) -> String {
        let (username, password) = self.stage.registry.auth().login().unwrap();
        let ran = Command::new("skopeo")
            .args(["inspect", "--tls-verify=false", "--format", "{{.Digest}}", "--creds"])
            .arg(format!("{username}:{}", password.expose_secret()))
            .arg(format!("docker://{}:{tag}", self.stage.repository()))
            .output()
            .expect("skopeo is installed (cargo xtask test --install)");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> &'p str {
    &pairs.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name} in {pairs:?}")).1
}

#[tokio::test(flavor = "multi_thread")]
async fn four_jobs_with_only_their_outputs_between_them_lose_nothing() {
    let project = Project::new("tags = [\"{commit}\", \"{branch}\"]\nlabels = { team = \"web\" }").await;
    let stage = &project.stage;
    let mut load = None;
    for version in ["1", "2", "3"] {
        project.version(version);
        let commit = format!("{version}123456789abcdef0123456789abcdef01234567");
        let (built, outputs) = project.job(&commit, &["build", "--push"]).await;
        let built = built.exits(0);
        let (image, digest) = (value(&outputs, "image"), value(&outputs, "digest"));
        assert_eq!(image, format!("{}@{digest}", stage.repository()));
        assert_eq!(built.stdout.trim(), digest);
        assert!(
            built.stderr.contains("::group::build") && built.stderr.contains("::endgroup::"),
            "{}",
            built.stderr
        );
        for tag in ["latest", "main", &commit[..12]] {
            assert_eq!(project.digest(tag), digest, "{tag}");
        }

        let (deployed, outputs) = project.job(&commit, &["deploy", "--image", image]).await;
        deployed.exits(0);
        assert_eq!((value(&outputs, "outcome"), value(&outputs, "digest")), ("deployed", digest));
        assert_eq!(value(&outputs, "image"), image);
        let load = load.get_or_insert_with(|| {
            Load::start(Config::at(stage.site()).workers(4, 2, 2).pace(Duration::from_millis(4)))
        });
        load.answered_by(version, SOON).await.unwrap();

        project.job(&commit, &["backup"]).await.0.exits(0);
        project.job(&commit, &["notify", "--status", "success"]).await.0.exits(0);
    }
    let report = load.unwrap().stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:#?}", report.failures);
    assert_eq!(project.slack.wait_for(3, SOON).await.unwrap().len(), 3);
    let summary = std::fs::read_to_string(project.file("github-summary")).unwrap();
    assert_eq!(summary.matches("live in ").count(), 3, "{summary}");
    assert!(summary.contains("cutover rollback"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ship_builds_pushes_deploys_backs_up_and_tells() {
    let project = Project::new("").await;
    project.version("1");
    let account = project.run(&["ship", "--json"]).await.exits(0).json();
    assert_eq!(account["outcome"], "deployed", "{account}");
    assert_eq!(account["digest"], project.digest("latest"), "{account}");
    for phase in ["build", "push", "pull", "install", "backup"] {
        assert!(account["phases"][phase].is_number(), "{phase} is not in {account}");
    }
    assert_eq!(project.slack.wait_for(1, SOON).await.unwrap().len(), 1);

    // Of the same folder comes the same image, and nothing is left to do.
    let again = project.run(&["ship", "--json"]).await.exits(0).json();
    assert_eq!((&again["outcome"], &again["digest"]), (&"unchanged".into(), &account["digest"]), "{again}");

    project.dockerfile("FROM scratch\nCOPY absent /\n");
    let broken = project.run(&["ship", "--json"]).await.exits(3);
    assert!(broken.stderr.contains("absent"), "{}", broken.stderr);
    assert!(broken.stderr.contains("nothing was changed"), "{}", broken.stderr);
    let status = project.stage.status().await;
    assert_eq!(status["slots"]["blue"]["digest"], account["digest"], "{status:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_two_platforms_is_pushed_as_an_index_of_both() {
    let project = Project::new("platforms = [\"linux/amd64\", \"linux/arm64\"]").await;
    project.version("1");
    let built = project.run(&["build", "--push", "--json"]).await.exits(0).json();
    assert_eq!(built["platforms"], serde_json::json!(["linux/amd64", "linux/arm64"]), "{built}");
    assert_eq!(built["digest"], project.digest("latest"));
    for platform in ["linux/amd64", "linux/arm64"] {
        let image = format!("{}:latest", project.stage.repository());
        let seen =
            project.run(&["image", "inspect", &image, "--platform", platform, "--json"]).await.exits(0);
        assert_eq!(seen.json()["platform"], platform, "{}", seen.stdout);
    }
    // The engine's own of the two is what a deploy starts.
    let account = project.stage.deploy(&format!("{}:latest", project.stage.repository())).await;
    assert_eq!((&account["outcome"], &account["digest"]), (&"deployed".into(), &built["digest"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_built_is_labelled_with_its_source_and_can_be_built_again_to_the_same_image() {
    let project = Project::new("labels = { team = \"web\" }").await;
    project.version("1");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let (built, _) = project.job(commit, &["build", "--json"]).await;
    let id = built.exits(0).json()["id"].as_str().unwrap().to_owned();
    let labels =
        docker::run(&["image", "inspect", "--format", "{{json .Config.Labels}}", &id]).await.unwrap();
    let labels: serde_json::Value = serde_json::from_str(&labels).unwrap();
    assert_eq!(labels["org.opencontainers.image.source"], "https://github.com/acme/web", "{labels}");
    assert_eq!(labels["org.opencontainers.image.revision"], commit, "{labels}");
    assert_eq!(labels["team"], "web", "{labels}");
    let pushed = project.run(&["push"]).await.exits(0);
    assert_eq!(pushed.stdout.trim(), project.digest("latest"));
}
