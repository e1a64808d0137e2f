use std::collections::BTreeMap;

use super::*;
use crate::guard::{Guarded, Heard, Judged};
use crate::lock::Holder;
use crate::probe::{Figures, Span};

fn span(sent: u64, failed: u64, [p50, p99, max]: [Option<f64>; 3]) -> Span {
    Span { sent, failed, p50_ms: p50, p99_ms: p99, max_ms: max }
}

fn bucket(at_ms: u64, slot: &str, span: Span) -> Bucket {
    Bucket { at_ms, slot: Some(slot.to_owned()), span }
}

fn heard(p99: u64) -> Heard {
    Heard { requests: 400, failed: 1, p50_ms: Some(4), p99_ms: Some(p99) }
}

/// A deploy from blue to green of 3 s, with one request that failed.
pub(crate) fn record() -> Record {
    let (before, during) = (span(4, 0, [2.0, 4.1, 4.1].map(Some)), span(3, 1, [5.0, 5.2, 5.2].map(Some)));
    let phase = |name: &str, from_ms, to_ms, done| Phase { name: name.to_owned(), from_ms, to_ms, done };
    Record {
        id: "20260102T030405.678Z".to_owned(),
        app: "web".to_owned(),
        began: "2026-01-02T03:04:05.678Z".to_owned(),
        took_ms: 3_000.0,
        run: Entry {
            time: "2026-01-02T03:04:08Z".to_owned(),
            command: "deploy".to_owned(),
            who: "ann@host".to_owned(),
            outcome: "deployed".to_owned(),
            release: Some("0123456789ab".to_owned()),
            image: Some("ghcr.io/acme/web:2".to_owned()),
            digest: Some(format!("sha256:{}", "b".repeat(64))),
            previous: Some(format!("sha256:{}", "a".repeat(64))),
            from: Some("blue".to_owned()),
            live: Some("green".to_owned()),
            phases: BTreeMap::from([("resolve".to_owned(), 0.2)]),
            guard: Some(Guarded { new: heard(12), old: heard(11), judged: Judged::All }),
            probe: Some(Figures {
                rate: 5,
                sent: 7,
                failed: 1,
                why: Some("answered 502".to_owned()),
                before: before.clone(),
                during: Some(during.clone()),
                after: Some(span(0, 0, [None; 3])),
            }),
            reason: None,
        },
        phases: vec![
            phase("gate green directly", 1_000.0, 1_400.0, true),
            phase("switch to green", 1_500.0, 1_504.0, true),
            phase("watch green", 2_000.0, 2_500.0, false),
        ],
        serving: vec![
            Serving { from_ms: 0.0, slot: Some("blue".to_owned()) },
            Serving { from_ms: 1_504.0, slot: Some("green".to_owned()) },
        ],
        gate: vec![Asked {
            from_ms: 1_010.0,
            to_ms: 1_300.0,
            times: 12,
            who: "web-green-1-next".to_owned(),
            what: "GET http://10.0.0.2:80/up".to_owned(),
            wrong: Some("the connection was refused".to_owned()),
        }],
        logs: vec!["listening on 80".to_owned()],
        probe: Some(Probed {
            what: "GET http://127.0.0.1:80/up, Host: web".to_owned(),
            buckets: vec![bucket(0, "blue", before), bucket(1_600, "green", during)],
        }),
    }
}

fn lock(folder: &Path) -> Lock {
    let holder = Holder { pid: 1, who: String::new(), command: String::new(), since: String::new() };
    Lock::take(folder, &"web".parse().unwrap(), &holder, &crate::effect::nobody()).unwrap()
}

#[test]
fn records_come_back_in_order_and_the_oldest_go() {
    let folder = tempfile::tempdir().unwrap();
    let lock = lock(folder.path());
    assert_eq!(read(lock.folder()).unwrap(), []);
    let number = |number: usize| Record { id: format!("2026{number:04}"), ..record() };
    for each in (0..KEPT + 2).rev() {
        keep(&lock, &number(each)).unwrap();
    }
    let found = read(lock.folder()).unwrap();
    assert_eq!((found.len(), &found[0], &found[KEPT - 1]), (KEPT, &number(2), &number(KEPT + 1)));
    std::fs::write(runs(lock.folder()).join("9.json"), "{ torn").unwrap();
    assert_eq!(read(lock.folder()).unwrap().len(), KEPT);
}

#[test]
fn what_a_killed_run_left_of_a_record_goes_with_the_next_lock() {
    let folder = tempfile::tempdir().unwrap();
    let first = lock(folder.path());
    keep(&first, &record()).unwrap();
    let left = runs(first.folder()).join(".new-x");
    std::fs::write(&left, "torn").unwrap();
    drop(first);
    let second = lock(folder.path());
    assert!(!left.exists());
    assert_eq!(read(second.folder()).unwrap().len(), 1);
}

#[test]
fn a_record_that_cannot_be_written_names_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let lock = lock(folder.path());
    std::fs::write(runs(lock.folder()), "a file in the folder's place").unwrap();
    let error = keep(&lock, &record()).unwrap_err();
    assert!(error.to_string().contains("runs/20260102T030405.678Z.json"), "{error}");
}

#[test]
fn a_slot_is_known_by_the_time_and_a_run_by_the_beginning_of_its_names() {
    let record = record();
    let slots = [0.0, 1_503.9, 1_504.0, 9_000.0].map(|at| record.slot_at(at));
    assert_eq!(slots, ["blue", "blue", "green", "green"].map(Some));
    assert!(record.digest_in("blue").unwrap().starts_with("sha256:aa"));
    for (name, named) in [
        ("20260102T03", true),
        ("sha256:bbb", true),
        ("bbbbbb", true),
        ("012345", true),
        ("aaaaaa", false),
        ("bbbbb", false),
    ] {
        assert_eq!(record.is_named(name), named, "{name}");
    }
}

#[test]
fn phases_that_go_on_side_by_side_are_told_apart() {
    use crate::plan::{Ending, Plan, Step};
    use crate::report::{Event, Report as _, Silent};
    let recorder = Recorder::new(&Silent, None);
    let (pull, drain) = (Step::Pull, Step::Drain(cutover_proxyconf::Slot::Green));
    recorder.tell(Event::Begun(&pull));
    recorder.tell(Event::Begun(&drain));
    recorder.tell(Event::Done(&pull, Default::default()));
    // The drain fails, and the way back begins.
    recorder.tell(Event::Planned(&Plan { steps: Vec::new(), ending: Ending::Aborted }));
    let made = recorder.record("web", record().run, Vec::new(), None);
    let told: Vec<(&str, bool)> = made.phases.iter().map(|phase| (phase.name.as_str(), phase.done)).collect();
    assert_eq!(told, [("pull the image", true), ("drain green", false)]);
}
