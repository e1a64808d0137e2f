//! Several places at once.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover_notify::{
    Limits, Notice, Part, Progress, Sink as _, Sinks, SlackBot, SlackStyle, SlackWebhook, Status, Template,
    Writer,
};

use crate::api::{Api, TOKEN};
use crate::stand_in::{StandIn, answer, ok};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn slack(server: &StandIn) -> SlackWebhook {
    SlackWebhook::new(&server.webhook().into(), SlackStyle::default(), Limits::default()).unwrap()
}

#[tokio::test]
async fn one_that_fails_keeps_no_other_from_being_told() {
    let (dead, well) = (StandIn::start([answer("410 Gone", "", "")]).await, StandIn::start([ok()]).await);
    let out = Shared::default();
    let mut sinks = Sinks::new();
    sinks.add(slack(&dead));
    sinks.add(slack(&well));
    sinks.add(Writer::new("stdout", out.clone(), None));
    let told = sinks.send(&Notice::new(Status::Success, "web")).await;
    let well_told: Vec<bool> = told.iter().map(|told| told.result.is_ok()).collect();
    assert_eq!(well_told, [false, true, true]);
    assert_eq!((told[0].sink.clone(), told[2].sink.as_str()), (format!("slack ({})", dead.host), "stdout"));
    assert_eq!((well.bodies().len(), out.text().as_str()), (1, "web: deployed\n"));
}

#[tokio::test]
async fn each_hears_of_its_own_outcomes_alone_and_of_a_beginning_only_if_it_hears_of_every_end() {
    let api = Api::start([]).await;
    let bot = || {
        let (token, channel) = (TOKEN.into(), "#deploys".parse().unwrap());
        SlackBot::at(&api.url().parse().unwrap(), &token, channel, SlackStyle::default(), Limits::default())
            .unwrap()
    };
    let out = Shared::default();
    let mut sinks = Sinks::new();
    sinks.add_on(bot(), [Status::Failure]);
    sinks.add_on(Writer::new("stdout", out.clone(), None), [Status::Success]);

    let live = sinks.begin(Progress::new("web"));
    let told = live.end(&Notice::new(Status::Success, "web"), Duration::from_secs(60)).await;
    assert_eq!(told.iter().map(|told| told.sink.as_str()).collect::<Vec<_>>(), ["stdout"]);
    assert!(api.methods().is_empty());

    let told = sinks.send(&Notice::new(Status::Failure, "web")).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].result.is_ok());
    assert_eq!((api.messages().len(), out.text().lines().count()), (1, 1));
}

#[tokio::test]
async fn what_is_written_is_the_templates_text_and_obeyed_by_no_terminal() {
    let template = Template::new("{{ app }}: {{ message }} ({{ phases[0].name }})").unwrap();
    let out = Shared::default();
    let writer = Writer::new("stdout", out.clone(), Some(template));
    let mut notice = Notice::new(Status::Success, "web");
    notice.facts.source.message = Some("\u{1b}[2JFix <b>".into());
    notice.facts.phases = vec![("pull".into(), Duration::from_secs(1))];
    assert!(writer.send(&notice).await.unwrap().lacking.is_empty());
    notice.facts.phases.clear();
    let delivered = writer.send(&notice).await.unwrap();
    assert!(matches!(delivered.lacking.as_slice(), [(Part::Template, _)]), "{delivered:?}");
    assert_eq!(out.text(), "web: [2JFix <b> (pull)\nweb: deployed\n");
}
