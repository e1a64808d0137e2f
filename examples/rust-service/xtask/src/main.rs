//! `cargo xtask …`: the chores of this repository. What is not one of its own is cutover's.

use std::path::Path;
use std::process::ExitCode;

use cutover::config::Config;
use cutover::failure::{Exit, Failure};
use cutover::{credentials, target};
use cutover_registry::ImageRef;
use cutover_runtime::Container;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let tag = match &words[..] {
        [chore, tag] if chore == "deploy" && !tag.starts_with('-') => tag,
        _ => return cutover(words),
    };
    match deploy(tag) {
        Ok(exit) => exit,
        Err(failure) => {
            eprintln!("{}", failure.render(false));
            failure.exit().into()
        }
    }
}

/// `cargo xtask deploy TAG`: says what runs, and ships the release of that tag.
fn deploy(tag: &str) -> Result<ExitCode, Failure> {
    let fault = |error| Failure::from_error(Exit::Fault, &error);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(fault)?;
    let (release, containers) = runtime.block_on(look(tag))?;
    for container in containers.iter().filter(|container| container.state.is_running()) {
        eprintln!("{} runs {}", container.name, container.image);
    }
    Ok(cutover(["ship".to_owned(), "--image".to_owned(), release.to_string()]))
}

/// The tag's image pinned to its digest, as the registry has it, and the app's containers, as the engine has them.
async fn look(tag: &str) -> Result<(ImageRef, Vec<Container>), Failure> {
    let config = Config::read(Path::new("cutover.toml"))?;
    let (name, app) = config.app(None)?;
    let image = app.image.with_tag(tag).map_err(|error| Failure::from_error(Exit::Usage, &error))?;
    let release = credentials::client(&config, image.registry()).await?.resolve(&image).await?;
    let engine = target::connect_engine(&config).await?;
    let containers = engine.observe_containers(&[("cutover.app", name.as_str())]).await?;
    Ok((release.image, containers))
}

fn cutover(words: impl IntoIterator<Item = String>) -> ExitCode {
    cutover::main(std::iter::once("cutover".to_owned()).chain(words).map(Into::into))
}
