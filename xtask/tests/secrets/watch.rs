//! What anyone can see of a process and of those it starts, while they run.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Programs that the user's own configuration names: they get the whole environment, as their user would give it.
const OF_THE_USER: [&str; 2] = ["docker-credential-", "app-command"];

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

type Seen = BTreeSet<(String, Vec<u8>)>;

/// Looks at the process and its children over and over, until it is ended.
pub(crate) struct Watch {
    ended: Arc<AtomicBool>,
    looking: JoinHandle<Seen>,
}

impl Watch {
    pub(crate) fn start(pid: u32) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        let looking = std::thread::spawn(move || {
            let mut seen = Seen::new();
            while !flag.load(Ordering::Relaxed) {
                look(pid, &mut seen);
                // Programs take milliseconds; the others of this machine need it too.
                std::thread::park_timeout(PAUSE);
            }
            seen
        });
        Self { ended, looking }
    }

    /// All that was seen, with where.
    pub(crate) fn end(self) -> Seen {
        self.ended.store(true, Ordering::Relaxed);
        self.looking.join().expect("looking does not fail")
    }
}

fn read(pid: &str, name: &str) -> Vec<u8> {
    std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default()
}

fn look(pid: u32, seen: &mut Seen) {
    let pid = pid.to_string();
    let own = read(&pid, "cmdline");
    seen.insert(("argv".to_owned(), own.clone()));
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten() {
        if let Ok(target) = std::fs::read_link(entry.path()) {
            let target = target.display().to_string();
            let hidden =
                target.contains("memfd:") || target.ends_with("(deleted)") || target.starts_with("/dev/shm");
            assert!(!hidden, "a file that nobody sees is open: {target}");
        }
    }
    let mut family = vec![pid.clone()];
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children = tasks.map(|task| {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    });
    family.extend(children.flatten());
    for child in &family[1..] {
        let (argv, environ) = (read(child, "cmdline"), read(child, "environ"));
        // A child that is not itself yet, or one that is gone.
        if argv == own || argv.is_empty() || read(child, "cmdline") != argv {
            continue;
        }
        let words = String::from_utf8_lossy(&argv).into_owned();
        let program = words.split('\0').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        seen.insert((format!("argv of {program}"), argv.clone()));
        if !OF_THE_USER.iter().any(|of| words.contains(of)) {
            seen.insert((format!("environment of {program}"), environ));
        }
    }
}
