//! `cargo xtask cut`: a command of cutover that is killed at one of its effects, or whose effects are listed.
//!
//! It is what `cargo xtask chaos` runs, not people. The killing is here and not in cutover, which knows no more than that
//! its effects have a witness.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use cutover::effect::{Effect, Witness};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use crate::output::say;

/// Run a command of cutover and kill it at one of its effects.
#[derive(Debug, Args)]
pub(crate) struct Cut {
    /// The effect to be killed at, the first of which is 1; left out, the command runs to its end.
    #[arg(long)]
    at: Option<usize>,
    /// When.
    #[arg(long, value_enum, default_value_t = Side::Before)]
    side: Side,
    /// So many microseconds after its beginning is the middle of it.
    #[arg(long, default_value_t = 0)]
    middle: u64,
    /// Write the effects here as they end, each as a line of JSON.
    #[arg(long)]
    list: Option<PathBuf>,
    /// The command line of cutover.
    #[arg(last = true)]
    command: Vec<OsString>,
}

/// On which side of an effect a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Before it.
    Before,
    /// In the middle of it; after it where it ends sooner than expected.
    Amid,
    /// After it.
    After,
}

impl Side {
    /// As it is given on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Amid => "amid",
            Self::After => "after",
        }
    }
}

/// An effect that has passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Its number, from 1, by when it began.
    pub number: usize,
    /// What was done, whatever it was done to.
    pub kind: String,
    /// What was done to what.
    pub words: String,
    /// How long it took, in microseconds.
    pub micros: u64,
}

pub(crate) fn run(cut: &Cut) -> ExitCode {
    let list = match cut.list.as_ref().map(File::create).transpose() {
        Ok(list) => list,
        Err(error) => {
            say(&format!("error: the list cannot be written: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let middle = Duration::from_micros(cut.middle);
    let killer = Killer { at: cut.at, side: cut.side, middle, list, heard: Mutex::default() };
    let arguments = std::iter::once("cutover".into()).chain(cut.command.iter().cloned());
    cutover::main_before(arguments, Arc::new(killer))
}

/// A witness that ends the process.
#[derive(Debug)]
struct Killer {
    at: Option<usize>,
    side: Side,
    middle: Duration,
    list: Option<File>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    begun: usize,
    open: Vec<(usize, Effect, Instant)>,
}

impl Killer {
    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, passed: &Passed) {
        let (Some(mut list), Ok(mut line)) = (self.list.as_ref(), serde_json::to_string(passed)) else {
            return;
        };
        line.push('\n');
        // Whoever reads the list misses what is not in it.
        drop(list.write_all(line.as_bytes()));
    }
}

impl Witness for Killer {
    fn before(&self, effect: &Effect) {
        let number = {
            let mut heard = self.heard();
            heard.begun += 1;
            let number = heard.begun;
            heard.open.push((number, effect.clone(), Instant::now()));
            number
        };
        match self.side {
            Side::Before if self.at == Some(number) => die(),
            Side::Amid if self.at == Some(number) => {
                let middle = self.middle;
                drop(std::thread::spawn(move || {
                    std::thread::sleep(middle);
                    die();
                }));
            }
            _ => {}
        }
    }

    fn after(&self, effect: &Effect) {
        let ended = {
            let mut heard = self.heard();
            let of = heard.open.iter().position(|(_, open, _)| open == effect);
            of.map(|of| heard.open.remove(of))
        };
        let Some((number, effect, began)) = ended else { return };
        let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let (kind, words) = (effect.kind().to_owned(), effect.to_string());
        self.write(&Passed { number, kind, words, micros });
        if self.at == Some(number) && self.side != Side::Before {
            die();
        }
    }
}

/// Ends the process as a power cut would: nothing is dropped, flushed or told.
fn die() {
    // Nothing more is done until the signal comes, nor if it cannot be sent: then the run does not end.
    let _: Result<_, _> = kill_process(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}
