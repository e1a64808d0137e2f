//! Pulls an image into an image layout, or streams it into a file that `docker load` takes. Prints how long it took and,
//! where the system tells, how much memory it needed at most.
//!
//! `cargo run --release --example transfer -- pull ghcr.io/acme/web:latest web all`
#![expect(clippy::print_stdout, reason = "the answer of an example is for its reader")]

use std::path::Path;
use std::time::Instant;

use cutover_registry::{ImageRef, Platform, Platforms, Registry};
use futures_util::TryStreamExt as _;
use tokio::io::AsyncWriteExt as _;

const USAGE: &str = "usage: transfer pull IMAGE DIRECTORY [PLATFORM|all], or transfer archive IMAGE FILE";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let registry = Registry::builder().build()?;
    let began = Instant::now();
    match arguments[..] {
        ["pull", image, output, ref platform @ ..] if platform.len() <= 1 => {
            let image: ImageRef = image.parse()?;
            let platforms = match platform.first() {
                None => Platforms::Only(Platform::host()),
                Some(&"all") => Platforms::All,
                Some(platform) => Platforms::Only(platform.parse()?),
            };
            let pulled = registry.pull(&image, platforms, Path::new(output)).finish().await?;
            println!("{}: {} bytes fetched, {} kept", pulled.resolved.image, pulled.fetched, pulled.kept);
        }
        ["archive", image, file] => {
            let mut archive = registry.archive(&image.parse()?, &Platform::host()).await?;
            let mut file = tokio::fs::File::create(file).await?;
            while let Some(bytes) = archive.try_next().await? {
                file.write_all(&bytes).await?;
            }
            file.flush().await?;
            println!("{}: {} bytes", archive.resolved().image, archive.size());
        }
        _ => return Err(USAGE.into()),
    }
    println!("{:.3} s, {}", began.elapsed().as_secs_f64(), peak());
    Ok(())
}

/// The most memory that this process had, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or("VmHWM: unknown");
    peak.split_whitespace().collect::<Vec<_>>().join(" ")
}
