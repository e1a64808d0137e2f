//! What `report` is asked.

use std::path::PathBuf;

use clap::Args;

/// Which run is shown, and as what.
#[derive(Debug, Args)]
pub struct Report {
    /// The app, whose last run is meant; or a release, by its digest, its id or the run's, or the beginning of one.
    #[arg(value_name = "APP|RELEASE")]
    pub of: Option<String>,
    /// Make one page of it, in a file or on stdout.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with_all = ["svg", "json"])]
    pub html: Option<PathBuf>,
    /// Draw the chart alone, to a file or to stdout.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", conflicts_with = "json")]
    pub svg: Option<PathBuf>,
}
