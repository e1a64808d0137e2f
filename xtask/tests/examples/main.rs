//! What stands in `examples/` runs as it stands there.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod own_server;
mod rust_service;
mod shell;

use xtask::rig::place;
use xtask::rig::stage::Stage;

/// A file of an example.
fn example(folder: &str, file: &str) -> String {
    let path = place::workspace().join("examples").join(folder).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An example's `cutover.toml` with the names and addresses of the stage, written where the stage's own was.
fn configure(stage: &Stage, folder: &str) -> String {
    let of_stage = std::fs::read_to_string(stage.config()).unwrap();
    let (proxy, _) = of_stage.split_once("[registry").unwrap();
    let mut text = example(folder, "cutover.toml");
    let app = text.split("[apps.").nth(1).and_then(|rest| rest.split(']').next()).unwrap().to_owned();
    for (from, to) in [
        (format!("ghcr.io/acme/{app}"), stage.repository()),
        ("ghcr.io".to_owned(), stage.registry.host().to_owned()),
        ("GHCR_TOKEN".to_owned(), "REGISTRY_PASSWORD".to_owned()),
        (format!("[apps.{app}]"), format!("[apps.{}]\nsoak = \"500ms\"", stage.app)),
        ("listen = \"80\"".to_owned(), format!("listen = \"{}\"", stage.site())),
    ] {
        text = text.replace(&from, &to);
    }
    let text = format!("{proxy}{text}");
    std::fs::write(stage.config(), &text).unwrap();
    text
}
