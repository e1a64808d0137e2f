//! `cutover image resolve` and `pull`: the registry side alone. Works without a configuration.

use std::path::Path;

use cutover_registry::{ImageRef, Platform, Progress};
use futures_util::StreamExt as _;

use super::{Context, Ended};
use crate::args::Image;
use crate::config::Config;
use crate::credentials;
use crate::failure::{Exit, Failure};
use crate::report::Event;

/// `cutover image …`.
pub(super) async fn image(context: &Context, command: &Image) -> Ended {
    let config = config(context)?;
    match command {
        Image::Resolve { image } => resolve(context, &config, image).await,
        Image::Pull { image, output, platform } => {
            pull(context, &config, image, output, platform.as_ref()).await
        }
    }
}

/// The file's registries if there is a file; an app is not needed. A file that was named must be there.
fn config(context: &Context) -> Result<Config, Failure> {
    let named = context.global.config != Path::new("cutover.toml");
    if named || context.global.config.exists() { context.config() } else { Ok(Config::without_apps()) }
}

async fn resolve(context: &Context, config: &Config, image: &ImageRef) -> Ended {
    let registry = credentials::client(config, image.registry()).await?;
    let resolved = registry.resolve(image).await?;
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

async fn pull(
    context: &Context,
    config: &Config,
    image: &ImageRef,
    output: &Path,
    platform: Option<&Platform>,
) -> Ended {
    let registry = credentials::client(config, image.registry()).await?;
    let platform = platform.cloned().unwrap_or_else(Platform::host);
    let report = context.output.report();
    let mut transfer = registry.pull(image, &platform, output);
    let pulling = async {
        while let Some(progress) = transfer.next().await {
            if let Progress::Blob { digest, done, total } = progress {
                report.tell(Event::Layer { layer: digest.short(), done, total });
            }
        }
        transfer.finish().await
    };
    let pulled = tokio::select! {
        pulled = pulling => pulled?,
        () = context.interrupt.cancelled() => return Err(Failure::new(Exit::Interrupted, "the pull was interrupted")),
    };
    let data = serde_json::json!({
        "image": image.to_string(),
        "digest": pulled.resolved.digest.to_string(),
        "platform": platform.to_string(),
        "output": output,
        "fetched": pulled.fetched,
        "kept": pulled.kept,
    });
    context.output.data(&data, || pulled.resolved.digest.to_string());
    Ok(Exit::Done)
}
