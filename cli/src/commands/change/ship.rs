//! `cutover ship`: the whole way from a folder or an image to a release that is live and backed up, and a notice of it.

use std::collections::BTreeMap;
use std::time::Instant;

use cutover_proxyconf::AppName;

use super::{Held, Phases, back_up, goal, hand_on, release, stages, summary, tell_first};
use crate::args::Deploy;
use crate::build::{Builder, Options};
use crate::commands::{Context, Ended};
use crate::config::Config;
use crate::config::app;
use crate::failure::{Exit, Failure};
use crate::notice::{self, Audience, Follow};
use crate::origin::Origin;
use crate::outcome::{Outcome, Result as Outcomes};
use crate::probe::{Aim, Answers};
use crate::release::{Release, Settings};
use crate::report::Event;
use crate::run::Ran;
use crate::signature;
use crate::target::connect_engine;

/// `cutover ship`: deploys, backs up and tells Slack. What comes after the switch never changes the verdict.
pub(in crate::commands) async fn ship(context: &Context, args: &Deploy) -> Ended {
    let config = context.config_told()?;
    let (name, app) = config.app(args.app.app.as_deref())?;
    if args.probe.probe.is_some() {
        // Known before anything is built.
        Aim::of(name, app, None)?;
    }
    stages(app, name, &args.canary)?;
    let report = context.output.report();
    // A secret that a program has to tell holds nothing up.
    let stdout = context.output.writer();
    let (audience, prepared) =
        tokio::join!(Audience::read(&config, stdout), prepare(context, &config, app, args));
    let release = prepared.as_ref().ok().map(|(release, ..)| release);
    let follow = Follow::begin(report, audience, name.as_str(), release, &Origin::observe());
    let shipped = match prepared {
        Ok(prepared) => ship_to(context, args, prepared, &follow).await,
        Err(failure) => Err(failure),
    };
    let origin = Origin::observe().with_git();
    let (outcome, exit, failure) = match shipped {
        Ok(ran) => {
            let exit = ran.failure.as_ref().map_or(Exit::Done, Failure::exit);
            (ran.outcome, exit, ran.failure)
        }
        Err(failure) => (not_begun(name, &failure, context), failure.exit(), Some(failure)),
    };
    let heard = follow.end(&notice::of_outcome(&outcome, &origin)).await;
    heard.amiss().for_each(|words| report.tell(Event::Warning(&words)));
    hand_on(context, &outcome);
    context.output.data(&outcome, || summary(&outcome));
    if let Some(failure) = failure {
        context.output.failure(&failure);
    }
    Ok(exit)
}

/// What is to be shipped, what was done to have it, and the app's lock.
async fn prepare<'c>(
    context: &Context,
    config: &'c Config,
    app: &app::App,
    args: &Deploy,
) -> Result<(Release, Phases, Held<'c>), Failure> {
    let builds = app.build.is_some() && args.image.is_none();
    let (release, before) = if builds {
        context.unless_interrupted(build(context, config, app)).await?
    } else {
        let (release, resolved) =
            context.unless_interrupted(release(config, app, args.image.as_ref())).await?;
        (release, vec![("resolve", resolved)])
    };
    let held = context
        .unless_interrupted(Held::take(context, config, &args.app, (&args.wait, &args.probe), "ship"))
        .await?;
    Ok((release, before, held))
}

async fn ship_to(
    context: &Context,
    args: &Deploy,
    (release, before, held): (Release, Phases, Held<'_>),
    follow: &Follow<'_>,
) -> Result<Ran, Failure> {
    let held = Held { follow: Some(follow), ..held };
    let goal = goal(&release, args);
    let mut ran = held.go(context, "ship", &goal, Some(&release), &before).await?;
    tell_first(context, args, &ran);
    let live = matches!(ran.outcome.outcome, Outcomes::Deployed | Outcomes::Unchanged);
    if !live || ran.failure.is_some() || context.interrupt.is_cancelled() {
        return Ok(ran);
    }
    let began = Instant::now();
    let why = match back_up(context, &held, &release).await {
        Ok(backed) => {
            ran.outcome.reloads += backed.outcome.reloads;
            ran.answers = ran.answers.take().zip(backed.answers).map(|(deploy, backup)| deploy.and(backup));
            ran.outcome.probe = ran.answers.as_ref().map(Answers::figures);
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

/// Builds and pushes the image; the release that comes of it, and how long each took in seconds. The settings are read
/// first: what is wrong with them is known before anything is built.
async fn build(context: &Context, config: &Config, app: &app::App) -> Result<(Release, Phases), Failure> {
    let settings = Settings::read(config, app).await?;
    let engine = connect_engine(config).await?;
    let builder = Builder::new(config, app, &engine, context.output.report())?;
    let began = Instant::now();
    let built = builder.build(Options::default()).await?;
    let building = began.elapsed().as_secs_f64();
    let began = Instant::now();
    let pushed = builder.push(&built).await?;
    let phases = vec![("build", building), ("push", began.elapsed().as_secs_f64())];
    signature::check(config, app, &pushed.image).await?;
    Ok((Release::new(app.image.get().clone(), pushed.digest, settings), phases))
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
        commit: None,
        previous_commit: None,
        reloads: 0,
        phases: BTreeMap::new(),
        took: context.began.elapsed().as_secs_f64(),
        probe: None,
        guard: None,
        preview: None,
        reason: Some(failure.reason()),
        logs: failure.log_lines().to_vec(),
    }
}
