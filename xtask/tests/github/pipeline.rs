//! The workflows that `cutover init` writes, run: each job a process of its own, with nothing between them but outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use xtask::rig::load::{Config, Load};
use xtask::rig::newcomer::Newcomer;
use xtask::rig::slack::Slack;

use crate::step::Runner;
use crate::yaml;

const PROGRAM: &str = env!("CARGO_BIN_EXE_xtask");

const SOON: Duration = Duration::from_secs(20);

/// A repository with its workflows, the server that it deploys to, and Slack.
struct Repository {
    newcomer: Newcomer,
    slack: Slack,
    workflows: BTreeMap<&'static str, Value>,
}

/// How the jobs of a run ended, in their order, and what the steps of each have left.
struct Run {
    results: Vec<(&'static str, &'static str)>,
    runners: BTreeMap<&'static str, Runner>,
}

impl Run {
    fn result(&self, job: &str) -> &'static str {
        self.results.iter().find(|(name, _)| *name == job).map_or("skipped", |(_, result)| result)
    }

    fn output(&self, job: &str, name: &str) -> Option<String> {
        self.runners.get(job)?.output(name)
    }
}

impl Repository {
    async fn with_workflows() -> Self {
        let (newcomer, slack) = (Newcomer::start(PROGRAM).await.unwrap(), Slack::start().await.unwrap());
        let (nginx, image) = (newcomer.nginx().unwrap(), newcomer.stage.repository());
        let app = newcomer.stage.app.clone();
        let said =
            ["init", "--github", "--slack=webhook", "--health=/healthz", "--name", &app, "--image", &image];
        newcomer.cutover(&[&said[..], &["--nginx", &nginx]].concat()).unwrap();
        newcomer.keep_apart().unwrap();
        // What is bad is found out sooner, and what is good is watched for less time.
        let path = newcomer.folder().join("cutover.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("\"/healthz\" }", "\"/healthz\", timeout = \"5s\" }\nsoak = \"1s\"");
        std::fs::write(path, text).unwrap();
        let read = |name: &str| yaml::read(&newcomer.folder().join(format!(".github/workflows/{name}.yml")));
        let workflows = BTreeMap::from([("deploy", read("deploy")), ("rollback", read("rollback"))]);
        Self { newcomer, slack, workflows }
    }

    /// Runs the jobs of a workflow one after the other, as GitHub would: a job whose needs did not succeed is skipped.
    fn run(&self, workflow: &'static str, jobs: &[&'static str]) -> Run {
        let mut run = Run { results: Vec::new(), runners: BTreeMap::new() };
        for name in jobs.iter().copied() {
            let job = &self.workflows[workflow]["jobs"][name];
            let needs: Vec<&str> = match &job["needs"] {
                Value::String(one) => vec![one],
                several => several.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
            };
            let ready = needs.iter().all(|need| run.result(need) == "success") || job["if"] == "always()";
            let result = if ready { self.job(name, job, &mut run) } else { "skipped" };
            run.results.push((name, result));
        }
        run
    }

    fn job(&self, name: &'static str, job: &Value, run: &mut Run) -> &'static str {
        let mut runner = Runner::new();
        runner.env.extend(self.newcomer.environment());
        runner.env.insert("GITHUB_ACTIONS".to_owned(), "true".to_owned());
        runner.env.insert("GITHUB_WORKFLOW".to_owned(), "deploy".to_owned());
        let failed = run.results.iter().any(|(_, result)| *result == "failure");
        let ended = if failed { "failure" } else { "success" };
        let back = if run.result("rollback") == "success" { "rolled-back" } else { run.result("rollback") };
        for (expression, value) in [
            ("secrets.SLACK_WEBHOOK_URL", self.slack.url()),
            ("needs.build.outputs.image", run.output("build", "image").unwrap_or_default()),
            ("inputs.to", String::new()),
            (ENDED, ended.to_owned()),
            (WENT_BACK, back.to_owned()),
        ] {
            runner.context.insert(expression.to_owned(), value);
        }
        let steps = job["steps"].as_array().unwrap().iter().filter(|step| step.get("run").is_some());
        let mut result = "success";
        for step in steps {
            let output = runner.run(step, self.newcomer.folder());
            if !output.status.success() {
                println!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
                result = "failure";
            }
        }
        run.runners.insert(name, runner);
        result
    }

    async fn notices(&self, count: usize) -> String {
        let notices = self.slack.wait_for(count, SOON).await.unwrap();
        assert_eq!(notices.len(), count, "{notices:#?}");
        notices[count - 1].to_string()
    }
}

/// The workflow's own: how a run ended, from how its jobs did.
const ENDED: &str = "contains(needs.*.result, 'failure') && 'failure' || contains(needs.*.result, 'cancelled') && \
                     'cancelled' || 'success'";

const WENT_BACK: &str = "needs.rollback.result == 'success' && 'rolled-back' || needs.rollback.result";

const JOBS: [&str; 4] = ["build", "deploy", "backup", "notice"];

#[tokio::test(flavor = "multi_thread")]
async fn pushes_go_through_the_written_workflow_and_no_request_is_lost() {
    let repository = Repository::with_workflows().await;
    let all_well = JOBS.map(|job| (job, "success"));
    assert_eq!(repository.run("deploy", &JOBS).results, all_well);
    repository.notices(1).await;

    let load = Load::start(Config::at(repository.newcomer.stage.site()));
    load.answered_by("1", SOON).await.unwrap();
    repository.newcomer.write_dockerfile(&[("VERSION", "2")]).unwrap();
    let second = repository.run("deploy", &JOBS);
    assert_eq!(second.results, all_well);
    load.answered_by("2", SOON).await.unwrap();
    let image = second.output("build", "image").unwrap();
    assert!(image.contains("@sha256:"), "what is handed on is pinned: {image}");
    assert_eq!(second.output("deploy", "image"), Some(image));
    assert_eq!(second.output("deploy", "outcome").as_deref(), Some("deployed"));
    assert!(second.runners["deploy"].said("summary").contains("live in green"));
    repository.notices(2).await;

    // One that does not become well: the run fails, the notice says so, and nobody else notices.
    repository.newcomer.write_dockerfile(&[("VERSION", "3"), ("MODE", "unhealthy")]).unwrap();
    let third = repository.run("deploy", &JOBS);
    let wanted = [("build", "success"), ("deploy", "failure"), ("backup", "skipped"), ("notice", "success")];
    assert_eq!(third.results, wanted);
    assert!(repository.notices(3).await.to_lowercase().contains("fail"));

    let back = repository.run("rollback", &["rollback", "notice"]);
    assert_eq!(back.results, [("rollback", "success"), ("notice", "success")]);
    let site = repository.newcomer.stage.site();
    let page = repository.newcomer.stage.page(site, "example.com", "/").await.unwrap();
    assert_eq!(page.1, "version 1\n");
    repository.notices(4).await;
    let report = load.stop().await;
    println!("{} requests, {} failed, 3 runs and a rollback", report.sent, report.failed);
    assert_eq!(report.failed, 0, "{:#?}", report.failures);
    assert_eq!(report.versions(), ["1", "2"]);
}
