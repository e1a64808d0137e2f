//! What an engine says of the machine it runs on.

use std::path::PathBuf;

use crate::Engine;
use crate::error::{self, Result};

/// What an engine says of the machine it runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineInfo {
    /// How it keeps images and containers, such as `overlay2`.
    pub storage_driver: String,
    /// Whether containers go on while the engine itself is restarted.
    pub live_restore: bool,
    /// The folder of its host where images and containers are kept.
    pub root_dir: Option<PathBuf>,
    /// The time of its clock, as RFC 3339 has it.
    pub time: Option<String>,
    /// What it warns of by itself, such as limits that its kernel cannot set.
    pub warnings: Vec<String>,
}

impl Engine {
    /// What the engine says of the machine it runs on.
    ///
    /// # Errors
    ///
    /// When the engine does not answer.
    pub async fn observe_info(&self) -> Result<EngineInfo> {
        let info = self.docker().info().await.map_err(|e| error::engine("tell of itself", e))?;
        Ok(EngineInfo {
            storage_driver: info.driver.unwrap_or_default(),
            live_restore: info.live_restore_enabled.unwrap_or_default(),
            root_dir: info.docker_root_dir.filter(|folder| !folder.is_empty()).map(PathBuf::from),
            time: info.system_time.filter(|time| !time.is_empty()),
            warnings: info.warnings.unwrap_or_default(),
        })
    }
}
