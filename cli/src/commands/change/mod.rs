//! The commands that change an app: deploy, backup, rollback, ship, promote and abort.

mod rollback;
mod ship;

use std::time::Instant;

use cutover_proxyconf::AppName;
use cutover_registry::{Digest, ImageRef};

use super::{Context, Ended};
use crate::apply::prune;
use crate::args::{self, App, Deploy, Wait};
use crate::config::Config;
use crate::config::app;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::github;
use crate::lock::{Holder, Lock, NotLocked};
use crate::notice::Follow;
use crate::observe::observe_live;
use crate::origin::Origin;
use crate::outcome::{Outcome, Result as Outcomes};
use crate::output::seconds;
use crate::plan::{Goal, Live, Refusal};
use crate::probe::{Aim, Probe};
use crate::record::Recorder;
use crate::release::{Release, Settings, label};
use crate::report::Event;
use crate::run::{Ran, Run};
use crate::signature;
use crate::target::Target;

pub(super) use rollback::rollback;
pub(super) use ship::ship;

/// What was done before a run began, and how long it took in seconds.
type Phases = Vec<(&'static str, f64)>;

/// An app whose lock is held.
struct Held<'c> {
    target: Target<'c>,
    origin: Origin,
    lock: Lock,
    /// What is put on the site meanwhile.
    probe: Option<Probe>,
    /// Who hears of each step besides the one at the terminal.
    follow: Option<&'c Follow<'c>>,
}

impl<'c> Held<'c> {
    async fn take(
        context: &Context,
        config: &'c Config,
        app: &App,
        (wait, probe): (&Wait, &args::Probe),
        command: &str,
    ) -> Result<Self, Failure> {
        let (name, table) = config.app(app.app.as_deref())?;
        let target = Target::connect(config, name, table, &context.witness).await?;
        let aimed =
            |rate| Aim::of(name, table, target.edge.container_address()).map(|aim| Probe { aim, rate });
        let probe = probe.probe.map(aimed).transpose()?;
        let origin = Origin::observe();
        let (lock, waited) = lock(context, &target, &origin, wait, command).await?;
        // The run that was waited for may have made networks and containers, and somebody another nginx.
        let target =
            if waited { Target::connect(config, name, table, &context.witness).await? } else { target };
        Ok(Self { target, origin, lock, probe, follow: None })
    }

    async fn go(
        &self,
        context: &Context,
        command: &'static str,
        goal: &Goal,
        release: Option<&Release>,
        before: &[(&str, f64)],
    ) -> Result<Ran, Failure> {
        let report = self.follow.map_or(context.output.report(), |follow| follow);
        let recorder = Recorder::new(report, self.probe.as_ref());
        let run = Run {
            target: &self.target,
            report: &recorder,
            recorder: &recorder,
            interrupt: context.interrupt.clone(),
            origin: &self.origin,
            lock: &self.lock,
            began: context.began,
            command,
        };
        run.go(goal, release, before).await
    }
}

/// The app's lock, and whether another run was waited for.
async fn lock(
    context: &Context,
    target: &Target<'_>,
    origin: &Origin,
    wait: &Wait,
    command: &str,
) -> Result<(Lock, bool), Failure> {
    let holder = Holder {
        pid: std::process::id(),
        who: origin.who(),
        command: format!("cutover {command} {}", target.name),
        since: jiff::Timestamp::now().to_string(),
    };
    let folder = target.data_dir();
    let mut waited = false;
    let taken = if wait.wait {
        let report = context.output.report();
        let waiting = Lock::wait(&folder, &target.name, &holder, &context.witness, |other| {
            let other = other.map_or_else(|| "another run".to_owned(), ToString::to_string);
            report.tell(Event::Note(&format!("waiting for {other}")));
            waited = true;
        });
        waiting.await
    } else {
        Lock::take(&folder, &target.name, &holder, &context.witness)
    };
    taken.map(|lock| (lock, waited)).map_err(|error| match error {
        NotLocked::Held(_) => Failure::from_error(Exit::Locked, &error)
            .serves("nothing was changed")
            .next("`--wait` waits for it"),
        error => Failure::from_error(Exit::Fault, &error)
            .next("let this user write there, or name another folder by `data_dir`"),
    })
}

/// Resolves the image and reads the settings: what is to be deployed, whole, before anything is touched.
pub(super) async fn release(
    config: &Config,
    app: &app::App,
    image: Option<&ImageRef>,
) -> Result<(Release, f64), Failure> {
    let began = Instant::now();
    let settings = Settings::read(config, app).await?;
    let image = image.unwrap_or(&app.image);
    let digest = match image.digest() {
        Some(digest) => digest.clone(),
        None => {
            let registry = credentials::client(config, image.registry()).await?;
            let resolved = registry.resolve(image).await;
            resolved.map_err(|error| Failure::from(error).serves("nothing was changed"))?.digest
        }
    };
    signature::check(config, app, &image.with_digest(digest.clone())).await?;
    Ok((Release::new(image.clone(), digest, settings), began.elapsed().as_secs_f64()))
}

/// `cutover deploy`.
pub(super) async fn deploy(context: &Context, args: &Deploy) -> Ended {
    let config = context.config_told()?;
    let (name, app) = config.app(args.app.app.as_deref())?;
    stages(app, name, &args.canary)?;
    let (release, resolved) = context.unless_interrupted(release(&config, app, args.image.as_ref())).await?;
    let held = context
        .unless_interrupted(Held::take(context, &config, &args.app, (&args.wait, &args.probe), "deploy"))
        .await?;
    let goal = goal(&release, args);
    let ran = held.go(context, "deploy", &goal, Some(&release), &[("resolve", resolved)]).await?;
    tell_first(context, args, &ran);
    Ok(tell(context, &ran))
}

/// What a deploy is for.
fn goal(release: &Release, args: &Deploy) -> Goal {
    let canary = args.canary.canary.clone();
    Goal::Deploy { release: release.id.clone(), promote: !args.no_promote, canary }
}

/// Whether the app can be given to these shares of its clients.
pub(super) fn stages(app: &app::App, name: &AppName, canary: &args::Canary) -> Result<(), Failure> {
    let stages = &canary.canary;
    let refused = |words: String, mend: String| {
        Err(Failure::new(Exit::Usage, words).serves("nothing was changed").next(mend))
    };
    if let Some(pair) = stages.windows(2).find(|pair| pair[0] >= pair[1]) {
        let words = format!("a share of {} % after one of {} % takes clients back", pair[1], pair[0]);
        return refused(
            words,
            "name the shares from the least to the greatest: `--canary 5,25,50`".to_owned(),
        );
    }
    if !stages.is_empty() && app.canary.is_none() {
        let words = format!("nginx is not set up to give {name} to a share of its clients");
        return refused(words, format!("add an empty table `[apps.{name}.canary]` to the file"));
    }
    Ok(())
}

/// An app's first release cannot wait: there is no other that nginx could send the traffic to.
fn tell_first(context: &Context, args: &Deploy, ran: &Ran) {
    let first = ran.outcome.outcome == Outcomes::Deployed && ran.outcome.from.is_none();
    if args.no_promote && first {
        let words = "nothing was live before, so the release does not wait and is live";
        context.output.report().tell(Event::Note(words));
    }
}

/// `cutover backup`.
pub(super) async fn backup(context: &Context, app: &App, asked: (&Wait, &args::Probe)) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, asked, "backup")).await?;
    let release = live_release(&held.target).await?;
    let ran = back_up(context, &held, &release).await?;
    Ok(tell(context, &ran))
}

/// Brings the standby up to the live release.
async fn back_up(context: &Context, held: &Held<'_>, release: &Release) -> Result<Ran, Failure> {
    let goal = Goal::Backup { release: release.id.clone() };
    let ran = held.go(context, "backup", &goal, Some(release), &[]).await?;
    if ran.failure.is_none() {
        let report = context.output.report();
        match prune::prune(&held.target, &held.lock).await {
            Ok(removed) => {
                removed.iter().for_each(|image| report.tell(Event::Note(&format!("removed {image}"))));
            }
            Err(failure) => report.tell(Event::Warning(&format!("old images stay: {}", failure.reason()))),
        }
    }
    Ok(ran)
}

/// The live release, by its labels, with the settings as they are in the file now.
async fn live_release(target: &Target<'_>) -> Result<Release, Failure> {
    let (live, standing) = observe_live(target).await?;
    let Live::Serving(live) = live else { return Err(Refusal::NothingLive.into()) };
    let labels = standing.get(live).occupant().first().map(|container| &container.labels);
    let of = |name: &str| labels.and_then(|labels| labels.get(name)).ok_or(Refusal::LiveAiling(live));
    let broken = |error: &(dyn std::error::Error + 'static)| {
        Failure::from_error(Exit::Fault, error)
            .next("deploy again: the live containers' labels are not as cutover made them")
    };
    let image: ImageRef =
        of(label::IMAGE)?.parse().map_err(|e: cutover_registry::ReferenceInvalid| broken(&e))?;
    let digest: Digest =
        of(label::DIGEST)?.parse().map_err(|e: cutover_registry::DigestInvalid| broken(&e))?;
    Ok(Release::new(image, digest, Settings::read(target.config, target.app).await?))
}

/// `cutover promote`.
pub(super) async fn promote(context: &Context, app: &App, asked: (&Wait, &args::Probe)) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, asked, "promote")).await?;
    let ran = held.go(context, "promote", &Goal::Promote, None, &[]).await?;
    Ok(tell(context, &ran))
}

/// `cutover abort`.
pub(super) async fn abort(context: &Context, app: &App, wait: &Wait) -> Ended {
    let config = context.config()?;
    let held = context
        .unless_interrupted(Held::take(context, &config, app, (wait, &args::Probe::default()), "abort"))
        .await?;
    let ran = held.go(context, "abort", &Goal::Abort { withdraw: false }, None, &[]).await?;
    Ok(tell(context, &ran))
}

/// Prints the account, and the failure if there was one.
fn tell(context: &Context, ran: &Ran) -> Exit {
    hand_on(context, &ran.outcome);
    context.output.data(&ran.outcome, || summary(&ran.outcome));
    match &ran.failure {
        None => Exit::Done,
        Some(failure) => {
            context.output.failure(failure);
            failure.exit()
        }
    }
}

/// Tells CI. That it cannot be told changes no verdict.
fn hand_on(context: &Context, outcome: &Outcome) {
    if let Err(error) = github::account(outcome) {
        let words = format!("the next step does not hear of it: {error}");
        context.output.report().tell(Event::Warning(&words));
    }
}

fn summary(outcome: &Outcome) -> String {
    let probe = outcome.probe.as_ref().map(|probe| format!("\nprobe: {probe}"));
    let guard = outcome.guard.as_ref().map(|guard| format!("\nclients: {guard}"));
    [Some(headline(outcome)), probe, guard].into_iter().flatten().collect()
}

fn headline(outcome: &Outcome) -> String {
    let image = outcome.image.as_deref().unwrap_or("the release");
    let live = outcome.live.as_deref().unwrap_or("nothing");
    let took = seconds(outcome.took);
    match outcome.outcome {
        Outcomes::Deployed => format!("{}: {image} is live in {live} after {took}", outcome.app),
        Outcomes::Unchanged => format!("{}: {image} is as it should be already", outcome.app),
        Outcomes::Waiting => format!(
            "{}: {image} waits for `cutover promote {0}`; look at it at {}",
            outcome.app,
            outcome.preview.as_deref().unwrap_or_default()
        ),
        Outcomes::RolledBack => format!("{}: back on {live} after {took}", outcome.app),
        Outcomes::BackedUp => format!("{}: the standby holds {image} too after {took}", outcome.app),
        Outcomes::Aborted => format!("{}: the release that waited is gone; {live} serves", outcome.app),
        Outcomes::Rejected => {
            format!("{}: {image} was rejected after {took}; {live} serves as before", outcome.app)
        }
        Outcomes::Interrupted | Outcomes::Failed => {
            format!("{}: {} after {took}; {live} is live", outcome.app, outcome.outcome.as_str())
        }
    }
}
