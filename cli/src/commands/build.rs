//! `cutover build` and `cutover push`: from a folder to a digest.

use std::time::Instant;

use serde::Serialize;

use super::{Context, Ended};
use crate::args;
use crate::build::{Builder, Built, Options, Pushed};
use crate::failure::Exit;
use crate::github;
use crate::report::Event;
use crate::target::connect_engine;

/// What `--json` says of a build or a push.
#[derive(Serialize)]
struct Account {
    app: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    platforms: Vec<String>,
    took: f64,
}

/// `cutover build`.
pub(super) async fn build(context: &Context, args: &args::Build) -> Ended {
    let config = context.config()?;
    let (name, app) = config.app(args.app.app.as_deref())?;
    let engine = connect_engine(&config).await?;
    let builder = Builder::new(&config, app, &engine, context.output.report())?;
    let began = Instant::now();
    let options = Options { no_cache: args.no_cache, pull: args.pull };
    let work = async {
        let built = builder.build(options).await?;
        let pushed = if args.push { Some(builder.push(&built).await?) } else { None };
        Ok((built, pushed))
    };
    let (built, pushed) = context.unless_interrupted(work).await?;
    told(context, &builder, &name.to_string(), &built, pushed, began);
    Ok(Exit::Done)
}

/// `cutover push`.
pub(super) async fn push(context: &Context, app: &args::App) -> Ended {
    let config = context.config()?;
    let (name, table) = config.app(app.app.as_deref())?;
    let engine = connect_engine(&config).await?;
    let builder = Builder::new(&config, table, &engine, context.output.report())?;
    let began = Instant::now();
    let pushed = context.unless_interrupted(builder.push(&[])).await?;
    told(context, &builder, &name.to_string(), &[], Some(pushed), began);
    Ok(Exit::Done)
}

fn told(
    context: &Context,
    builder: &Builder<'_>,
    app: &str,
    built: &[Built],
    pushed: Option<Pushed>,
    began: Instant,
) {
    if let Some(pushed) = &pushed
        && let Err(error) = github::hand_on(&pushed.image, &pushed.digest.to_string())
    {
        let words = format!("the next step does not hear of it: {error}");
        context.output.report().tell(Event::Warning(&words));
    }
    let account = Account {
        app: app.to_owned(),
        id: built.first().filter(|_| built.len() == 1).map(|built| built.id.clone()),
        image: pushed.as_ref().map(|pushed| pushed.image.to_string()),
        digest: pushed.as_ref().map(|pushed| pushed.digest.to_string()),
        tags: pushed.map(|pushed| pushed.tags).unwrap_or_default(),
        platforms: builder.platforms().map(ToString::to_string).collect(),
        took: began.elapsed().as_secs_f64(),
    };
    context.output.data(&account, || match &account.digest {
        Some(digest) => digest.clone(),
        None => built.iter().map(|built| format!("{}\n", built.id)).collect(),
    });
}
