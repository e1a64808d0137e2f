//! What runs on the engine of this machine: `cargo run -p cutover-runtime --example observe [LABEL]`.

use std::io::Write;

use cutover_runtime::{Endpoint, Engine};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let label = std::env::args().nth(1);
    let engine = Engine::connect(&Endpoint::default()).await?;
    let version = engine.version().await?;
    let mut out = std::io::stdout();
    writeln!(out, "{engine:?}, version {} with API {}", version.version, version.api)?;

    let labels: Vec<(&str, &str)> =
        label.iter().map(|label| label.split_once('=').unwrap_or((label, ""))).collect();
    for container in engine.observe_containers(&labels).await? {
        writeln!(out, "{}  {:?}  {}", container.name, container.state, container.image)?;
        for line in engine.last_log_lines(&container.id, 3).await {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}
