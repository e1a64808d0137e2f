//! The commands that change an app: deploy, backup, rollback, ship, promote and abort.

use std::time::Instant;

use cutover_proxyconf::AppName;
use cutover_registry::{Digest, ImageRef};

use super::{Context, Ended};
use crate::apply::prune;
use crate::args::{App, Deploy, Wait};
use crate::config::Config;
use crate::config::app;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::history::{self, Entry};
use crate::lock::{Holder, Lock, NotLocked};
use crate::notice;
use crate::observe::observe;
use crate::origin::Origin;
use crate::outcome::{Outcome, Result as Outcomes};
use crate::output::seconds;
use crate::plan::{Goal, Refusal, ReleaseId};
use crate::release::{Release, Settings, label};
use crate::report::Event;
use crate::run::{Ran, Run};
use crate::target::Target;

/// An app whose lock is held.
struct Held<'c> {
    target: Target<'c>,
    origin: Origin,
    lock: Lock,
}

impl<'c> Held<'c> {
    async fn take(
        context: &Context,
        config: &'c Config,
        app: &App,
        wait: &Wait,
        command: &str,
    ) -> Result<Self, Failure> {
        let (name, table) = config.app(app.app.as_deref())?;
        let target = Target::connect(config, name, table).await?;
        let origin = Origin::observe();
        let lock = lock(context, &target, &origin, wait, command).await?;
        Ok(Self { target, origin, lock })
    }

    async fn go(
        &self,
        context: &Context,
        command: &'static str,
        goal: &Goal,
        release: Option<&Release>,
        resolved: Option<f64>,
    ) -> Result<Ran, Failure> {
        let run = Run {
            target: &self.target,
            report: context.output.report(),
            interrupt: context.interrupt.clone(),
            origin: &self.origin,
            lock: &self.lock,
            began: context.began,
            command,
        };
        run.go(goal, release, resolved).await
    }
}

async fn lock(
    context: &Context,
    target: &Target<'_>,
    origin: &Origin,
    wait: &Wait,
    command: &str,
) -> Result<Lock, Failure> {
    let holder = Holder {
        pid: std::process::id(),
        who: origin.who(),
        command: format!("cutover {command} {}", target.name),
        since: jiff::Timestamp::now().to_string(),
    };
    let folder = target.data_dir();
    let taken = if wait.wait {
        let report = context.output.report();
        let waiting = Lock::wait(&folder, &target.name, &holder, |other| {
            let other = other.map_or_else(|| "another run".to_owned(), ToString::to_string);
            report.tell(Event::Note(&format!("waiting for {other}")));
        });
        waiting.await
    } else {
        Lock::take(&folder, &target.name, &holder)
    };
    taken.map_err(|error| match error {
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
    Ok((Release::new(image.clone(), digest, settings), began.elapsed().as_secs_f64()))
}

/// `cutover deploy`.
pub(super) async fn deploy(context: &Context, args: &Deploy) -> Ended {
    let config = context.config_told()?;
    let (_, app) = config.app(args.app.app.as_deref())?;
    let (release, resolved) = context.unless_interrupted(release(&config, app, args.image.as_ref())).await?;
    let held =
        context.unless_interrupted(Held::take(context, &config, &args.app, &args.wait, "deploy")).await?;
    let goal = Goal::Deploy { release: release.id.clone(), promote: !args.no_promote };
    let ran = held.go(context, "deploy", &goal, Some(&release), Some(resolved)).await?;
    tell_first(context, args, &ran);
    Ok(tell(context, &ran))
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
pub(super) async fn backup(context: &Context, app: &App, wait: &Wait) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, wait, "backup")).await?;
    let ran = back_up(context, &held).await?;
    Ok(tell(context, &ran))
}

async fn back_up(context: &Context, held: &Held<'_>) -> Result<Ran, Failure> {
    let release = live_release(&held.target).await?;
    let goal = Goal::Backup { release: release.id.clone() };
    let ran = held.go(context, "backup", &goal, Some(&release), None).await?;
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
    let observed = observe(target, None).await?;
    let live = observed.live().ok_or(Refusal::NothingLive)?;
    let of = |name: &str| observed.label(live, name).ok_or(Refusal::LiveAiling(live));
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

/// `cutover rollback`.
pub(super) async fn rollback(context: &Context, app: &App, to: Option<&str>, wait: &Wait) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, wait, "rollback")).await?;
    let Some(to) = to else {
        let warm = held.go(context, "rollback", &Goal::Rollback { to: None }, None, None).await;
        match warm {
            // The standby holds the live release, as `backup` left it: the one before comes from the registry.
            Err(failure) if failure.exit() == Exit::Usage => {
                let ran = cold(context, &held, None).await?.ok_or(failure)?;
                return Ok(tell(context, &ran));
            }
            ran => return Ok(tell(context, &ran?)),
        }
    };
    let unknown = || {
        Failure::new(Exit::Usage, format!("the history has no release `{to}`"))
            .next("`cutover history` shows digests and ids; `cutover deploy --image REF` takes any image")
    };
    let ran = cold(context, &held, Some(to)).await?.ok_or_else(unknown)?;
    Ok(tell(context, &ran))
}

/// Goes back to a release of the history: this one, or else the last that is not live. None if there is none.
async fn cold(context: &Context, held: &Held<'_>, to: Option<&str>) -> Result<Option<Ran>, Failure> {
    let observed = observe(&held.target, None).await?;
    let live = observed.live().ok_or(Refusal::NothingLive)?;
    let live_digest = observed.label(live, label::DIGEST);
    let entries = history::read(held.lock.folder()).map_err(|e| Failure::from_error(Exit::Fault, &e))?;
    let wanted = |entry: &&Entry| match (to, entry.digest.as_deref()) {
        (Some(to), Some(digest)) => is_named(to, digest, entry.release.as_deref()),
        (None, digest) => digest.is_some() && digest == before(&entries, live_digest),
        (_, None) => false,
    };
    let found = entries.iter().rev().filter(|entry| entry.reason.is_none()).find(wanted).and_then(|entry| {
        let image: ImageRef = entry.image.as_deref()?.parse().ok()?;
        Some((image, entry.digest.as_deref()?.parse::<Digest>().ok()?))
    });
    let Some((image, digest)) = found else { return Ok(None) };
    let release = Release::new(image, digest, Settings::read(held.target.config, held.target.app).await?);
    // A slot that holds the image already is taken as it stands, whatever the settings are by now.
    let standby = observed.label(live.other(), label::DIGEST) == Some(release.digest.to_string().as_str());
    let there = observed.label(live.other(), label::RELEASE).filter(|_| standby);
    let to = there.map_or_else(|| release.id.clone(), |id| ReleaseId(id.to_owned()));
    let warm = there.is_some().then_some(()).and(observed.world.standby_slot().healthy());
    let release = if warm.is_some() { None } else { Some(&release) };
    held.go(context, "rollback", &Goal::Rollback { to: Some(to) }, release, None).await.map(Some)
}

/// The digest that the live one took over from, by the run that made it live.
fn before<'h>(entries: &'h [Entry], live: Option<&str>) -> Option<&'h str> {
    let made_live = |entry: &&Entry| entry.outcome == "deployed" && entry.digest.as_deref() == live;
    let previous = entries.iter().rev().filter(made_live).filter_map(|entry| entry.previous.as_deref());
    previous.into_iter().find(|previous| Some(*previous) != live)
}

fn is_named(to: &str, digest: &str, id: Option<&str>) -> bool {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    to.len() >= 6
        && (digest.starts_with(to) || hex.starts_with(to) || id.is_some_and(|id| id.starts_with(to)))
}

/// `cutover promote`.
pub(super) async fn promote(context: &Context, app: &App, wait: &Wait) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, wait, "promote")).await?;
    let ran = held.go(context, "promote", &Goal::Promote, None, None).await?;
    Ok(tell(context, &ran))
}

/// `cutover abort`.
pub(super) async fn abort(context: &Context, app: &App, wait: &Wait) -> Ended {
    let config = context.config()?;
    let held = context.unless_interrupted(Held::take(context, &config, app, wait, "abort")).await?;
    let ran = held.go(context, "abort", &Goal::Abort { withdraw: false }, None, None).await?;
    Ok(tell(context, &ran))
}

/// `cutover ship`: deploys, backs up and tells Slack. What comes after the switch never changes the verdict.
pub(super) async fn ship(context: &Context, args: &Deploy) -> Ended {
    let config = context.config_told()?;
    let (name, app) = config.app(args.app.app.as_deref())?;
    let shipped = ship_to(context, &config, app, args).await;
    let report = context.output.report();
    let origin = Origin::observe().with_git();
    let (outcome, exit, failure) = match shipped {
        Ok(ran) => {
            let exit = ran.failure.as_ref().map_or(Exit::Done, Failure::exit);
            (ran.outcome, exit, ran.failure)
        }
        Err(failure) => (not_begun(name, &failure, context), failure.exit(), Some(failure)),
    };
    match notice::send(&config, &notice::of_outcome(&outcome, &origin)).await {
        Ok(_) => {}
        Err(failure) => {
            report.tell(Event::Warning(&format!("the notice was not sent: {}", failure.reason())));
        }
    }
    context.output.data(&outcome, || summary(&outcome));
    if let Some(failure) = failure {
        context.output.failure(&failure);
    }
    Ok(exit)
}

async fn ship_to(context: &Context, config: &Config, app: &app::App, args: &Deploy) -> Result<Ran, Failure> {
    let (release, resolved) = context.unless_interrupted(release(config, app, args.image.as_ref())).await?;
    let held = context.unless_interrupted(Held::take(context, config, &args.app, &args.wait, "ship")).await?;
    let goal = Goal::Deploy { release: release.id.clone(), promote: !args.no_promote };
    let mut ran = held.go(context, "ship", &goal, Some(&release), Some(resolved)).await?;
    tell_first(context, args, &ran);
    let live = matches!(ran.outcome.outcome, Outcomes::Deployed | Outcomes::Unchanged);
    if !live || ran.failure.is_some() || context.interrupt.is_cancelled() {
        return Ok(ran);
    }
    let began = Instant::now();
    let why = match back_up(context, &held).await {
        Ok(backed) => {
            ran.outcome.reloads += backed.outcome.reloads;
            backed.failure.map(|failure| failure.reason())
        }
        Err(failure) => Some(failure.reason()),
    };
    if let Some(why) = why {
        context.output.report().tell(Event::Warning(&format!("the standby was not brought up to it: {why}")));
    }
    ran.outcome.phases.insert("backup".to_owned(), began.elapsed().as_secs_f64());
    ran.outcome.took = context.began.elapsed().as_secs_f64();
    Ok(ran)
}

/// The account of a run that could not begin.
fn not_begun(name: &AppName, failure: &Failure, context: &Context) -> Outcome {
    Outcome {
        app: name.to_string(),
        outcome: if failure.exit() == Exit::Interrupted { Outcomes::Interrupted } else { Outcomes::Failed },
        live: None,
        from: None,
        release: None,
        image: None,
        digest: None,
        previous: None,
        reloads: 0,
        phases: std::collections::BTreeMap::new(),
        took: context.began.elapsed().as_secs_f64(),
        preview: None,
        reason: Some(failure.reason()),
        logs: Vec::new(),
    }
}

/// Prints the account, and the failure if there was one.
fn tell(context: &Context, ran: &Ran) -> Exit {
    context.output.data(&ran.outcome, || summary(&ran.outcome));
    match &ran.failure {
        None => Exit::Done,
        Some(failure) => {
            context.output.failure(failure);
            failure.exit()
        }
    }
}

fn summary(outcome: &Outcome) -> String {
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
