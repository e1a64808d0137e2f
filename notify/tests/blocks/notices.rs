//! Notices to render: complete ones, and one that is too long everywhere.

use std::time::Duration;

use cutover_notify::{Facts, Fields, Notice, Progress, Requests, SlackStyle, Source, Status};

pub(crate) fn style() -> SlackStyle {
    let mut style = SlackStyle { fields: Fields::all(), ..SlackStyle::default() };
    style.mentions.insert(Status::Failure, vec!["here".parse().unwrap(), "U0123456".parse().unwrap()]);
    style.author_name = Some("boy672820".into());
    style
}

fn source() -> Source {
    Source {
        repo: Some("acme/web".into()),
        message: Some("Fix <b> & co\n\nCloses #1".into()),
        commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
        author: Some("Anna <anna@example.com>".into()),
        action: Some("deploy".into()),
        event_name: Some("push".into()),
        ref_: Some("refs/heads/main".into()),
        workflow: Some("CI".into()),
        job: Some("ship".into()),
        run_url: Some("https://github.com/acme/web/actions/runs/1?a=1&b=2".into()),
        commit_url: Some("https://github.com/acme/web/commit/0123456".into()),
        repo_url: Some("https://github.com/acme/web".into()),
        compare_url: Some("https://github.com/acme/web/compare/fedcba9...0123456".into()),
    }
}

fn facts() -> Facts {
    Facts {
        image: Some("ghcr.io/acme/web:1.4".into()),
        digest: Some(format!("sha256:{}", "0123456789abcdef".repeat(4))),
        previous: Some("ghcr.io/acme/web:1.3".into()),
        from_slot: Some("blue".into()),
        to_slot: Some("green".into()),
        host: Some("srv1".into()),
        actor: Some("anna".into()),
        took: Some(Duration::from_millis(12_480)),
        phases: vec![
            ("pull".into(), Duration::from_millis(3_250)),
            ("gate".into(), Duration::from_millis(410)),
        ],
        requests: Some(Requests {
            total: 67_000,
            lost: 0,
            p99: [4_100, 5_250, 4_000].map(|micros| Some(Duration::from_micros(micros))),
        }),
        package_url: Some("https://github.com/acme/web/pkgs/container/web".into()),
        source: source(),
        ..Facts::new("web")
    }
}

pub(crate) fn success() -> Notice {
    let next = Some("cutover rollback web".into());
    Notice { facts: facts(), next, ..Notice::new(Status::Success, "web") }
}

pub(crate) fn progress() -> Progress {
    let facts = Facts { took: None, requests: None, to_slot: None, ..facts() };
    Progress { facts, phase: Some("watch green".into()) }
}

pub(crate) fn failure() -> Notice {
    let source = Source {
        run_url: Some("https://ci.example/1".into()),
        message: Some("@here <!channel>".into()),
        ..Source::default()
    };
    Notice {
        facts: Facts {
            image: Some("ghcr.io/acme/web:1.5".into()),
            took: Some(Duration::from_secs(31)),
            source,
            ..Facts::new("web")
        },
        reason: Some("GET /healthz answered 500\nfor 30 s".into()),
        logs: vec!["starting".into(), "panic: <!channel> ```boom```".into()],
        ..Notice::new(Status::Failure, "web")
    }
}

pub(crate) fn rolled_back() -> Notice {
    Notice {
        facts: Facts { to_slot: Some("blue".into()), requests: None, ..facts() },
        reason: Some("green answered 500 while it was watched".into()),
        logs: vec!["listening on :8112".into(), "error: no such table: users".into()],
        ..Notice::new(Status::RolledBack, "web")
    }
}

pub(crate) fn cancelled() -> Notice {
    let facts = Facts { from_slot: None, to_slot: Some("blue".into()), requests: None, ..facts() };
    let reason = Some("interrupted while cutover was to gate green directly".into());
    Notice { facts, reason, ..Notice::new(Status::Cancelled, "web") }
}

pub(crate) fn waiting() -> Notice {
    let preview = Some("http://127.0.0.1:9180 as web.cutover.localhost".into());
    let facts = Facts { preview, to_slot: None, requests: None, ..facts() };
    Notice { facts, next: Some("cutover promote web".into()), ..Notice::new(Status::Waiting, "web") }
}

/// Every text is `unit` over and over, every list is long.
pub(crate) fn endless(status: Status, unit: &str) -> Notice {
    let long = Some(unit.repeat(1_500));
    let url = |path: &str| Some(format!("https://ci.example/{path}"));
    let source = Source {
        repo: long.clone(),
        message: long.clone(),
        commit: long.clone(),
        author: long.clone(),
        action: long.clone(),
        event_name: long.clone(),
        ref_: long.clone(),
        workflow: long.clone(),
        job: long.clone(),
        run_url: url(&"a".repeat(275)),
        commit_url: url(unit),
        repo_url: url(&unit.repeat(1_500)),
        compare_url: url(&"b".repeat(275)),
    };
    let facts = Facts {
        app: unit.repeat(1_500),
        image: long.clone(),
        digest: long.clone(),
        previous: long.clone(),
        from_slot: long.clone(),
        to_slot: Some(format!("to {}", unit.repeat(1_500))),
        host: long.clone(),
        actor: long.clone(),
        took: Some(Duration::MAX),
        phases: vec![(unit.repeat(100), Duration::MAX); 200],
        requests: Some(Requests { total: u64::MAX, lost: u64::MAX, p99: [Some(Duration::MAX); 3] }),
        preview: long.clone(),
        package_url: url(&"c".repeat(275)),
        source,
    };
    Notice { status, facts, reason: long.clone(), logs: vec![unit.repeat(70); 500], next: long }
}
