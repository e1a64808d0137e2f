//! `deploy` and `backup` against the guide's two jobs, in turn, on the same images.

use std::path::Path;
use std::time::Duration;

use super::figures::{Aim, Part, Unit};
use super::guide::Guide;
use super::program::ran;
use super::sample::Sample;
use crate::ready::say;
use crate::rig::error::Result;
use crate::rig::load::{Config, Load, Report};
use crate::rig::needs;
use crate::rig::stage::Stage;

const HOW: &str = "Each pair is one new image: `cutover deploy` and `cutover backup` with a soak of 0 s, then the \
    guide's jobs `deploy` and `backup` (`docker login`, `stop`, `rm`, `rmi`, `run`; twice), which side is first in \
    turn. Both pull from the same registry with a login and stand behind the same nginx under the same load (4 \
    kept-alive and 2 fresh connections, 5 ms apart). The guide's jobs end when the container was started, whether it \
    answers or not; cutover's when nginx was seen to get its answers from it, after the old slot is drained: with no soak that waits for nginx to give up \
    its idle connections (200 ms), with any soak it has done so by then. One thing is kinder to the guide than it is: its `docker rmi` is refused while the \
    backup's container uses the image, which would end the job, so it is `rmi -f` here.";

pub(super) async fn measure(program: &Path, pairs: u32) -> Result<Part> {
    let mut part =
        Part { title: "Deploy and backup, against the guide's jobs", how: HOW.to_owned(), ..Part::default() };
    let mut stage = Stage::on_host(program, needs::nginx()).await?;
    let guide = Guide::set(&stage).await?;
    let image = stage.release("0", &[]).await?;
    guide.push(&stage.registry, &local(&stage, "0")).await?;
    ran(&stage, &["deploy", "--image", &image]).await?;
    ran(&stage, &["backup"]).await?;
    guide.first().await?;
    let load = |site| Load::start(Config::at(site).workers(4, 2, 0).pace(Duration::from_millis(5)));
    let (ours, theirs) = (load(stage.site()), load(guide.site));
    let mut taken = Taken::default();
    for pair in 1..=pairs {
        say(&format!("jobs: pair {pair} of {pairs}"));
        let version = pair.to_string();
        let image = stage.release(&version, &[]).await?;
        guide.push(&stage.registry, &local(&stage, &version)).await?;
        if pair % 2 == 1 {
            taken.cutover(&stage, &image).await?;
            taken.guide(&guide).await?;
        } else {
            taken.guide(&guide).await?;
            taken.cutover(&stage, &image).await?;
        }
    }
    part.notes.push(account("cutover", &ours.stop().await));
    part.notes.push(account("the guide", &theirs.stop().await));
    taken.tell(&mut part);
    Ok(part)
}

/// The name that the engine has for a release before it is pushed.
fn local(stage: &Stage, version: &str) -> String {
    format!("acme/{}:{version}", stage.app)
}

fn account(whose: &str, report: &Report) -> String {
    let share = 1e6 * report.failed as f64 / report.sent.max(1) as f64;
    let first = report.failures.first().map_or_else(String::new, |first| format!("; the first: {first}"));
    format!(
        "{whose}: {} requests sent, {} failed ({share:.0} in a million){first}",
        report.sent, report.failed
    )
}

/// The phases of cutover's two commands that are told.
const PHASES: [&str; 7] = ["pull", "create", "place", "gate", "drain", "retire", "accept"];

/// Which of them waits for requests in flight, as the guide does not; `pull` and `create` are done meanwhile.
const DRAIN: usize = 4;

#[derive(Default)]
struct Taken {
    cutover: Sample,
    deploy: Sample,
    backup: Sample,
    guide: Sample,
    phases: [Sample; 7],
}

impl Taken {
    async fn cutover(&mut self, stage: &Stage, image: &str) -> Result<()> {
        let deploy = ran(stage, &["deploy", "--json", "--image", image]).await?;
        let backup = ran(stage, &["backup", "--json"]).await?;
        self.deploy.push_time(deploy.took);
        self.backup.push_time(backup.took);
        self.cutover.push_time(deploy.took + backup.took);
        let (deploy, backup) = (deploy.json(), backup.json());
        for (name, sample) in PHASES.into_iter().zip(&mut self.phases) {
            let of = |outcome: &serde_json::Value| outcome["phases"][name].as_f64().unwrap_or_default();
            sample.push((of(&deploy) + of(&backup)) * 1e3);
        }
        Ok(())
    }

    async fn guide(&mut self, guide: &Guide) -> Result<()> {
        let took = guide.deploy_job().await? + guide.backup_job().await?;
        self.guide.push_time(took);
        Ok(())
    }

    fn tell(self, part: &mut Part) {
        let ratio = self.cutover.ratio(&self.guide);
        let working = self.cutover.less(&self.phases[DRAIN]).ratio(&self.guide);
        part.figure(
            "cutover's time by the guide's, pair by pair",
            Unit::Times,
            ratio,
            Some(Aim::AtMost(1.0)),
        );
        part.figure("the same without cutover's phase `drain`", Unit::Times, working, None);
        part.figure("`cutover deploy` and `cutover backup`", Unit::Millis, self.cutover, None);
        part.figure("the guide's jobs", Unit::Millis, self.guide, None);
        part.figure("`cutover deploy` alone", Unit::Millis, self.deploy, None);
        part.figure("`cutover backup` alone", Unit::Millis, self.backup, None);
        for (name, sample) in PHASES.into_iter().zip(self.phases) {
            part.figure(format!("phase `{name}` of both commands"), Unit::Millis, sample, None);
        }
    }
}
