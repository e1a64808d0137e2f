//! Notices to render: two complete ones, and one that is too long everywhere.

use std::time::Duration;

use cutover_notify::{Field, Notice, SlackConfig, Source, Status};

pub(crate) fn config() -> SlackConfig {
    let mut config = SlackConfig::new("https://hooks.slack.com/services/T0/B0/x".to_owned());
    config.mentions.insert(Status::Failure, vec!["here".parse().unwrap(), "U0123456".parse().unwrap()]);
    config.author_name = Some("boy672820".into());
    config.fields = Field::ALL.to_vec();
    config
}

pub(crate) fn success() -> Notice {
    Notice {
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
        next: Some("cutover rollback web".into()),
        source: Source {
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
        },
        ..Notice::new(Status::Success, "web")
    }
}

pub(crate) fn failure() -> Notice {
    Notice {
        image: Some("ghcr.io/acme/web:1.5".into()),
        took: Some(Duration::from_secs(31)),
        reason: Some("GET /healthz answered 500\nfor 30 s".into()),
        logs: vec!["starting".into(), "panic: <!channel> ```boom```".into()],
        source: Source {
            run_url: Some("https://ci.example/1".into()),
            message: Some("@here <!channel>".into()),
            ..Source::default()
        },
        ..Notice::new(Status::Failure, "web")
    }
}

/// Every text is `unit` over and over, every list is long.
pub(crate) fn endless(status: Status, unit: &str) -> Notice {
    let long = Some(unit.repeat(5_000));
    Notice {
        image: long.clone(),
        digest: long.clone(),
        previous: long.clone(),
        from_slot: long.clone(),
        to_slot: Some(format!("to {}", unit.repeat(5_000))),
        host: long.clone(),
        actor: long.clone(),
        took: Some(Duration::MAX),
        phases: vec![(unit.repeat(100), Duration::MAX); 200],
        reason: long.clone(),
        logs: vec![unit.repeat(70); 500],
        next: long.clone(),
        source: Source {
            repo: long.clone(),
            message: long.clone(),
            commit: long.clone(),
            author: long.clone(),
            action: long.clone(),
            event_name: long.clone(),
            ref_: long.clone(),
            workflow: long.clone(),
            job: long.clone(),
            run_url: Some(format!("https://ci.example/{}", "a".repeat(275))),
            commit_url: Some(format!("https://ci.example/{unit}")),
            repo_url: Some(format!("https://ci.example/{}", unit.repeat(5_000))),
        },
        ..Notice::new(status, unit.repeat(5_000))
    }
}
