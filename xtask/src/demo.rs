//! `cargo xtask demo`: releases under load on a real engine, nginx and registry, and what became of every request.

mod account;
mod notice;
mod show;
mod table;
mod timeline;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::ready::{ready, say, told};
use crate::rig::error::{Doing as _, Result};
use crate::rig::needs::Need;
use crate::rig::sweep;

pub use account::{Account, Act, Stream};
pub use show::Show;
pub use table::render;
pub use timeline::{Period, timeline};

/// The demo ended because a signal asked it to (`128 + SIGINT`).
const INTERRUPTED: u8 = 130;

/// What the demo stands on.
const NEEDS: [Need; 4] = [Need::DockerClient, Need::Engine, Need::Nginx, Need::Registry];

/// Show deployments under load on this machine, and count what became of every request.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Demo {
    /// Install what is missing (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
    /// Leave everything running for a look, until Ctrl-C.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the demo with this very program as `cutover`. The table goes to stdout, narration to stderr.
///
/// 0 when nothing was lost, 1 when something was or the demo could not be played to its end, 2 when the machine
/// lacks something, 130 after Ctrl-C. Everything it made is removed in each case.
#[must_use]
pub fn run(args: &Demo) -> ExitCode {
    if let Err(exit) = ready("demo", &NEEDS, args.install) {
        return exit;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("error: {}", told(&error)));
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(async {
        let ended = play(args.keep).await;
        // Whatever was cut off in the middle of being made goes too.
        let swept = sweep().await;
        ended.and_then(|exit| swept.map(|()| exit)).unwrap_or_else(|error| {
            say(&format!("error: {}", told(&error)));
            ExitCode::FAILURE
        })
    })
}

async fn play(keep: bool) -> Result<ExitCode> {
    let program = std::env::current_exe().doing("find this program")?;
    let playing = async {
        let mut show = Show::set(&program).await?;
        let account = show.play().await?;
        Ok((show, account))
    };
    let (show, account) = tokio::select! {
        played = playing => played?,
        asked = interrupted() => return asked.map(|()| ExitCode::from(INTERRUPTED)),
    };
    // A reader that went away (`| head`) is no fault of the demo's.
    drop(std::io::stdout().write_all(render(&account).as_bytes()));
    if keep {
        say(&show.directions());
        interrupted().await?;
    }
    say("\n— Removing everything that was made");
    drop(show);
    Ok(if account.faults().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for SIGINT or SIGTERM.
async fn interrupted() -> Result<()> {
    let mut int = signal(SignalKind::interrupt()).doing("listen for SIGINT")?;
    let mut term = signal(SignalKind::terminate()).doing("listen for SIGTERM")?;
    tokio::select! {
        _ = int.recv() => {}
        _ = term.recv() => {}
    }
    Ok(())
}

/// Plays the whole demo with `program` as `cutover`, cleans up, and gives the account of it.
///
/// # Errors
///
/// When a part does not start, or a command cannot be run.
pub async fn perform(program: impl AsRef<Path>) -> Result<Account> {
    Show::set(program.as_ref()).await?.play().await
}
