//! `cutover image …`: the registry side alone. Works without a configuration.

use std::path::Path;

use cutover_registry::{
    Descriptor, ImageRef, Platform, Platforms, Progress, PushOptions, Registry, Transfer,
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use indicatif::HumanBytes;
use tokio::sync::watch;

use super::{Context, Ended};
use crate::args::{Image, Pull, Push};
use crate::config::Config;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::github;
use crate::report::Event;
use crate::target::connect_engine;

/// `cutover image …`.
pub(super) async fn image(context: &Context, command: &Image) -> Ended {
    let config = config(context)?;
    let work = async {
        match command {
            Image::Resolve { image } => resolve(context, &config, image).await,
            Image::Inspect { image, platform } => inspect(context, &config, image, platform.as_ref()).await,
            Image::Tags { image } => tags(context, &config, image).await,
            Image::Referrers { image, artifact_type } => {
                referrers(context, &config, image, artifact_type.as_deref()).await
            }
            Image::Pull(pull) if pull.load => load(context, &config, pull).await,
            Image::Pull(pull) => self::pull(context, &config, pull).await,
            Image::Push(push) => self::push(context, &config, push).await,
        }
    };
    tokio::select! {
        ended = work => ended,
        () = context.interrupt.cancelled() => {
            Err(Failure::new(Exit::Interrupted, "interrupted").next("the same command again takes it up where it was"))
        }
    }
}

/// The file's registries if there is a file; an app is not needed. A file that was named must be there.
fn config(context: &Context) -> Result<Config, Failure> {
    let named = context.global.config != Path::new("cutover.toml");
    if named || context.global.config.exists() { context.config() } else { Ok(Config::without_apps()) }
}

async fn client(config: &Config, image: &ImageRef) -> Result<Registry, Failure> {
    credentials::client(config, image.registry()).await
}

async fn resolve(context: &Context, config: &Config, image: &ImageRef) -> Ended {
    let resolved = client(config, image).await?.resolve(image).await?;
    let data = serde_json::json!({
        "image": image.to_string(),
        "digest": resolved.digest.to_string(),
        "pinned": resolved.image.to_string(),
        "mediaType": resolved.media_type,
        "size": resolved.size,
    });
    context.output.data(&data, || resolved.digest.to_string());
    Ok(Exit::Done)
}

async fn tags(context: &Context, config: &Config, image: &ImageRef) -> Ended {
    let tags = client(config, image).await?.tags(image).await?;
    context.output.data(&tags, || tags.iter().map(|tag| format!("{tag}\n")).collect());
    Ok(Exit::Done)
}

async fn inspect(context: &Context, config: &Config, image: &ImageRef, platform: Option<&Platform>) -> Ended {
    let wanted = platform.cloned().unwrap_or_else(Platform::host);
    let seen = client(config, image).await?.inspect(image, &wanted).await?;
    let platform = seen.config.platform.as_ref().unwrap_or(&wanted).to_string();
    let platforms: Vec<String> = seen.platforms.iter().map(ToString::to_string).collect();
    let layer = |layer: &Descriptor| {
        serde_json::json!({
            "digest": layer.digest.to_string(), "mediaType": layer.media_type, "size": layer.size,
        })
    };
    let run = &seen.config;
    let data = serde_json::json!({
        "image": image.to_string(),
        "digest": seen.resolved.digest.to_string(),
        "manifest": seen.image.digest.to_string(),
        "platform": platform,
        "platforms": platforms,
        "created": run.created,
        "labels": run.labels,
        "env": run.env,
        "entrypoint": run.entrypoint,
        "cmd": run.cmd,
        "ports": run.exposed_ports,
        "user": run.user,
        "workingDir": run.working_dir,
        "stopSignal": run.stop_signal,
        "healthcheck": run.healthcheck.as_ref().map(|check| &check.test),
        "layers": seen.layers.iter().map(layer).collect::<Vec<_>>(),
        "size": seen.size,
    });
    context.output.data(&data, || {
        let mut text = format!(
            "digest     {}\nplatform   {platform} of {}\nsize       {} in {} layers\n",
            seen.resolved.digest,
            platforms.join(", "),
            HumanBytes(seen.size),
            seen.layers.len(),
        );
        let mut line = |name: &str, value: String| {
            if !value.is_empty() {
                text.push_str(&format!("{name:<10} {value}\n"));
            }
        };
        line("created", run.created.clone().unwrap_or_default());
        line("runs", [run.entrypoint.clone(), run.cmd.clone()].concat().join(" "));
        line("ports", run.exposed_ports.join(", "));
        line("user", run.user.clone().unwrap_or_default());
        for (name, value) in &run.labels {
            line("label", format!("{name}={value}"));
        }
        text
    });
    Ok(Exit::Done)
}

async fn referrers(context: &Context, config: &Config, image: &ImageRef, of_type: Option<&str>) -> Ended {
    let registry = client(config, image).await?;
    let image = match image.digest() {
        Some(_) => image.clone(),
        None => registry.resolve(image).await?.image,
    };
    let found = registry.referrers(&image, of_type).await?;
    context.output.data(&found, || {
        let kind =
            |entry: &Descriptor| entry.artifact_type.clone().unwrap_or_else(|| entry.media_type.clone());
        found.iter().map(|entry| format!("{} {}\n", entry.digest, kind(entry))).collect()
    });
    Ok(Exit::Done)
}

async fn pull(context: &Context, config: &Config, pull: &Pull) -> Ended {
    let registry = client(config, &pull.image).await?;
    let Some(output) = &pull.output else {
        return Err(Failure::new(Exit::Usage, "nothing says where the image is to go")
            .next("name a folder by --output, or have the engine take it by --load"));
    };
    let platform = pull.platform.clone().unwrap_or_else(Platform::host);
    let wanted = if pull.all_platforms { Platforms::All } else { Platforms::Only(platform.clone()) };
    let pulled = follow(context, registry.pull(&pull.image, wanted, output)).await?;
    let data = serde_json::json!({
        "image": pull.image.to_string(),
        "digest": pulled.resolved.digest.to_string(),
        "platform": (!pull.all_platforms).then(|| platform.to_string()),
        "output": output,
        "fetched": pulled.fetched,
        "kept": pulled.kept,
    });
    context.output.data(&data, || pulled.resolved.digest.to_string());
    Ok(Exit::Done)
}

/// Has the engine take the image straight from the registry: nothing is kept on disk in between.
async fn load(context: &Context, config: &Config, pull: &Pull) -> Ended {
    let platform = pull.platform.clone().unwrap_or_else(Platform::host);
    let archive = client(config, &pull.image).await?.archive(&pull.image, &platform).await?;
    let (resolved, total) = (archive.resolved().clone(), archive.size());
    let (passed, mut passing) = watch::channel(0);
    let counted = archive.inspect_ok(move |bytes| passed.send_modify(|done| *done += bytes.len() as u64));
    let (report, layer) = (context.output.report(), pull.image.to_string());
    let engine = connect_engine(config).await?;
    let mut loading = std::pin::pin!(engine.load(counted));
    let loaded = loop {
        tokio::select! {
            loaded = &mut loading => break loaded?,
            Ok(()) = passing.changed() => {
                let done = *passing.borrow_and_update();
                report.tell(Event::Layer { layer: &layer, done, total });
            }
        }
    };
    let data = serde_json::json!({
        "image": pull.image.to_string(),
        "digest": resolved.digest.to_string(),
        "platform": platform.to_string(),
        "loaded": loaded,
    });
    context.output.data(&data, || resolved.digest.to_string());
    Ok(Exit::Done)
}

async fn push(context: &Context, config: &Config, push: &Push) -> Ended {
    let registry = client(config, &push.image).await?;
    let mut options = PushOptions::default();
    options.entry.clone_from(&push.entry);
    options.tags.clone_from(&push.tags);
    options.mount_from.clone_from(&push.mount_from);
    let pushed = follow(context, registry.push(&push.layout, &push.image, &options)).await?;
    let (pinned, digest) = (&pushed.resolved.image, pushed.resolved.digest.to_string());
    if let Err(error) = github::hand_on(pinned, &digest) {
        let words = format!("the next step does not hear of it: {error}");
        context.output.report().tell(Event::Warning(&words));
    }
    let data = serde_json::json!({
        "image": pinned.to_string(),
        "digest": digest,
        "tags": pushed.tags,
        "sent": pushed.sent,
        "kept": pushed.kept,
        "mounted": pushed.mounted,
    });
    context.output.data(&data, || digest.clone());
    Ok(Exit::Done)
}

/// Goes through a transfer, telling what happens.
async fn follow<T>(context: &Context, mut transfer: Transfer<'_, T>) -> Result<T, Failure> {
    let report = context.output.report();
    while let Some(progress) = transfer.next().await {
        match progress {
            Progress::Blob { digest, done, total } => {
                report.tell(Event::Layer { layer: digest.short(), done, total });
            }
            Progress::Retrying { error, pause, .. } => {
                report.tell(Event::Note(&format!("again in {:.1} s: {error}", pause.as_secs_f64())));
            }
            _ => {}
        }
    }
    Ok(transfer.finish().await?)
}
