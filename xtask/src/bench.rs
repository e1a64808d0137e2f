//! `cargo xtask bench`: what a release costs in time, throughput and memory, on a release build of cutover.

mod account;
mod chart;
mod document;
mod figures;
mod growth;
mod guide;
mod jobs;
mod machine;
mod memory;
mod program;
mod registry;
mod rivals;
mod rollouts;
mod sample;
mod switching;
mod throughput;
mod watch;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::ready::{ready, say, told};
use crate::rig::error::{Doing as _, Result};
use crate::rig::needs::Need;
use crate::rig::{place, sweep};

pub use chart::{Bar, Chart};
pub use figures::{Aim, Figure, Part, Row, Unit, render};
pub use sample::Sample;

/// Where the figures are kept, in the workspace.
const FIGURES: &str = "docs/benchmarks/README.md";

/// What the figures stand on.
const NEEDS: [Need; 10] = [
    Need::DockerClient,
    Need::Engine,
    Need::Nginx,
    Need::Registry,
    Need::Skopeo,
    Need::Compose,
    Need::Wrk,
    Need::Caddy,
    Need::Haproxy,
    Need::NginxNew,
];

/// Measure a release build of cutover on this machine, and write docs/benchmarks/README.md.
#[derive(Clone, Debug, clap::Args)]
pub struct Bench {
    /// Install what is missing (Debian and Ubuntu, as root).
    #[arg(long)]
    pub install: bool,
    /// Measure only these, print them and write nothing.
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    pub only: Vec<What>,
    /// With --only: put them in the place of theirs in docs/benchmarks/README.md.
    #[arg(long, requires = "only")]
    pub replace: bool,
    /// How many pairs of cutover's and the guide's jobs to measure.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub pairs: u32,
    /// How many rounds of switches and of throughput; of rollouts, which vary more, twice as many.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Measure this program instead of a release build of the workspace.
    #[arg(long, value_name = "FILE")]
    pub program: Option<PathBuf>,
}

impl Bench {
    fn wants(&self, what: What) -> bool {
        self.only.is_empty() || self.only.contains(&what)
    }
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Switches under load against nginx, Caddy and HAProxy.
    Rivals,
    /// Whole rollouts under load against docker-rollout, where it is on the path, and Docker Swarm.
    Rollouts,
    /// From healthy to live, and rolling back.
    Switching,
    /// `deploy` and `backup` against the guide's two jobs.
    Jobs,
    /// Requests per second against the guide's `upstream` block.
    Throughput,
    /// 1 to 1,000 apps in a file, and 1 to 64 replicas.
    Growth,
    /// Memory and start-up.
    Memory,
    /// Pulls and pushes against skopeo.
    Registry,
}

/// Measures, with the Markdown on stdout and narration on stderr.
///
/// 0 when everything was measured, whatever the figures are; 1 when a part failed, 2 when the machine lacks something.
#[must_use]
pub fn run(args: &Bench) -> ExitCode {
    let needs: Vec<Need> = NEEDS.into_iter().filter(|need| stands_on(args, *need)).collect();
    if let Err(exit) = ready("bench", &needs, args.install) {
        return exit;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let measured = runtime.doing("start a runtime").and_then(|runtime| {
        runtime.block_on(async {
            let measured = measure(args).await;
            let swept = sweep().await;
            measured.and(swept)
        })
    });
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", told(&error)));
            ExitCode::FAILURE
        }
    }
}

/// Whether what is to be measured stands on it.
fn stands_on(args: &Bench, need: Need) -> bool {
    match need {
        Need::Wrk => args.wants(What::Throughput),
        Need::Compose => args.wants(What::Rollouts),
        Need::Haproxy => {
            [What::Throughput, What::Rivals, What::Rollouts].into_iter().any(|what| args.wants(what))
        }
        Need::Caddy | Need::NginxNew => args.wants(What::Rivals),
        _ => true,
    }
}

async fn measure(args: &Bench) -> Result<()> {
    let program = match &args.program {
        // The stage runs it in a folder of its own.
        Some(program) => program.canonicalize().doing(format!("find {}", program.display()))?,
        None => {
            say("building a release build of cutover");
            program::build().await?
        }
    };
    let mut parts = Vec::new();
    if args.wants(What::Rivals) {
        parts.push(rivals::measure(&program, args.rounds).await?);
    }
    if args.wants(What::Rollouts) {
        parts.push(rollouts::measure(&program, args.rounds * 2).await?);
    }
    if args.wants(What::Switching) {
        parts.push(switching::measure(&program).await?);
    }
    if args.wants(What::Jobs) {
        parts.push(jobs::measure(&program, args.pairs).await?);
    }
    if args.wants(What::Throughput) {
        parts.push(throughput::measure(&program, args.rounds).await?);
    }
    if args.wants(What::Growth) {
        parts.push(growth::measure(&program, args.rounds).await?);
    }
    if args.wants(What::Memory) {
        parts.push(memory::measure(&program).await?);
    }
    if args.wants(What::Registry) {
        parts.push(registry::measure(&program).await?);
    }
    let text = parts.iter().map(render).collect::<Vec<_>>().join("\n");
    // A reader that went away is no fault of the figures'.
    drop(std::io::stdout().write_all(text.as_bytes()));
    let kept = place::workspace().join(FIGURES);
    match (args.only.is_empty(), args.replace) {
        (true, _) => document::write(&kept, &parts),
        (false, true) => document::replace(&kept, parts),
        (false, false) => Ok(()),
    }
}
