//! The rig proves itself: a part that imitated, or a client that forgave, would make every other test worthless.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xtask::rig::container::Container;
use xtask::rig::deadline::until;
use xtask::rig::image::ServiceImage;
use xtask::rig::load::{Config, Load, Report};
use xtask::rig::nginx::{ContainerNginx, HostNginx};
use xtask::rig::probe::{SseProbe, WebSocketProbe};
use xtask::rig::registry::{Auth, Registry};
use xtask::rig::slack::{Reply, Slack};
use xtask::rig::{docker, needs, run};

/// What quoting could spoil on its way into an image.
const ODD: &str = r#"a "b" $c \d é"#;

const SOON: Duration = Duration::from_secs(20);

/// A service of one version and mode, in a container.
async fn service(version: &str, mode: &str) -> (ServiceImage, Container) {
    let repository = format!("cutover-test/{}", run::random());
    let image =
        ServiceImage::build(&repository, version, &[("VERSION", version), ("MODE", mode), ("ODD", ODD)])
            .await
            .unwrap();
    let container = Container::run(image.name(), &[], &[]).await.unwrap();
    (image, container)
}

/// A whole response to a request of these words; `None` when there is no connection or no response.
async fn ask(address: SocketAddr, request: &str) -> Option<String> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.ok()?;
        let (line, body) = request.split_once('\n').unwrap_or((request, ""));
        let length = body.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: rig\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut response = String::new();
        stream.read_to_string(&mut response).await.ok()?;
        Some(response).filter(|response| !response.is_empty())
    };
    tokio::time::timeout(Duration::from_secs(5), exchange).await.ok().flatten()
}

/// Waits until a path is answered with this status.
async fn status(address: SocketAddr, path: &str, status: &str) -> String {
    let start = format!("HTTP/1.1 {status}");
    until(&format!("{path} answers {status}"), SOON, async || {
        ask(address, &format!("GET {path}")).await.filter(|response| response.starts_with(&start))
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn the_machine_has_what_the_rig_needs() {
    let missing: Vec<_> = needs::check().into_iter().filter(|missing| !missing.optional).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
}

#[tokio::test]
async fn a_good_service_answers_every_route_with_its_version() {
    let (_image, container) = service("7", "ok").await;
    let at = container.at(8080).await.unwrap();
    let hello = status(at, "/", "200").await;
    assert!(hello.contains("\r\nX-Version: 7\r\n") && hello.ends_with("\r\n\r\nversion 7\n"), "{hello}");
    status(at, "/healthz", "200").await;
    let echo = ask(at, "POST /echo\nabc").await.unwrap();
    assert!(echo.ends_with("\r\n\r\nabc"), "{echo}");
    let asked = Instant::now();
    let slow = ask(at, "POST /slow?ms=200\nlate").await.unwrap();
    assert!(slow.ends_with("\r\n\r\nlate") && asked.elapsed() >= Duration::from_millis(200), "{slow}");
    assert!(ask(at, "GET /env?name=VERSION").await.unwrap().ends_with("\r\n\r\n7"));
    let odd = ask(at, "GET /env?name=ODD").await.unwrap();
    assert_eq!(odd.split_once("\r\n\r\n").unwrap().1, ODD);
    status(at, "/nowhere", "404").await;
    status(at, "/echo", "405").await;
    assert!(container.logs().await.unwrap().contains("listening on 0.0.0.0:8080 (version 7)"));
}

#[tokio::test]
async fn a_bad_service_is_bad_in_the_way_it_was_told() {
    let (_image, unhealthy) = service("1", "unhealthy").await;
    let at = unhealthy.at(8080).await.unwrap();
    status(at, "/healthz", "500").await;
    status(at, "/", "200").await;

    let (_image, redirect) = service("1", "redirect").await;
    let response = status(redirect.at(8080).await.unwrap(), "/healthz", "301").await;
    assert!(response.contains("\r\nLocation: /elsewhere\r\n"), "{response}");

    let (_image, exit) = service("1", "exit").await;
    assert_eq!(exit.exit_code(SOON).await.unwrap(), 3);
    assert!(exit.logs().await.unwrap().contains("exiting: MODE=exit"));

    let (_image, wrong) = service("1", "wrong-port").await;
    let mut at = wrong.at(8081).await.unwrap();
    status(at, "/healthz", "200").await;
    at.set_port(8080);
    assert!(TcpStream::connect(at).await.is_err());
}

#[tokio::test]
async fn a_service_changes_its_ways_when_its_time_has_come() {
    let (_image, fails) = service("1", "fails-after:1500").await;
    let at = fails.at(8080).await.unwrap();
    status(at, "/healthz", "200").await;
    status(at, "/healthz", "500").await;
    status(at, "/", "500").await;

    let (_image, dies) = service("1", "dies-after:1500").await;
    status(dies.at(8080).await.unwrap(), "/healthz", "200").await;
    assert_eq!(dies.exit_code(SOON).await.unwrap(), 3);

    let (_image, slow) = service("1", "slow-start:1500").await;
    let at = slow.at(8080).await.unwrap();
    assert!(TcpStream::connect(at).await.is_err());
    status(at, "/healthz", "200").await;

    let (_image, never) = service("1", "never").await;
    let at = never.at(8080).await.unwrap();
    let connected = async || TcpStream::connect(at).await.ok();
    let mut stream = until("the silent service listens", SOON, connected).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = tokio::time::timeout(Duration::from_millis(500), stream.read_u8()).await;
    assert!(answer.is_err(), "it answered: {answer:?}");
}

#[tokio::test]
async fn a_stopped_service_finishes_what_is_in_flight_and_ends_well() {
    let (_image, container) = service("1", "ok").await;
    let at = container.at(8080).await.unwrap();
    status(at, "/healthz", "200").await;
    let slow = tokio::spawn(async move { ask(at, "POST /slow?ms=1000\nkept").await });
    let events = SseProbe::open(at, "rig").await.unwrap();
    let socket = WebSocketProbe::open(at, "rig").await.unwrap();
    events.more(5, SOON).await.unwrap();
    container.stop(10).await.unwrap();
    assert!(slow.await.unwrap().unwrap().ends_with("\r\n\r\nkept"));
    assert_eq!(container.exit_code(SOON).await.unwrap(), 0);
    assert_eq!(events.end(SOON).await.unwrap().how, "end of stream");
    let how = socket.end(SOON).await.unwrap().how;
    assert!(how.starts_with("close frame: stopping (1001)"), "{how}");
}

#[tokio::test]
async fn probes_tell_which_version_they_talk_to_and_how_they_were_cut() {
    let (_image, container) = service("3", "ok").await;
    let at = container.at(8080).await.unwrap();
    status(at, "/healthz", "200").await;
    let events = SseProbe::open(at, "rig").await.unwrap();
    let socket = WebSocketProbe::open(at, "rig").await.unwrap();
    let closed_by_us = WebSocketProbe::open(at, "rig").await.unwrap();
    for probe in [&socket, &closed_by_us] {
        probe.more(10, SOON).await.unwrap();
    }
    events.more(3, SOON).await.unwrap();
    assert!(closed_by_us.stop().closed.is_none());
    let killed = Instant::now();
    docker::run(&["kill", container.name()]).await.unwrap();
    assert!(socket.end(SOON).await.unwrap().at > killed);
    assert_ne!(events.end(SOON).await.unwrap().how, "end of stream");
    assert_eq!(
        (socket.seen().versions, events.seen().versions),
        (vec!["3".to_owned()], vec!["3".to_owned()])
    );
}

#[tokio::test]
async fn load_on_a_good_service_has_no_failures_and_knows_the_version() {
    let (_image, container) = service("5", "ok").await;
    let at = container.at(8080).await.unwrap();
    status(at, "/healthz", "200").await;
    let load = Load::start(Config::at(at).workers(4, 2, 2).slow_time(Duration::from_millis(100)));
    load.answered_by("5", SOON).await.unwrap();
    until("the load sends 500 requests", SOON, async || (load.so_far().ok >= 500).then_some(()))
        .await
        .unwrap();
    let report = load.stop().await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:?}", report.failures);
    assert_eq!(report.versions(), ["5"]);
    assert_eq!(report.answers_from("5").count() as u64, report.ok);
    assert!(report.latency.p50() <= report.latency.p99() && report.latency.p99() <= report.latency.max());
}

/// A server that gives each request of a connection to `answer`, which says whether to go on.
async fn server(answer: fn(usize, &str) -> (String, bool)) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                for number in 0.. {
                    let Ok(count @ 1..) = stream.read(&mut buffer).await else { return };
                    let (response, more) = answer(number, &String::from_utf8_lossy(&buffer[..count]));
                    if stream.write_all(response.as_bytes()).await.is_err() || !more {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn right_answer(request: &str, header: &str) -> String {
    let body = match request.split_once("\r\n\r\n") {
        Some((_, body)) if request.starts_with("POST") => body,
        _ => "version 1\n",
    };
    format!("HTTP/1.1 200 OK\r\nX-Version: 1\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len())
}

async fn kept_alive_load(answer: fn(usize, &str) -> (String, bool)) -> Report {
    let load = Load::start(Config::at(server(answer).await).workers(1, 0, 0));
    until("the load sends 50 requests", SOON, async || (load.so_far().sent >= 50).then_some(()))
        .await
        .unwrap();
    load.stop().await
}

#[tokio::test]
async fn a_kept_connection_that_is_dropped_unannounced_is_a_failure() {
    let report =
        kept_alive_load(
            |number, request| {
                if number == 9 { (String::new(), false) } else { (right_answer(request, ""), true) }
            },
        )
        .await;
    assert!(report.failed >= 4 && report.ok >= 40, "{report:?}");
    assert!(report.failures[0].contains("KeptAlive"), "{:?}", report.failures);
}

#[tokio::test]
async fn a_kept_connection_that_closes_between_requests_unannounced_is_a_failure() {
    let report = kept_alive_load(|number, request| (right_answer(request, ""), number != 9)).await;
    assert!(report.failed >= 3, "{report:?}");
}

#[tokio::test]
async fn a_kept_connection_whose_end_is_announced_is_no_failure() {
    let report = kept_alive_load(|number, request| match number {
        9 => (right_answer(request, "Connection: close\r\n"), false),
        _ => (right_answer(request, ""), true),
    })
    .await;
    assert_eq!((report.failed, report.sent), (0, report.ok), "{:?}", report.failures);
}

#[tokio::test]
async fn a_wrong_echo_and_an_error_are_failures() {
    let report = kept_alive_load(|_, request| {
        if request.ends_with("request 3") {
            return (right_answer("POST / HTTP/1.1\r\n\r\nanother's", ""), true);
        } else if request.ends_with("request 7") {
            return ("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n".to_owned(), true);
        }
        (right_answer(request, ""), true)
    })
    .await;
    let [echo, error] = &report.failures[..] else { panic!("{report:?}") };
    assert!(echo.contains("\"another's\" for b\"worker 0 request 3\""), "{echo}");
    assert!(error.contains("502 Bad Gateway"), "{error}");
    assert_eq!(report.ok + 2, report.sent);
}

#[tokio::test]
async fn load_without_a_server_fails_each_request() {
    let load = Load::start(Config::at(xtask::rig::port::free().unwrap()).workers(1, 1, 0));
    until("requests fail", SOON, async || (load.so_far().failed >= 4).then_some(())).await.unwrap();
    let report = load.stop().await;
    assert_eq!((report.ok, report.failed), (0, report.sent));
    assert!(report.failures[0].contains("no connection"), "{:?}", report.failures);
}

#[tokio::test]
async fn an_image_goes_through_the_registry_and_keeps_its_digest() {
    for auth in [Auth::token("acme", "p~?>w"), Auth::basic("acme", "p~?>w"), Auth::Anonymous] {
        let tokens = matches!(auth, Auth::Token { .. });
        let registry = Registry::start(auth).await.unwrap();
        let repository = format!("acme/{}", run::random());
        let image = ServiceImage::build(&repository, "1", &[]).await.unwrap();
        let digest = registry.push(image.name()).await.unwrap();
        assert!(digest.starts_with("sha256:") && digest.len() == 71, "{digest}");
        assert_eq!(registry.tokens_given() > 0, tokens);
        drop(image);
        let pinned = registry.name_of(&format!("{repository}@{digest}"));
        docker::run_with(&registry.docker_config(), &["pull", "-q", &pinned]).await.unwrap();
        docker::run(&["rmi", &pinned]).await.unwrap();
    }
}

#[tokio::test]
async fn a_registry_refuses_strangers() {
    for auth in [Auth::token("acme", "right"), Auth::basic("acme", "right")] {
        let registry = Registry::start(auth).await.unwrap();
        let image = ServiceImage::build(&format!("acme/{}", run::random()), "1", &[]).await.unwrap();
        registry.push(image.name()).await.unwrap();
        let name = registry.name_of(image.name());
        let at: SocketAddr = registry.host().parse().unwrap();
        assert!(ask(at, "GET /v2/").await.unwrap().starts_with("HTTP/1.1 401"));

        let stranger = tempfile::tempdir().unwrap();
        let error = docker::run_with(stranger.path(), &["pull", &name]).await.unwrap_err().to_string();
        assert!(error.contains("no basic auth credentials") || error.contains("unauthorized"), "{error}");

        // "acme:wrong"
        let auths = json!({ "auths": { registry.host(): { "auth": "YWNtZTp3cm9uZw==" } } });
        std::fs::write(stranger.path().join("config.json"), auths.to_string()).unwrap();
        let error = docker::run_with(stranger.path(), &["pull", &name]).await.unwrap_err().to_string();
        assert!(["denied", "unauthorized"].iter().any(|word| error.contains(word)), "{error}");
        assert!(!format!("{registry:?}{error}").contains("right"));
    }
}

#[tokio::test]
async fn nginx_on_the_host_serves_what_is_put_into_its_directory_and_counts_reloads() {
    for binary in [Some(needs::nginx().to_owned()), needs::nginx_new()].into_iter().flatten() {
        let nginx = HostNginx::start(&binary).await.unwrap();
        assert_eq!(nginx.reloads(), 0);
        let marker = nginx.state_dir().join("green");
        let site = format!(
            "server {{ listen {}; set $slot blue; if (-f {}) {{ set $slot green; }} \
             location / {{ return 200 $slot; }} }}",
            nginx.site(),
            marker.display()
        );
        std::fs::write(nginx.conf_dir().join("site.conf"), site).unwrap();
        nginx.reload().await.unwrap();
        assert!(status(nginx.site(), "/", "200").await.ends_with("blue"));
        std::fs::write(marker, "").unwrap();
        assert!(status(nginx.site(), "/", "200").await.ends_with("green"));
        assert_eq!(nginx.reloads(), 1);
        let site = nginx.site();
        drop(nginx);
        assert!(TcpStream::connect(site).await.is_err());
    }
}

#[tokio::test]
async fn nginx_in_a_container_serves_a_container_on_its_network() {
    let nginx = ContainerNginx::start().await.unwrap();
    let repository = format!("cutover-test/{}", run::random());
    let image = ServiceImage::build(&repository, "1", &[("VERSION", "in there")]).await.unwrap();
    let app = Container::run(image.name(), &["--network", nginx.network()], &[]).await.unwrap();
    let upstream = app.at(8080).await.unwrap();
    let site = format!("server {{ listen 80; location / {{ proxy_pass http://{upstream}; }} }}");
    std::fs::write(nginx.conf_dir().join("site.conf"), site).unwrap();
    nginx.reload().await.unwrap();
    assert!(status(nginx.site(), "/", "200").await.ends_with("version in there\n"));
    docker::run(&["exec", nginx.name(), "/usr/sbin/nginx", "-t"]).await.unwrap();
    assert_eq!(nginx.reloads(), 1);
}

#[tokio::test]
async fn the_stand_in_for_slack_records_and_answers_as_told() {
    let slack = Slack::start().await.unwrap();
    let at: SocketAddr = slack.url()["http://".len()..].split('/').next().unwrap().parse().unwrap();
    let post = async |text: &str| ask(at, &format!("POST /services/x\n{{\"text\":\"{text}\"}}")).await;
    let ok = post("a").await.unwrap();
    assert!(ok.contains("content-type: text/html") && ok.ends_with("\r\n\r\nok"), "{ok}");
    slack.reply_with(Reply::Status(500));
    assert!(post("b").await.unwrap().starts_with("HTTP/1.1 500"));
    slack.reply_with(Reply::TooMany { retry_after: 3 });
    let limited = post("c").await.unwrap();
    assert!(limited.starts_with("HTTP/1.1 429") && limited.contains("retry-after: 3"), "{limited}");
    slack.reply_with(Reply::Hang);
    assert_eq!(post("d").await, None);
    let received = slack.wait_for(4, SOON).await.unwrap();
    assert_eq!(received, ["a", "b", "c", "d"].map(|text| json!({ "text": text })));
}
