//! `examples/shell`: the steps in plain shell.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::place;
use xtask::rig::slack::Slack;
use xtask::rig::stage::{Ran, Stage};

use crate::configure;

const SOON: Duration = Duration::from_secs(30);

/// Asks the site for its front page and ends with 0 if that is what it should be.
const SMOKE: &str = "fetch(process.argv[1]).then(async a => \
                     process.exit(await a.text() === `version ${process.argv[2]}\\n` ? 0 : 1), () => process.exit(1))";

struct Ci {
    stage: Stage,
    slack: Slack,
    folder: tempfile::TempDir,
}

impl Ci {
    async fn start() -> Self {
        let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
        configure(&stage, "shell");
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_xtask"), folder.path().join("cutover")).unwrap();
        Self { stage, slack: Slack::start().await.unwrap(), folder }
    }

    /// `deploy.sh IMAGE` with a smoke test that wants this version.
    async fn deploy(&self, image: &str, wanted: &str) -> Ran {
        let script = place::workspace().join("examples/shell/deploy.sh");
        let site = format!("http://{}/", self.stage.site());
        // Its environment is what the stage gives the program.
        let of_stage = self.stage.command(&[]);
        let mut command = tokio::process::Command::new("dash");
        command.arg(script).args([image, "node", "-e", SMOKE, &site, wanted]);
        command.env_clear().current_dir(self.folder.path()).env("CUTOVER_CONFIG", self.stage.config());
        command.envs(of_stage.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.folder.path().display()));
        command.env("SLACK_WEBHOOK_URL", self.slack.url());
        let began = std::time::Instant::now();
        let output = command.kill_on_drop(true).output().await.expect("dash runs");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ran {
            status: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            took: began.elapsed(),
        }
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.path().join("deploy.json")).unwrap()).unwrap()
    }

    async fn page(&self) -> String {
        self.stage.page(self.stage.site(), "example.com", "/").await.unwrap().1
    }

    /// The newest of so many notices.
    async fn notice(&self, count: usize) -> String {
        let notices = self.slack.wait_for(count, SOON).await.unwrap();
        assert_eq!(notices.len(), count, "{notices:#?}");
        notices[count - 1].to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_in_plain_shell_deploy_refuse_go_back_and_tell_of_each() {
    let mut ci = Ci::start().await;
    let good = ci.stage.release("1", &[]).await.unwrap();
    let sick = ci.stage.release("2", &[("MODE", "exit")]).await.unwrap();
    let wrong = ci.stage.release("3", &[]).await.unwrap();
    let next = ci.stage.release("4", &[]).await.unwrap();

    ci.deploy(&good, "1").await.exits(0);
    assert_eq!(ci.report()["outcome"], "deployed");
    assert!(ci.notice(1).await.contains("✅"));
    let load = Load::start(Config::at(ci.stage.site()).host("example.com").workers(4, 1, 0));
    load.answered_by("1", SOON).await.unwrap();

    let ran = ci.deploy(&sick, "2").await.exits(4);
    assert!(ran.stderr.contains("never had traffic"), "{}", ran.stderr);
    assert_eq!(ci.report()["outcome"], "rejected");
    assert!(ci.notice(2).await.contains("<!here>"), "a failure pages those who are named for it");
    assert_eq!(ci.page().await, "version 1\n");

    let ran = ci.deploy(&wrong, "another").await.exits(6);
    assert!(ran.stderr.contains("the smoke test failed"), "{}", ran.stderr);
    assert_eq!(ci.report()["outcome"], "deployed");
    assert!(ci.notice(3).await.contains("rolled back"));
    assert_eq!(ci.page().await, "version 1\n");

    ci.deploy(&next, "4").await.exits(0);
    assert!(ci.notice(4).await.contains("✅"));
    load.answered_by("4", SOON).await.unwrap();
    let status = ci.stage.status().await;
    assert_eq!(status["slots"]["blue"]["digest"], status["slots"]["green"]["digest"], "{status:#}");

    let report = load.stop().await;
    println!("{} requests, {} failed, 3 releases after the first", report.sent, report.failed);
    assert_eq!(report.failed, 0, "{:?}", report.failures);
    assert_eq!(report.versions(), ["1", "3", "4"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_the_registry_has_not_ends_the_steps_before_anything_is_touched() {
    let ci = Ci::start().await;
    let missing = format!("{}:missing", ci.stage.repository());
    let ran = ci.deploy(&missing, "1").await;
    assert!(ran.status.is_some_and(|status| status != 0), "{ran:#?}");
    assert!(ran.stderr.contains("missing"), "{}", ran.stderr);
    assert!(ci.notice(1).await.contains("❌"));
    assert!(!ci.folder.path().join("deploy.json").exists(), "cutover deploy was run");
    assert!(ci.stage.containers().await.unwrap().is_empty());
}

#[test]
fn shellcheck_finds_no_fault_in_the_steps() {
    let script = place::workspace().join("examples/shell/deploy.sh");
    let checked = Command::new("shellcheck").args(["--shell=sh"]).arg(script).output();
    let checked = checked.expect("shellcheck is installed (apt-get install -y shellcheck)");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
