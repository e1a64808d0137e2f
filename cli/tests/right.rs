//! Files that are right, and what they mean.

use std::path::Path;
use std::time::Duration;

use cutover::config::Config;
use cutover::config::app::{Balance, HealthCheck, Restart};
use cutover::config::secret::{SecretSource, Value};
use cutover_notify::Status;

use crate::sandbox::{Sandbox, WEB};

/// The example of the design, word for word: other tools are held to it.
pub(crate) const DESIGN: &str = include_str!("design.toml");

fn parse(text: &str) -> Config {
    Config::parse(Path::new("cutover.toml"), text)
        .unwrap_or_else(|invalid| panic!("{}", invalid.render(false)))
}

#[test]
fn the_designs_example_is_right_as_it_stands() {
    let ran = Sandbox::with(DESIGN).run(&["config", "check"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""));
}

#[test]
fn the_designs_example_means_what_it_says() {
    let config = parse(DESIGN);
    let proxy = &config.file.proxy;
    assert_eq!(proxy.nginx.conf.as_deref(), Some(Path::new("/srv/t/nginx.conf")));
    assert_eq!((proxy.conf_dir.as_path(), proxy.control.port()), (Path::new("/srv/t/conf.d"), 9180));
    let ghcr = &config.file.registry["ghcr.io"];
    assert_eq!(ghcr.password.as_ref().map(|p| p.value.clone()), Some(SecretSource::Env("GHCR_TOKEN".into())));
    let (name, app) = config.app(None).unwrap();
    assert_eq!((name.as_str(), app.image.to_string()), ("web", "ghcr.io/acme/web:latest".to_owned()));
    let slots = app.slots.as_ref().unwrap();
    let address = |slot: &[cutover::config::value::Parsed<cutover_proxyconf::Address>]| slot[0].to_string();
    assert_eq!(address(slots.blue.as_slice()), "127.0.0.1:8112");
    assert_eq!(address(slots.green.as_slice()), "127.0.0.1:8113");
    assert_eq!(app.env["NODE_ENV"].value, Value::Plain("production".into()));
    assert_eq!(app.env["TOKEN"].value, Value::Secret(SecretSource::Env("APP_TOKEN".into())));
    assert_eq!((app.soak.0, app.drain.0), (Duration::from_secs(10), Duration::from_secs(30)));
    let slack = config.file.notify.slack.as_ref().unwrap();
    let fields = slack.fields.as_ref().unwrap().as_slice();
    assert_eq!(fields.iter().map(|fields| fields.as_slice().len()).sum::<usize>(), 10);
    let mentioned: Vec<Status> = slack.mention.keys().map(|status| *status.get()).collect();
    assert_eq!(mentioned, [Status::Failure, Status::Cancelled]);
}

#[test]
fn what_is_left_out_has_the_defaults_that_are_promised() {
    let config = parse(WEB);
    let (_, app) = config.app(None).unwrap();
    assert_eq!((*app.replicas, *app.retain, *app.restart), (1, 3, Restart::UnlessStopped));
    assert_eq!((app.soak.0.as_secs(), app.drain.0.as_secs(), app.stop_grace.0.as_secs()), (10, 30, 10));
    assert_eq!(app.health.check.unwrap_or_default(), HealthCheck::Http);
    assert_eq!((app.health.timeout().as_secs(), app.health.attempt().as_secs()), (30, 2));
    assert_eq!(app.upstream.balance.unwrap_or_default(), Balance::RoundRobin);
    assert!(app.slots.is_none() && app.site.is_none() && app.env.is_empty() && !app.read_only);
    let proxy = &config.file.proxy;
    assert_eq!(
        (proxy.conf_dir.as_path(), proxy.state_dir.as_path()),
        (Path::new("/etc/nginx/conf.d"), Path::new("/var/lib/cutover"),)
    );
    assert_eq!(proxy.control.to_string(), "127.0.0.1:9180");
    assert_eq!(config.file.network.name, "cutover");
}

#[test]
fn one_or_several_of_listen_and_slots_are_taken() {
    let config = parse(&format!(
        "{WEB}replicas = 2\nsite = {{ listen = [\"80\", \"[::]:443 ssl\"], tls = {{ certificate = \"/a\", key = \"/b\" }} }}\n\
         slots = {{ blue = [\"127.0.0.1:1\", \"127.0.0.1:2\"], green = [\"127.0.0.1:3\", \"127.0.0.1:4\"] }}\n"
    ));
    let (_, app) = config.app(Some("web")).unwrap();
    assert_eq!(app.site.as_ref().unwrap().listen.as_slice().len(), 2);
    assert_eq!(app.slots.as_ref().unwrap().green.as_slice().len(), 2);
}

#[test]
fn the_fields_of_a_notice_are_taken_as_action_slack_has_them_written() {
    for fields in
        ["\"all\"", "\"repo,message,commit,author,action,eventName,ref,workflow,job,took\"", "[\"all\"]"]
    {
        let config =
            parse(&format!("{WEB}\n[notify.slack]\nwebhook = {{ env = \"HOOK\" }}\nfields = {fields}\n"));
        let slack = config.file.notify.slack.as_ref().unwrap();
        assert_eq!(slack.fields.as_ref().unwrap().as_slice()[0].as_slice().len(), 10, "{fields}");
    }
}

#[test]
fn a_bot_a_webhook_and_stdout_can_be_told_at_once() {
    let config = parse(&format!(
        "{WEB}\n[notify.slack]\ntoken = {{ env = \"BOT\" }}\nchannel = \"#deploys\"\napi = \"http://127.0.0.1:9\"\n\
         [notify.webhook]\nurl = {{ env = \"HOOK\" }}\n[notify.stdout]\n"
    ));
    let notify = &config.file.notify;
    let slack = notify.slack.as_ref().unwrap();
    assert_eq!(slack.channel.as_ref().unwrap().to_string(), "#deploys");
    assert!(slack.webhook.is_none() && notify.webhook.is_some() && notify.stdout.is_some());
}

#[test]
fn every_key_can_be_written() {
    let config = parse(include_str!("every-key.toml"));
    assert_eq!(config.file.apps.len(), 3);
    let (_, app) = config.app(Some("full")).unwrap();
    assert_eq!(app.volumes.len(), 2);
    assert_eq!(app.memory.as_ref().map(|memory| memory.0), Some(512 << 20));
    assert_eq!(app.env["LEVEL"].value, Value::Plain("3".into()));
    assert_eq!(app.env["DEBUG"].value, Value::Plain("false".into()));
}
