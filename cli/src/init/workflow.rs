//! The texts of two workflows for GitHub Actions: one that deploys each push, one that goes back by hand.
//!
//! By GitHub's "Workflow syntax for GitHub Actions". A job has ten lines under its name at most: what each is for stands in
//! `docs/github-actions.md`.

use super::answers::{Answers, Github};
use super::choice::Slack;
use super::configuration::GHCR;

/// The action that puts this very version of cutover on the path.
const ACTION: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "@v", env!("CARGO_PKG_VERSION"));

/// The words that stand for something in the texts below.
struct Words {
    app: String,
    runner: String,
    env: String,
    defaults: String,
}

/// `deploy.yml`: build, deploy, backup and notice.
#[must_use]
pub fn deploy(answers: &Answers, github: &Github) -> String {
    let words = Words::of(answers, github);
    let mut text = words.fill(DEPLOY).replace("{branch}", &quoted(&github.branch));
    let (image, needs) = if answers.build { (BUILT, "    needs: build\n") } else { (TAGGED, "") };
    if answers.build {
        text.push_str(&words.fill(BUILD));
    }
    text.push_str(&words.fill(RELEASE).replace("{needs}", needs).replace("{deploy}", image));
    let jobs = if answers.build { "[build, deploy, backup]" } else { "[deploy, backup]" };
    text + &words.notice(answers, jobs, ENDED)
}

/// `rollback.yml`: back to the release before, or to one of the history, when someone asks for it.
#[must_use]
pub fn rollback(answers: &Answers, github: &Github) -> String {
    let words = Words::of(answers, github);
    words.fill(ROLLBACK) + &words.notice(answers, "rollback", WENT_BACK)
}

impl Words {
    fn of(answers: &Answers, github: &Github) -> Self {
        let secret = match answers.image.registry() == GHCR {
            true => "  GITHUB_TOKEN: ${{ github.token }}\n",
            false if answers.registry_user.is_some() => {
                "  REGISTRY_PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}\n"
            }
            false => "",
        };
        let env = if secret.is_empty() {
            String::new()
        } else {
            format!("# Also the place for what cutover.toml reads by {{ env = … }}.\nenv:\n{secret}\n")
        };
        let folder = github.folder.to_string_lossy();
        let defaults = match folder.is_empty() {
            true => String::new(),
            false => format!("defaults: {{ run: {{ working-directory: {} }} }}\n\n", quoted(&folder)),
        };
        let runner = github.runner.as_ref();
        Self {
            app: answers.name.to_string(),
            runner: runner
                .map_or_else(|| "self-hosted".to_owned(), |label| format!("[self-hosted, {label}]")),
            env,
            defaults,
        }
    }

    /// The job that tells how the others ended; none where nobody is told.
    fn notice(&self, answers: &Answers, jobs: &str, status: &str) -> String {
        match answers.slack {
            Slack::Webhook => self.fill(NOTICE).replace("{jobs}", jobs).replace("{status}", status),
            Slack::None => String::new(),
        }
    }

    fn fill(&self, text: &str) -> String {
        let action = ACTION.trim_start_matches("https://github.com/");
        text.replace("{checkout}", CHECKOUT)
            .replace("{action}", action)
            .replace("{app}", &self.app)
            .replace("{runner}", &self.runner)
            .replace("{env}", &self.env)
            .replace("{defaults}", &self.defaults)
    }
}

/// A string as YAML has it between double quotes; JSON is YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Without the token in `.git`, from where a `COPY . .` would take it into the image.
const CHECKOUT: &str = "{ uses: actions/checkout@v5, with: { persist-credentials: false } }";

const DEPLOY: &str = "\
name: deploy {app}

on:
  push: { branches: [{branch}] }
  workflow_dispatch:

# One run at a time; one that has begun is never cancelled for the next.
concurrency: { group: deploy-{app}, cancel-in-progress: false }

permissions: { contents: read }

{env}{defaults}jobs:
";

const BUILD: &str = "  build:
    runs-on: ubuntu-latest
    timeout-minutes: 30
    permissions: { contents: read, packages: write }
    outputs: { image: \"${{ steps.build.outputs.image }}\", digest: \"${{ steps.build.outputs.digest }}\" }
    steps:
      - {checkout}
      - uses: {action}
      - id: build
        run: cutover build --push

";

const RELEASE: &str = "  deploy:
{needs}    runs-on: {runner}
    environment: production
    timeout-minutes: 30
    permissions: { contents: read, packages: read }
    steps:
      - {checkout}
      - uses: {action}
{deploy}
  backup:
    needs: deploy
    runs-on: {runner}
    environment: production
    timeout-minutes: 30
    permissions: { contents: read, packages: read }
    steps:
      - {checkout}
      - uses: {action}
      - run: cutover backup --wait
";

const BUILT: &str = "      - run: cutover deploy --wait --image \"$IMAGE\"
        env: { IMAGE: \"${{ needs.build.outputs.image }}\" }
";

const TAGGED: &str = "      - run: cutover deploy --wait
";

const NOTICE: &str = "
  notice:
    if: always()
    needs: {jobs}
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - {checkout}
      - uses: {action}
      - run: cutover notify --status ${{ {status} }}
        env: { SLACK_WEBHOOK_URL: \"${{ secrets.SLACK_WEBHOOK_URL }}\" }
";

/// How a run ended, from how its jobs did: a job of its own always succeeds.
const ENDED: &str = "contains(needs.*.result, 'failure') && 'failure' || contains(needs.*.result, 'cancelled') && 'cancelled' || 'success'";

const WENT_BACK: &str = "needs.rollback.result == 'success' && 'rolled-back' || needs.rollback.result";

const ROLLBACK: &str = "\
name: roll back {app}

on:
  workflow_dispatch:
    inputs:
      to: { description: \"A digest or id of `cutover history`; empty for the release before\", type: string }

# Not in the deploy's group: it waits for the lock on the server, not for a build.
concurrency: { group: rollback-{app}, cancel-in-progress: false }

permissions: { contents: read, packages: read }

{env}{defaults}jobs:
  rollback:
    runs-on: {runner}
    environment: production
    timeout-minutes: 30
    steps:
      - {checkout}
      - uses: {action}
      - run: cutover rollback --wait ${TO:+--to \"$TO\"}
        env: { TO: \"${{ inputs.to }}\" }
";
