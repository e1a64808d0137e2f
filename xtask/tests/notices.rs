//! What Slack hears of a run, and what nobody hears.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rustix::process::Signal;
use serde_json::Value;
use xtask::rig::session::Session;
use xtask::rig::slack::{Reply, Slack, TOKEN};
use xtask::rig::stage::{Ran, Stage};
use xtask::rig::{docker, needs};

/// For what takes a moment, on a machine that is busy with everything else too.
const SOON: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(180);

/// What is in the registry's password, the app's own secret, and the webhook's address.
const CANARIES: [&str; 3] = ["registry-canary-5e1f", "app-canary-77c3", "B0CUTOVER"];

async fn stage(settings: &str) -> (Stage, Slack) {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let slack = Slack::start().await.unwrap();
    let tables = "[notify.slack]\nwebhook = { env = \"SLACK_WEBHOOK_URL\" }\ntimeout = \"2s\"\n\
                  mention = { failure = [\"here\"], rolled-back = [\"channel\"], cancelled = [\"U0123456\"] }\n\
                  fields = [\"commit\"]";
    (stage.with(settings).unwrap().with_tables(tables).unwrap(), slack)
}

fn command(stage: &Stage, slack: &Slack, arguments: &[&str]) -> Command {
    let mut command = stage.command(arguments);
    command.env("SLACK_WEBHOOK_URL", slack.url()).env("APP_TOKEN", CANARIES[1]);
    command.env("GITHUB_SHA", "0f5c1d2e3a4b5c6d7e8f90123456789012345678");
    command
}

/// A stage whose notices go to Slack by a bot, to a program by the same stand-in's webhook, and to stdout.
async fn stage_with_a_bot(settings: &str) -> (Stage, Slack) {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let slack = Slack::start().await.unwrap();
    let tables = format!(
        "[notify.slack]\ntoken = {{ env = \"SLACK_BOT_TOKEN\" }}\nchannel = \"#deploys\"\napi = {:?}\n\
         mention = {{ failure = [\"here\"] }}\nfields = \"all\"\n\
         [notify.webhook]\nurl = {{ env = \"SLACK_WEBHOOK_URL\" }}\nsecret = {{ env = \"WEBHOOK_KEY\" }}\n\
         [notify.stdout]\ntemplate = \"told: {{{{ app }}}} {{{{ status }}}}\"",
        slack.api()
    );
    (stage.with(settings).unwrap().with_tables(&tables).unwrap(), slack)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_posts_once_and_changes_that_and_a_failed_releases_log_is_in_its_thread() {
    let (mut stage, slack) = stage_with_a_bot("health = { path = \"/healthz\", timeout = \"4s\" }").await;
    let (one, sick) = (
        stage.release("1", &[]).await.unwrap(),
        stage.release("sick", &[("MODE", "unhealthy")]).await.unwrap(),
    );
    let ship = |image: String| {
        let mut command = command(&stage, &slack, &["ship", "--image", &image]);
        command.env("SLACK_BOT_TOKEN", TOKEN).env("WEBHOOK_KEY", "webhook-canary-0c41");
        Session::start(command).unwrap().end(LONG)
    };

    let ran = ship(one).await.unwrap().exits(0);
    assert!(ran.stdout.contains(&format!("told: {} success\n", stage.app)), "{}", ran.stdout);
    assert!(!ran.stderr.contains("notice"), "{}", ran.stderr);
    let messages = slack.messages();
    let [first] = messages.as_slice() else { panic!("{messages:#?}") };
    assert!(first.forms[0].to_string().contains("🚀"), "{:#}", first.forms[0]);
    assert!(first.now().contains(&format!("✅ {}: deployed", stage.app)), "{}", first.now());
    assert_eq!(first.reactions, ["white_check_mark"]);

    let ran = ship(sick).await.unwrap().exits(4);
    assert!(ran.stdout.contains(&format!("told: {} failure\n", stage.app)), "{}", ran.stdout);
    let messages = slack.messages();
    let [_, second, page, log] = messages.as_slice() else { panic!("{messages:#?}") };
    // The gate is watched for seconds, so it is told that it goes on.
    assert!(second.forms.iter().any(|form| form.to_string().contains("▸ gate green")), "{second:#?}");
    assert!(second.now().contains("❌") && second.now().contains("it answered 500"), "{}", second.now());
    assert_eq!(second.reactions, ["x"]);
    let thread = Some(second.ts.clone());
    assert_eq!((&page.thread, &log.thread), (&thread, &thread));
    assert!(page.now().contains("<!here>") && log.now().contains("listening"), "{page:#?} {log:#?}");

    let told = slack.received();
    let words: Vec<_> = told.iter().map(|notice| notice["status"].as_str().unwrap_or_default()).collect();
    assert_eq!(words, ["success", "failure"]);
    for told in [ran.stderr, ran.stdout, format!("{messages:?} {told:?}")] {
        assert!(!told.contains("canary"), "a secret is told: {told}");
    }
}

async fn ship(stage: &Stage, slack: &Slack, image: &str) -> Ran {
    let command = command(stage, slack, &["ship", "--json", "--image", image]);
    Session::start(command).unwrap().end(LONG).await.unwrap()
}

/// The newest of so many notices, which has these words, the app, the release and the commit in it.
async fn notice(slack: &Slack, count: usize, ran: &Ran, stage: &Stage, words: &[&str]) {
    let notices = slack.wait_for(count, SOON).await.unwrap();
    assert_eq!(notices.len(), count, "{notices:#?}");
    let (account, text) = (ran.json(), notices[count - 1].to_string());
    let digest = &account["digest"].as_str().unwrap()[.."sha256:".len() + 12];
    for word in [&[stage.app.as_str(), digest, "0f5c1d2", "ann"][..], words].concat() {
        assert!(text.contains(word), "`{word}` is not in the notice: {:#}", notices[count - 1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slack_hears_how_each_run_ended() {
    let (mut stage, slack) = stage("soak = \"4s\"\nhealth = { path = \"/healthz\", timeout = \"4s\" }").await;
    let one = stage.release("1", &[]).await.unwrap();
    let ran = ship(&stage, &slack, &one).await.exits(0);
    notice(&slack, 1, &ran, &stage, &["✅", "deployed", "blue", &one]).await;
    assert!(!slack.received()[0].to_string().contains("<!here>"));

    let sick = stage.release("sick", &[("MODE", "unhealthy")]).await.unwrap();
    let ran = ship(&stage, &slack, &sick).await.exits(4);
    notice(&slack, 2, &ran, &stage, &["❌", "failed", "<!here>", "it answered 500", "blue"]).await;

    let fails = stage.release("fails", &[("MODE", "fails-after:3000")]).await.unwrap();
    let ran = ship(&stage, &slack, &fails).await.exits(6);
    notice(&slack, 3, &ran, &stage, &["rolled back", "<!channel>", "500", "blue"]).await;

    let two = stage.release("2", &[]).await.unwrap();
    let mut session = Session::start(command(&stage, &slack, &["ship", "--json", "--image", &two])).unwrap();
    session.tells("watch green ...", SOON).await.unwrap();
    session.signal(Signal::TERM).unwrap();
    let ran = session.end(LONG).await.unwrap().exits(7);
    notice(&slack, 4, &ran, &stage, &["cancelled", "<@U0123456>", "interrupted", "blue → green"]).await;

    // Before anything began there is something to tell, too.
    let absent = format!("{}:nowhere", stage.repository());
    let refused = ship(&stage, &slack, &absent).await.exits(3);
    let notices = slack.wait_for(5, SOON).await.unwrap();
    assert!(notices[4].to_string().contains("not found"), "{:#}", notices[4]);
    assert_eq!(refused.json()["outcome"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slack_that_hangs_or_refuses_changes_no_verdict() {
    let (mut stage, slack) = stage("").await;
    for (version, reply, words) in [
        ("1", Reply::Hang, "within 2.0 s"),
        ("2", Reply::Status(404), "404"),
        ("3", Reply::Status(500), "500"),
    ] {
        let image = stage.release(version, &[]).await.unwrap();
        slack.reply_with(reply);
        let ran = ship(&stage, &slack, &image).await.exits(0);
        assert_eq!(ran.json()["outcome"], "deployed");
        for words in ["warning: the notice was not sent", words] {
            assert!(ran.stderr.contains(words), "`{words}` is not told:\n{}", ran.stderr);
        }
        assert!(!ran.stderr.contains(CANARIES[2]), "the webhook is told:\n{}", ran.stderr);
        // Seconds of waiting for Slack, not the minute and more that a connection may hang.
        let waited = ran.took.as_secs_f64() - ran.json()["took"].as_f64().unwrap();
        assert!(waited < 20.0, "it waited {waited} s for Slack");
    }
}

/// The canaries that a text holds, in plain or in base64.
fn canaries(text: &str) -> Vec<String> {
    let mut found: Vec<String> =
        CANARIES.iter().filter(|canary| text.contains(**canary)).map(ToString::to_string).collect();
    let coded = |c: char| c.is_ascii_alphanumeric() || "+/-_".contains(c);
    for word in text.split(|c| !coded(c)).filter(|word| word.len() >= 16) {
        for decoded in [STANDARD_NO_PAD.decode(word), URL_SAFE_NO_PAD.decode(word)].into_iter().flatten() {
            let decoded = String::from_utf8_lossy(&decoded);
            found.extend(CANARIES.iter().filter(|c| decoded.contains(**c)).map(|c| format!("{c} in {word}")));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_told_anywhere_but_to_the_app() {
    let settings =
        "env = { TOKEN = { env = \"APP_TOKEN\" } }\nhealth = { path = \"/healthz\", timeout = \"3s\" }";
    let (mut stage, slack) = stage(settings).await;
    let good = stage.release("1", &[]).await.unwrap();
    let sick = stage.release("2", &[("MODE", "unhealthy")]).await.unwrap();
    let wrong = format!("{}:nowhere", stage.repository());
    for (arguments, status) in [
        (&["plan", "-vv", "--image", &good][..], 0),
        (&["ship", "-vv", "--image", &good], 0),
        (&["ship", "-vv", "--json", "--image", &sick], 4),
        (&["ship", "-vv", "--image", &wrong], 3),
        (&["backup", "-vv", "--json"], 0),
        (&["status", "-vv", "--json"], 0),
        (&["history", "-vv", "--json"], 0),
        (&["logs", "-vv"], 0),
        (&["nginx", "check", "-vv"], 0),
    ] {
        let ran = Session::start(command(&stage, &slack, arguments)).unwrap().end(LONG).await.unwrap();
        let ran = ran.exits(status);
        let told = canaries(&format!("{}\n{}", ran.stdout, ran.stderr));
        assert!(told.is_empty(), "{arguments:?} tells {told:?}");
    }
    assert_eq!(slack.received().len(), 3);
    for notice in slack.received() {
        assert_eq!(canaries(&notice.to_string()), [""; 0], "{notice:#}");
    }

    // The app has it, and the engine keeps it where it keeps an environment, alone.
    let page = stage.page(stage.site(), &stage.app, "/env?name=TOKEN").await.unwrap();
    assert!(page.1.contains(CANARIES[1]), "{page:?}");
    let ids = stage.ids().await.unwrap();
    assert_eq!(ids.len(), 2);
    for (name, id) in ids {
        let mut inspected: Value =
            serde_json::from_str(&docker::run(&["inspect", &id]).await.unwrap()).unwrap();
        let env = inspected[0]["Config"]["Env"].take();
        assert_eq!(canaries(&env.to_string()), [CANARIES[1]], "{name}");
        assert_eq!(canaries(&inspected.to_string()), [""; 0], "{name}");
    }
    let files = walk(&stage);
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let text = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert_eq!(canaries(&text), [""; 0], "{}", file.display());
    }
}

/// The files that the program wrote: nginx's, the lock and the history.
fn walk(stage: &Stage) -> Vec<std::path::PathBuf> {
    let xtask::rig::stage::Nginx::Host(nginx) = &stage.nginx else { panic!("the nginx is of the host") };
    let (mut folders, mut files) = (vec![nginx.conf_dir(), nginx.state_dir()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}
