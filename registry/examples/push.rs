//! Pushes an OCI image layout: `cargo run --example push -- DIR ghcr.io/acme/web:1.4 [~/.docker/config.json]`.
#![expect(clippy::print_stdout, reason = "the answer of an example is for its reader")]

use std::path::Path;

use cutover_registry::{DockerConfig, ImageRef, PushOptions, Registry};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(layout), Some(image)) = (arguments.next(), arguments.next()) else {
        return Err("usage: push DIR IMAGE [DOCKER-CONFIG]".into());
    };
    let image: ImageRef = image.parse()?;
    let mut builder = Registry::builder();
    if let Some(path) = arguments.next() {
        let config = DockerConfig::read(Path::new(&path))?;
        if let Some(credentials) = config.credentials_for(image.registry()).await? {
            builder = builder.credentials(image.registry(), credentials);
        }
    }
    let registry = builder.build()?;
    let pushed = registry.push(Path::new(&layout), &image, &PushOptions::default()).finish().await?;
    println!("{}", pushed.resolved.image);
    Ok(())
}
