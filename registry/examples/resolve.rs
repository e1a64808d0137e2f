//! Pins a tag to its digest: `cargo run --example resolve -- ghcr.io/acme/web:latest [~/.docker/config.json]`.
#![expect(clippy::print_stdout, reason = "the answer of an example is for its reader")]

use std::path::Path;

use cutover_registry::{DockerConfig, ImageRef, Registry};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let image: ImageRef = arguments.next().ok_or("usage: resolve IMAGE [DOCKER-CONFIG]")?.parse()?;
    let mut builder = Registry::builder();
    if let Some(path) = arguments.next() {
        let config = DockerConfig::read(Path::new(&path))?;
        if let Some(credentials) = config.credentials_for(image.registry()).await? {
            builder = builder.credentials(image.registry(), credentials);
        }
    }
    let resolved = builder.build()?.resolve(&image).await?;
    println!("{}", resolved.image);
    Ok(())
}
