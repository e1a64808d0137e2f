//! Every order in which runs, a `doctor` and a reader can meet at an app's lock, marker and history, found by loom. They are the
//! real code upon real files; at each [`moment`] loom has any of the others go on, with up to [`TURNS`] of them cut short.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32};

use loom::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

use super::*;
use crate::effect::nobody;
use crate::history::{self, Entry};

const TURNS: usize = 3;

/// Of a thread, in bytes: the real code needs more than loom gives.
const STACK: usize = 1 << 20;

thread_local! {
    static MODELLED: Cell<bool> = const { Cell::new(false) };
}

loom::lazy_static! {
    static ref MOMENTS: AtomicUsize = AtomicUsize::new(0);
}

/// Another process may come between here.
pub(crate) fn moment() {
    if MODELLED.get() {
        MOMENTS.fetch_add(1, Ordering::SeqCst);
    }
}

/// An app's folder, and what is to be so in it.
struct App {
    data: TempDir,
    name: AppName,
    inside: AtomicBool,
    processes: AtomicU32,
}

impl App {
    fn new() -> Self {
        // In memory where there is such a place: the history is synced.
        let memory = Path::new("/dev/shm");
        let data = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self {
            data: data.unwrap(),
            name: "web".parse().unwrap(),
            inside: AtomicBool::new(false),
            processes: AtomicU32::new(10),
        }
    }

    fn folder(&self) -> PathBuf {
        folder(self.data.path(), &self.name)
    }

    fn marker(&self) -> PathBuf {
        self.folder().join("green")
    }

    fn live(&self) -> &'static str {
        if self.marker().is_file() { "green" } else { "blue" }
    }

    fn switch(&self, live: &str) {
        if live == "green" {
            File::create_new(self.marker()).unwrap();
        } else {
            std::fs::remove_file(self.marker()).unwrap();
        }
    }

    /// Takes the lock, as a process of its own.
    fn take(&self) -> Option<Lock> {
        let pid = self.processes.fetch_add(1, Ordering::Relaxed);
        match Lock::take(self.data.path(), &self.name, &holder(pid), &nobody()) {
            Ok(lock) => Some(lock),
            Err(NotLocked::Held(_)) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// What a run does with the lock: from this slot to the other.
    fn go(&self, lock: &Lock, from: &str) {
        assert!(!self.inside.swap(true, Ordering::SeqCst), "two runs at once");
        let to = if from == "blue" { "green" } else { "blue" };
        moment();
        self.switch(to);
        moment();
        history::add(lock, &entry(from, to)).unwrap();
        self.inside.store(false, Ordering::SeqCst);
    }
}

fn holder(pid: u32) -> Holder {
    Holder { pid, who: "ann".into(), command: "deploy".into(), since: "2026-01-01T00:00:00Z".into() }
}

fn entry(from: &str, live: &str) -> Entry {
    let text = format!(
        r#"{{"time":"","command":"deploy","who":"ann","outcome":"deployed","release":null,"image":null,"digest":null,
            "previous":null,"from":"{from}","live":"{live}","phases":{{}}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

type Actor = fn(&App);

fn run(app: &App) {
    if let Some(lock) = app.take() {
        app.go(&lock, app.live());
    }
}

/// A run whose process is killed once it has said who it is: the kernel gives its lock up, nobody removes its words.
fn killed(app: &App) {
    let mut file = Folder::ensure(&app.folder()).unwrap().ensure_file(FILE).unwrap();
    moment();
    if file.try_lock().is_ok() {
        write_holder(&mut file, &holder(2)).unwrap();
        moment();
    }
}

fn doctor(app: &App) {
    match observe(app.data.path(), &app.name) {
        Held::Left(holder) => assert_eq!(holder.pid, 2, "a run is said to be killed that was not"),
        Held::Free | Held::By(_) => {}
    }
}

fn reader(app: &App) {
    let path = app.folder().join("history.jsonl");
    let read = || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let whole = text.is_empty() || text.ends_with('\n');
        let entries = history::read(&app.folder()).unwrap();
        assert!(whole && text.lines().count() <= entries.len(), "the history is torn: {text:?}");
        entries
    };
    let before = read();
    moment();
    let after = read();
    assert!(after.starts_with(&before), "the history went back from {before:?} to {after:?}");
}

/// Each run began where the one before it ended, and the last where nginx is now.
fn in_turn(app: &App) {
    let mut live = "blue".to_owned();
    for entry in history::read(&app.folder()).unwrap() {
        assert_eq!(entry.from, Some(live), "a run went on from what was so no more");
        live = entry.live.unwrap();
    }
    assert_eq!(live, app.live());
    assert!(matches!(observe(app.data.path(), &app.name), Held::Free | Held::Left(_)));
}

/// Has these meet in every order; in how many they did.
fn every_order(actors: &'static [Actor]) -> usize {
    struct Modelled;
    impl Drop for Modelled {
        fn drop(&mut self) {
            MODELLED.set(false);
        }
    }
    let orders = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let thread =
        |work: Box<dyn FnOnce() + Send>| loom::thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    let _modelled = Modelled;
    MODELLED.set(true);
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(TURNS);
    model.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let all = thread(Box::new(move || {
            let app = Arc::new(App::new());
            let begin = |actor: &'static Actor| {
                let app = Arc::clone(&app);
                thread(Box::new(move || actor(&app)))
            };
            let begun: Vec<_> = actors.iter().map(begin).collect();
            begun.into_iter().for_each(|actor| actor.join().unwrap());
            MODELLED.set(false);
            in_turn(&app);
            MODELLED.set(true);
        }));
        all.join().unwrap();
    });
    orders.load(Ordering::Relaxed)
}

#[track_caller]
fn holds(actors: &'static [Actor], orders: usize) {
    let met = every_order(actors);
    println!("{met} orders");
    assert!(met > orders, "they met in {met} orders only");
}

#[track_caller]
fn finds(actors: &'static [Actor]) {
    let met = catch_unwind(AssertUnwindSafe(|| every_order(actors)));
    assert!(met.is_err(), "a fault was not found out in {met:?} orders");
}

#[test]
fn two_runs_go_one_after_the_other_and_a_doctor_between_them_takes_neither_for_killed() {
    holds(&[run, run, doctor], 100);
}

#[test]
fn who_reads_the_history_while_runs_write_it_sees_it_whole() {
    holds(&[run, run, reader], 100);
}

#[test]
fn a_killed_holder_holds_up_nobody_and_only_it_is_told_of() {
    holds(&[killed, run, doctor], 100);
}

#[test]
fn the_model_finds_a_run_that_looks_before_it_has_the_lock() {
    const CARELESS: Actor = |app| {
        drop(Folder::ensure(&app.folder()).unwrap());
        let from = app.live();
        moment();
        if let Some(lock) = app.take() {
            app.go(&lock, from);
        }
    };
    finds(&[run, CARELESS]);
}

#[test]
fn the_model_finds_a_history_that_is_written_in_place() {
    const IN_PLACE: Actor = |app| {
        let Some(lock) = app.take() else { return };
        let path = lock.folder().join("history.jsonl");
        let text = serde_json::to_string(&entry("blue", "green")).unwrap() + "\n";
        let (half, rest) = text.split_at(text.len() / 2);
        std::fs::write(&path, half).unwrap();
        moment();
        std::fs::write(&path, format!("{half}{rest}")).unwrap();
        app.switch("green");
    };
    finds(&[IN_PLACE, reader]);
}

#[test]
fn the_model_finds_a_doctor_that_reads_the_words_only_once() {
    const HASTY: Actor = |app| {
        let Ok(mut file) = File::open(app.folder().join(FILE)) else { return };
        let holder = read_holder(&mut file);
        moment();
        assert!(is_held(&file) || holder.is_none(), "a run is said to be killed that was not");
    };
    finds(&[run, HASTY]);
}
