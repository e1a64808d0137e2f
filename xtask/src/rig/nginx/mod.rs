//! nginx, on the host and in a container, each with nothing but `http { include <conf_dir>/*.conf; }`.

mod container;
mod host;
mod upgrade;

pub use container::ContainerNginx;
pub use host::HostNginx;

use std::path::Path;

/// How often an error log at the level `notice` says that nginx was told to reload.
fn reloads(log: &Path) -> usize {
    let text = std::fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter(|line| line.contains("(SIGHUP) received")).count()
}
