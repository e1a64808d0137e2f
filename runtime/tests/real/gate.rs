//! Health gates end in an outcome that tells what is wrong.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use cutover_runtime::{Check, Gate, GateError, Reason, Restart, StatusRanges, Unhealthy, probe};

use crate::rig::{PORT, Rig};

fn short(mut gate: Gate) -> Gate {
    gate.attempt = Duration::from_millis(300);
    gate.timeout = Duration::from_millis(700);
    gate
}

/// What the gate says of the service in that mode.
async fn refused(rig: &Rig, mode: &str, check: Check) -> Unhealthy {
    let (container, target) = rig.serve(mode).await;
    match rig.engine.gate(&container.id, &short(Gate::new(check, target))).await {
        Err(GateError::Unhealthy(unhealthy)) => *unhealthy,
        other => panic!("the service in mode {mode} got {other:?}"),
    }
}

#[tokio::test]
async fn a_service_that_answers_is_healthy_soon() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("ok").await;
    let healthy = rig.engine.gate(&container.id, &Gate::new(Check::http("/healthz"), target)).await.unwrap();
    assert!(healthy.attempts >= 1 && healthy.after < Duration::from_secs(5), "{healthy:?}");
    let tcp = rig.engine.probe(&container.id, &Gate::new(Check::Tcp, target)).await.unwrap();
    assert_eq!(tcp.attempts, 1);
}

#[tokio::test]
async fn a_service_that_is_late_is_waited_for() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("late:400").await;
    let healthy = rig.engine.gate(&container.id, &Gate::new(Check::http("/"), target)).await.unwrap();
    assert!(healthy.attempts > 3, "it refused connections at first: {healthy:?}");
}

#[tokio::test]
async fn a_failing_status_is_told_with_the_body_and_the_last_lines() {
    let rig = Rig::new().await;
    let unhealthy = refused(&rig, "500", Check::http("/healthz")).await;
    let body = "no database[31m here".to_owned();
    assert_eq!(unhealthy.reason, Reason::Status { got: 500, expected: "200-299".into(), body });
    assert_eq!(unhealthy.logs, ["starting in mode 500"]);
    assert!(
        unhealthy.asked.starts_with("GET http://") && unhealthy.asked.ends_with("/healthz"),
        "{}",
        unhealthy.asked
    );
    assert!(unhealthy.attempts > 3 && unhealthy.after >= Duration::from_millis(700), "{unhealthy:?}");
    assert!(unhealthy.to_string().contains(&unhealthy.container), "{unhealthy}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_told() {
    let rig = Rig::new().await;
    let location = "https://example.com/".to_owned();
    let wanted = Reason::Redirect { status: 301, expected: "200-299".into(), location };
    assert_eq!(refused(&rig, "redirect", Check::http("/")).await.reason, wanted);
}

#[tokio::test]
async fn a_redirect_can_be_what_is_expected() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("redirect").await;
    let check = Check::Http { path: "/".into(), host: None, expect: "200-399".parse().unwrap() };
    rig.engine.gate(&container.id, &Gate::new(check, target)).await.unwrap();
}

#[tokio::test]
async fn the_host_header_is_the_one_asked_for() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("host").await;
    let host = |host: Option<&str>| Check::Http {
        path: "/".into(),
        host: host.map(str::to_owned),
        expect: StatusRanges::default(),
    };
    rig.engine.gate(&container.id, &Gate::new(host(Some("example.com")), target)).await.unwrap();
    let reason = probe(&host(None), target, Duration::from_secs(2)).await.unwrap_err();
    assert!(matches!(reason, Reason::Status { got: 421, .. }), "{reason:?}");
}

#[tokio::test]
async fn silence_a_closed_connection_and_another_protocol_are_told_apart() {
    let rig = Rig::new().await;
    let engine = &rig.engine;
    for (mode, wanted) in [("silent", "silent"), ("close", "closed"), ("garbage", "not http")] {
        let reason = refused(&rig, mode, Check::http("/")).await.reason;
        let got = match reason {
            Reason::Silent => "silent",
            Reason::Closed { port: PORT, .. } => "closed",
            Reason::NotHttp(_) => "not http",
            _ => "something else",
        };
        assert_eq!(got, wanted, "{reason:?}");
        let web = format!("{}-web", rig.name);
        engine.stop(&web, Duration::ZERO).await.unwrap();
        engine.remove(&web).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_port_is_told_with_the_one_that_is_listened_on() {
    let rig = Rig::new().await;
    let (container, mut target) = rig.serve("ok").await;
    target.set_port(8112);
    let error = rig.engine.gate(&container.id, &short(Gate::new(Check::Tcp, target))).await.unwrap_err();
    let GateError::Unhealthy(unhealthy) = error else { panic!("{error:?}") };
    assert_eq!(unhealthy.reason, Reason::Refused { port: 8112, listening: vec![PORT], loopback: vec![] });
    assert!(unhealthy.to_string().ends_with("the container listens on 8080, not on 8112"), "{unhealthy}");
}

#[tokio::test]
async fn a_service_on_its_own_loopback_is_told_so() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("web");
    spec.env = vec![("BIND".into(), "127.0.0.1".into())];
    let container = rig.run(&spec).await;
    let target = (container.networks[0].address.unwrap(), PORT).into();
    let error = rig.engine.gate(&container.id, &short(Gate::new(Check::Tcp, target))).await.unwrap_err();
    assert!(error.to_string().contains("have it listen on 0.0.0.0"), "{error}");
}

#[tokio::test]
async fn a_gate_ends_at_once_when_the_container_does() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("exit:400").await;
    // Somebody who takes the connection and keeps it: the look itself does not notice the end.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut gate = Gate::new(Check::http("/"), silent.local_addr().unwrap());
    gate.attempt = Duration::from_secs(20);
    let began = Instant::now();
    let error = rig.engine.gate(&container.id, &gate).await.unwrap_err();
    let GateError::Unhealthy(unhealthy) = error else { panic!("{error:?}") };
    assert_eq!(unhealthy.reason, Reason::Exited { code: 3, oom: false });
    assert!(unhealthy.logs.contains(&"giving up".to_owned()), "{unhealthy:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "it waited for the attempt to end");
}

#[tokio::test]
async fn a_look_cut_short_does_not_hide_what_was_answered_before() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("ok").await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut gate = short(Gate::new(Check::http("/"), listener.local_addr().unwrap()));
    gate.attempt = gate.timeout;
    // It answers once; the connections after that are taken by the system, and never answered.
    let once = listener.try_clone().unwrap();
    std::thread::spawn(move || {
        let (mut first, _) = once.accept().unwrap();
        let _read = first.read(&mut [0; 1024]).unwrap();
        first.write_all(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let error = rig.engine.gate(&container.id, &gate).await.unwrap_err();
    assert!(error.to_string().ends_with("it answered 500: expected 200-299"), "{error}");
    drop(listener);
}

#[tokio::test]
async fn a_container_that_exits_before_the_gate_is_told_at_once() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("crash").await;
    rig.engine.wait_exit(&container.id).await.unwrap();
    let error = rig.engine.gate(&container.id, &Gate::new(Check::Tcp, target)).await.unwrap_err();
    let GateError::Unhealthy(unhealthy) = error else { panic!("{error:?}") };
    assert_eq!((unhealthy.reason, unhealthy.attempts), (Reason::Exited { code: 3, oom: false }, 1));
}

#[tokio::test]
async fn an_answer_from_another_does_not_make_a_dead_container_healthy() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("crash").await;
    rig.engine.wait_exit(&container.id).await.unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let gate = Gate::new(Check::Tcp, other.local_addr().unwrap());
    let error = rig.engine.probe(&container.id, &gate).await.unwrap_err();
    assert!(error.to_string().ends_with("it exited with status 3"), "{error}");
}

#[tokio::test]
async fn a_container_that_keeps_exiting_is_not_waited_for() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("web");
    spec.env = vec![("MODE".into(), "crash".into())];
    spec.restart = Restart::UnlessStopped;
    let container = rig.run(&spec).await;
    let began = Instant::now();
    let gate = Gate::new(Check::Tcp, ([127, 0, 0, 1], 1).into());
    let error = rig.engine.gate(&container.id, &gate).await.unwrap_err();
    let GateError::Unhealthy(unhealthy) = error else { panic!("{error:?}") };
    let told =
        matches!(unhealthy.reason, Reason::Exited { code: 3, .. } | Reason::Restarting { code: 3, .. });
    assert!(told, "{unhealthy:?}");
    assert!(began.elapsed() < gate.timeout / 2);

    // Also when it has been started anew since, and the engine has forgotten how it ended.
    assert_eq!(rig.engine.last_exit(&container.id).await.unwrap(), Some(3));
    let well = rig.run(&rig.spec("well")).await;
    assert_eq!(rig.engine.last_exit(&well.id).await.unwrap(), None);
}

const CHECKED: &[&str] =
    &["HEALTHCHECK --interval=100ms --timeout=5s --retries=2 CMD [\"/service\",\"check\"]"];

#[tokio::test]
async fn the_images_own_check_opens_the_gate() {
    let rig = Rig::with_changes(CHECKED).await;
    let (container, target) = rig.serve("ok").await;
    assert!(
        container.has_healthcheck
            && rig.engine.observe_image(&rig.image).await.unwrap().unwrap().has_healthcheck
    );
    rig.engine.gate(&container.id, &Gate::new(Check::Image, target)).await.unwrap();
}

#[tokio::test]
async fn the_images_own_check_closes_the_gate_with_what_it_printed() {
    let rig = Rig::with_changes(CHECKED).await;
    let mut spec = rig.spec("web");
    spec.env = vec![("HEALTH".into(), "ill".into())];
    let container = rig.run(&spec).await;
    let gate = Gate::new(Check::Image, ([127, 0, 0, 1], 1).into());
    let error = rig.engine.gate(&container.id, &gate).await.unwrap_err();
    let GateError::Unhealthy(unhealthy) = error else { panic!("{error:?}") };
    assert_eq!(unhealthy.reason, Reason::ImageUnhealthy { output: "the service is ill".into() });
}

#[tokio::test]
async fn an_image_without_a_check_is_told_at_once() {
    let rig = Rig::new().await;
    let unhealthy = refused(&rig, "ok", Check::Image).await;
    assert_eq!((unhealthy.reason, unhealthy.attempts), (Reason::ImageHasNoHealthcheck, 1));
}
