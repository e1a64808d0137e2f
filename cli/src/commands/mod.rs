//! The commands, one file each, and the way from the command line to an exit status.

mod build;
mod change;
mod doctor;
mod image;
mod init;
mod look;
mod nginx;
mod notify;
mod plan;
mod report;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{CommandFactory as _, Parser as _};
use cutover_proxyconf::AppName;
use tokio_util::sync::CancellationToken;

use crate::args::{Cli, Command, Global, Schema};
use crate::config::app::App;
use crate::config::{self, Config};
use crate::effect::{self, Told};
use crate::failure::{Exit, Failure};
use crate::github;
use crate::lock;
use crate::memory;
use crate::output::Output;
use crate::report::Event;
use crate::target::{self, Target};
use crate::veil::veil;

/// What every command gets.
struct Context {
    global: Global,
    output: Output,
    interrupt: CancellationToken,
    began: Instant,
    witness: Told,
}

impl Context {
    fn config(&self) -> Result<Config, Failure> {
        let config = Config::read(&self.global.config)?;
        github::mask_all(&config);
        Ok(config)
    }

    /// The configuration, and a warning of each thing that it names and that is not taken.
    fn config_told(&self) -> Result<Config, Failure> {
        let config = self.config()?;
        let report = self.output.report();
        config.warnings().iter().for_each(|warning| report.tell(Event::Warning(&warning.line())));
        Ok(config)
    }

    /// Work that touches nothing, and may be cut at any point.
    async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.interrupt.cancelled() => {
                Err(Failure::new(Exit::Interrupted, "interrupted before anything was done").serves("nothing was changed"))
            }
            done = work => done,
        }
    }

    /// The folder of an app's lock, history and records. Where the file does not say where it is, its nginx does.
    async fn folder(&self, config: &Config, name: &AppName, app: &App) -> Result<PathBuf, Failure> {
        let data_dir = match target::data_dir(config) {
            Some(folder) => folder,
            None => Target::connect(config, name, app, &self.witness).await?.data_dir(),
        };
        Ok(lock::folder(&data_dir, name))
    }
}

type Ended = Result<Exit, Failure>;

/// Runs `cutover` with these arguments, the program's name first.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    main_before(arguments, effect::nobody())
}

/// Runs `cutover` as [`main`] does, before a witness that is told of each effect of commands that change an app.
#[must_use]
pub fn main_before(arguments: impl IntoIterator<Item = OsString>, witness: Told) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not errors; both are printed by clap to where they belong.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let told = error.render();
            match veil(&told.to_string()) {
                Cow::Borrowed(_) => drop(error.print()),
                // In plain text: colours are not worth a password.
                Cow::Owned(told) => drop(std::io::Write::write_all(&mut std::io::stderr(), told.as_bytes())),
            }
            return exit.into();
        }
    };
    let output = Output::new(&cli.global);
    trace(cli.global.verbose, output.colour());
    memory::keep();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.failure(&Failure::from_error(Exit::Fault, &error));
            return Exit::Fault.into();
        }
    };
    let exit = runtime.block_on(run(cli, output, witness));
    // Threads that still read a secret's command or a name server are not waited for.
    runtime.shutdown_background();
    exit.into()
}

async fn run(cli: Cli, output: Output, witness: Told) -> Exit {
    let interrupt = CancellationToken::new();
    tokio::spawn(listen(interrupt.clone()));
    let context = Context { global: cli.global, output, interrupt, began: Instant::now(), witness };
    match dispatch(cli.command, &context).await {
        Ok(exit) => exit,
        Err(failure) => {
            context.output.failure(&failure);
            failure.exit()
        }
    }
}

async fn dispatch(command: Command, context: &Context) -> Ended {
    match command {
        Command::Build(build) => build::build(context, &build).await,
        Command::Push { app } => build::push(context, &app).await,
        Command::Plan { app, image, canary } => plan::plan(context, &app, image.as_ref(), &canary).await,
        Command::Deploy(deploy) => change::deploy(context, &deploy).await,
        Command::Backup { app, probe, wait } => change::backup(context, &app, (&wait, &probe)).await,
        Command::Rollback { app, to, probe, wait } => {
            change::rollback(context, &app, to.as_deref(), (&wait, &probe)).await
        }
        Command::Ship(deploy) => change::ship(context, &deploy).await,
        Command::Promote { app, probe, wait } => change::promote(context, &app, (&wait, &probe)).await,
        Command::Abort { app, wait } => change::abort(context, &app, &wait).await,
        Command::Doctor { app } => doctor::doctor(context, &app).await,
        Command::Status { app } => look::status(context, &app).await,
        Command::History { app, limit } => look::history(context, &app, limit).await,
        Command::Report(asked) => report::report(context, &asked).await,
        Command::Logs { app, slot, tail, follow } => look::logs(context, &app, slot, tail, follow).await,
        Command::Init(flags) => init::init(context, *flags).await,
        Command::Notify { app, status } => notify::notify(context, &app, status).await,
        Command::Nginx(command) => nginx::nginx(context, &command).await,
        Command::Image(command) => image::image(context, &command).await,
        Command::Config(Schema::Schema) => {
            let schema = serde_json::to_string_pretty(&config::schema());
            context.output.text(&schema.map_err(|error| Failure::from_error(Exit::Fault, &error))?);
            Ok(Exit::Done)
        }
        Command::Config(Schema::Check) => context.config_told().map(|_| Exit::Done),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cutover", &mut script);
            context.output.text(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
        Command::Man => {
            let mut page = Vec::new();
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|error| Failure::from_error(Exit::Fault, &error))?;
            context.output.text(&String::from_utf8_lossy(&page));
            Ok(Exit::Done)
        }
    }
}

/// The first signal asks for an end at the next safe point, the second ends at once: that is harmless at any point.
async fn listen(interrupt: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for _ in 0..2 {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        if interrupt.is_cancelled() {
            std::process::exit(Exit::Interrupted as i32);
        }
        interrupt.cancel();
    }
}

fn trace(verbose: u8, colour: bool) {
    use tracing_subscriber::EnvFilter;
    // Ours alone, by name: what a library says of its requests may hold what is none of a log's business.
    let level = match verbose {
        0 => return,
        1 => "debug",
        _ => "trace",
    };
    let ours = ["cutover", "cutover_registry", "cutover_runtime", "cutover_proxyconf", "cutover_notify"];
    let filter = EnvFilter::new(ours.map(|krate| format!("{krate}={level}")).join(","));
    let subscriber =
        tracing_subscriber::fmt().with_ansi(colour).with_writer(std::io::stderr).with_env_filter(filter);
    // Only the first one in a process counts.
    drop(subscriber.try_init());
}
