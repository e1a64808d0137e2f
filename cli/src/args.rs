//! The command line.

mod image;
mod report;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cutover_notify::Status;
use cutover_proxyconf::Slot;
use cutover_registry::ImageRef;

pub use self::image::{Image, Pull, Push};
pub use self::report::Report;

/// Blue-green deployments of Docker containers behind nginx that lose no request.
#[derive(Debug, Parser)]
#[command(name = "cutover", version, about, after_help = EXITS, propagate_version = true)]
pub struct Cli {
    /// The options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

const EXITS: &str = "Exit status: 0 done or nothing to do, 1 a fault, 2 wrong command line or configuration, 3 engine, \
nginx or registry cannot be reached, 4 the new release is not healthy and the old one serves, 5 another run holds the \
lock, 6 the new release failed after the switch and the old one serves, 7 interrupted";

/// The options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The configuration.
    #[arg(
        short,
        long,
        global = true,
        value_name = "FILE",
        default_value = "cutover.toml",
        env = "CUTOVER_CONFIG"
    )]
    pub config: PathBuf,
    /// Print one JSON object.
    #[arg(long, global = true)]
    pub json: bool,
    /// Tell only errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell more; twice for every detail.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Whether to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The beginning of a release's digest or id: with fewer than six digits it might be any.
fn release(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    if digits.len() < 6 || !digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(
            "a release is named by at least 6 of the hexadecimal digits that `cutover history` shows"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// An app of the file.
#[derive(Debug, Args)]
pub struct App {
    /// The app; may be left out when the file has one.
    pub app: Option<String>,
}

/// Waiting for the lock.
#[derive(Debug, Args)]
pub struct Wait {
    /// Wait for another run of this app to end.
    #[arg(long)]
    pub wait: bool,
}

/// Requests of our own on the site.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Probe {
    /// Put so many requests a second on the site during the run, and tell how they were answered.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub probe: Option<u32>,
}

/// Shares of the clients.
#[derive(Clone, Debug, Default, Args)]
pub struct Canary {
    /// Give the release to these shares of the clients first, in percent, and watch each: 5,25,50.
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=99))]
    pub canary: Vec<u8>,
}

/// What is deployed.
#[derive(Debug, Args)]
pub struct Deploy {
    /// The app.
    #[command(flatten)]
    pub app: App,
    /// The image instead of the file's, by tag or digest.
    #[arg(long, value_name = "REF")]
    pub image: Option<ImageRef>,
    /// Let the release wait in the standby slot until `promote` or `abort`.
    #[arg(long, conflicts_with = "canary")]
    pub no_promote: bool,
    /// Shares of the clients.
    #[command(flatten)]
    pub canary: Canary,
    /// Requests of our own.
    #[command(flatten)]
    pub probe: Probe,
    /// Waiting.
    #[command(flatten)]
    pub wait: Wait,
}

/// What is built.
#[derive(Debug, Args)]
pub struct Build {
    /// The app.
    #[command(flatten)]
    pub app: App,
    /// Push the image under its tags too, and print its digest.
    #[arg(long)]
    pub push: bool,
    /// Take no layer of an earlier build.
    #[arg(long)]
    pub no_cache: bool,
    /// Ask the registries for newer base images.
    #[arg(long)]
    pub pull: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build an app's image.
    Build(Build),
    /// Push the image that was built, and print its digest.
    Push {
        /// The app.
        #[command(flatten)]
        app: App,
    },
    /// Show what a deploy would do; change nothing.
    Plan {
        /// The app.
        #[command(flatten)]
        app: App,
        /// The image instead of the file's, by tag or digest.
        #[arg(long, value_name = "REF")]
        image: Option<ImageRef>,
        /// Shares of the clients.
        #[command(flatten)]
        canary: Canary,
    },
    /// Make a release live without losing a request.
    Deploy(Deploy),
    /// Give the standby slot the live release, and remove old images.
    Backup {
        /// The app.
        #[command(flatten)]
        app: App,
        /// Requests of our own.
        #[command(flatten)]
        probe: Probe,
        /// Waiting.
        #[command(flatten)]
        wait: Wait,
    },
    /// Go back to the release before, or to another.
    Rollback {
        /// The app.
        #[command(flatten)]
        app: App,
        /// The release: a digest, its beginning, or a release's id, as `history` shows them.
        #[arg(long, value_name = "RELEASE", value_parser = release)]
        to: Option<String>,
        /// Requests of our own.
        #[command(flatten)]
        probe: Probe,
        /// Waiting.
        #[command(flatten)]
        wait: Wait,
    },
    /// Build and push where the file says how and no image is named; then deploy, back up and notify.
    Ship(Deploy),
    /// Make the release that waits live.
    Promote {
        /// The app.
        #[command(flatten)]
        app: App,
        /// Requests of our own.
        #[command(flatten)]
        probe: Probe,
        /// Waiting.
        #[command(flatten)]
        wait: Wait,
    },
    /// Drop the release that waits, and put its slot back as it was.
    Abort {
        /// The app.
        #[command(flatten)]
        app: App,
        /// Waiting.
        #[command(flatten)]
        wait: Wait,
    },
    /// Check everything that a deploy needs; change nothing.
    Doctor {
        /// The app.
        #[command(flatten)]
        app: App,
    },
    /// Show what is live and what stands by.
    Status {
        /// The app.
        #[command(flatten)]
        app: App,
    },
    /// Show what was deployed when, and by whom.
    History {
        /// The app.
        #[command(flatten)]
        app: App,
        /// So many of the newest.
        #[arg(short = 'n', long, default_value_t = 20)]
        limit: usize,
    },
    /// Show how a run went: as text, or as a page or a chart that needs nothing else.
    Report(Report),
    /// Show the output of a slot's containers.
    Logs {
        /// The app.
        #[command(flatten)]
        app: App,
        /// The slot instead of the live one.
        #[arg(long)]
        slot: Option<Slot>,
        /// So many of the last lines.
        #[arg(short = 'n', long, default_value_t = 100)]
        tail: u64,
        /// Go on as more comes.
        #[arg(short, long)]
        follow: bool,
    },
    /// Write a first cutover.toml, and workflows for GitHub Actions.
    Init(Box<crate::init::Flags>),
    /// Tell Slack how a job ended, and do nothing else.
    Notify {
        /// The app.
        #[command(flatten)]
        app: App,
        /// How it ended: success, failure, cancelled, rolled-back or waiting.
        #[arg(long)]
        status: Status,
    },
    /// The nginx side alone.
    #[command(subcommand)]
    Nginx(Nginx),
    /// The registry side alone.
    #[command(subcommand)]
    Image(Image),
    /// The configuration file.
    #[command(subcommand)]
    Config(Schema),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in roff.
    Man,
}

/// The nginx side alone.
#[derive(Debug, Subcommand)]
pub enum Nginx {
    /// Print the files as they are to be.
    Render {
        /// The app.
        #[command(flatten)]
        app: App,
    },
    /// Compare them with what is installed and with what nginx serves, and have nginx check its configuration.
    Check {
        /// The app.
        #[command(flatten)]
        app: App,
    },
    /// Install them and reload nginx if that changes anything.
    Apply {
        /// The app.
        #[command(flatten)]
        app: App,
        /// Waiting.
        #[command(flatten)]
        wait: Wait,
    },
}

/// The configuration file.
#[derive(Debug, Subcommand)]
pub enum Schema {
    /// Print its JSON schema.
    Schema,
    /// Read it and say whether it is right.
    Check,
}
