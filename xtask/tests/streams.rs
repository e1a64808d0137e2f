//! What was begun before a switch and takes its time: websockets, event streams and slow requests.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;
use xtask::rig::load::{Config, Load};
use xtask::rig::needs;
use xtask::rig::probe::{SseProbe, WebSocketProbe};
use xtask::rig::stage::Stage;

const SOON: Duration = Duration::from_secs(20);

/// How long a slow request takes: longer than from the switch to the draining of the slot that was left.
const SLOW: Duration = Duration::from_secs(5);

async fn stage(settings: &str) -> Stage {
    let stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    stage.with(settings).unwrap()
}

/// A websocket and an event stream.
struct Streams {
    socket: WebSocketProbe,
    events: SseProbe,
}

impl Streams {
    async fn open(stage: &Stage) -> Self {
        let host = stage.site().to_string();
        let socket = WebSocketProbe::open(stage.site(), &host).await.unwrap();
        let streams = Self { socket, events: SseProbe::open(stage.site(), &host).await.unwrap() };
        streams.live_on().await;
        streams
    }

    /// Both bring further messages.
    async fn live_on(&self) {
        self.socket.more(20, SOON).await.unwrap();
        self.events.more(5, SOON).await.unwrap();
    }

    /// Both have heard of this version alone, and nobody ended them.
    fn stayed_with(&self, version: &str) {
        for seen in [self.socket.seen(), self.events.seen()] {
            assert_eq!(seen.versions, [version]);
            assert!(seen.closed.is_none(), "{seen:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_stay_with_the_old_release_until_its_slot_is_drained() {
    const DRAIN: Duration = Duration::from_secs(3);
    let mut stage = stage("drain = \"3s\"").await;
    let one = stage.release("1", &[]).await.unwrap();
    let two = stage.release("2", &[]).await.unwrap();
    stage.deploy(&one).await;
    let load = Load::start(Config::at(stage.site()).workers(4, 1, 0));
    let old = Streams::open(&stage).await;

    stage.deploy(&two).await;
    load.answered_by("2", SOON).await.unwrap();
    old.live_on().await;
    old.stayed_with("1");
    let new = Streams::open(&stage).await;

    let began = Instant::now();
    let backup = stage.cutover(&["backup"]).await.exits(0);
    let ended = Instant::now();
    assert!(backup.stderr.contains("still had 2 open connections after 3 s"), "{}", backup.stderr);
    let (socket, events) = (old.socket.end(SOON).await.unwrap(), old.events.end(SOON).await.unwrap());
    for closed in [&socket, &events] {
        assert!(closed.at >= began + DRAIN, "{closed:?} after {:?}", closed.at - began);
        assert!(closed.at <= ended, "{closed:?}");
    }
    assert!(socket.how.starts_with("close frame: stopping (1001)"), "{socket:?}");
    assert_eq!(events.how, "end of stream");
    assert_eq!([old.socket.seen().versions, old.events.seen().versions], [["1"], ["1"]]);

    new.live_on().await;
    new.stayed_with("2");
    let report = load.stop().await;
    println!("streams drained after {DRAIN:?}: {} requests sent, {} failed", report.sent, report.failed);
    assert_eq!((report.failed, report.ok), (0, report.sent), "{:#?}", report.failures);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_ends_with_the_last_stream() {
    let mut stage = stage("drain = \"60s\"").await;
    let one = stage.release("1", &[]).await.unwrap();
    let two = stage.release("2", &[]).await.unwrap();
    stage.deploy(&one).await;
    let old = Streams::open(&stage).await;
    stage.deploy(&two).await;

    let backup = stage.cutover(&["backup", "--json"]);
    let leave = async {
        // Four seconds' worth: what they still get while the slot is being drained.
        old.socket.more(200, SOON).await.unwrap();
        old.stayed_with("1");
        drop(old);
        Instant::now()
    };
    let (backup, left) = tokio::join!(
        async {
            let ran = backup.await;
            (ran, Instant::now())
        },
        leave
    );
    let (backup, ended) = (backup.0.exits(0), backup.1);
    let drained = backup.json()["phases"]["drain"].as_f64().unwrap();
    assert!(ended > left, "the slot was stopped with streams open");
    assert!(drained < 30.0, "draining took {drained} s though the streams had ended");
    assert!(!backup.stderr.contains("still had"), "{}", backup.stderr);
}

/// Slow POSTs, a new one every 200 ms.
struct Posts {
    stopping: Arc<AtomicBool>,
    all: JoinHandle<Vec<Post>>,
}

/// A POST that ended.
struct Post {
    begun: Instant,
    ended: Instant,
    /// The version that gave back what was sent, or what was wrong.
    answered: Result<String, String>,
}

impl Posts {
    fn start(site: SocketAddr) -> Self {
        let stopping = Arc::<AtomicBool>::default();
        let stop = Arc::clone(&stopping);
        let all = tokio::spawn(async move {
            let mut posts = JoinSet::new();
            let mut pace = tokio::time::interval(Duration::from_millis(200));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !stop.load(Ordering::Relaxed) {
                pace.tick().await;
                posts.spawn(post(site, format!("body {}", posts.len())));
            }
            posts.join_all().await
        });
        Self { stopping, all }
    }

    async fn stop(self) -> Vec<Post> {
        self.stopping.store(true, Ordering::Relaxed);
        self.all.await.unwrap()
    }
}

async fn post(site: SocketAddr, body: String) -> Post {
    let begun = Instant::now();
    let exchange = async {
        let mut stream = TcpStream::connect(site).await?;
        let head = format!(
            "POST /slow?ms={} HTTP/1.1\r\nHost: {site}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            SLOW.as_millis(),
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(SLOW + SOON, exchange).await;
    let answered = match answer {
        Err(_) => Err("no answer in time".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(answer)) => version(&answer, &body).ok_or(answer),
    };
    Post { begun, ended: Instant::now(), answered }
}

/// The version that answered, if it did with 200 and this body.
fn version(answer: &str, body: &str) -> Option<String> {
    let (head, echo) = answer.split_once("\r\n\r\n")?;
    let whole = head.starts_with("HTTP/1.1 200 ") && echo == body;
    let version = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-version").then(|| value.to_owned())
    });
    version.filter(|_| whole)
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_posts_end_well_whatever_happens_meanwhile() {
    let mut stage = stage("drain = \"30s\"").await;
    // These cut whatever is in flight when they are told to end: only draining can save it.
    let one = stage.release("1", &[("GRACE", "0")]).await.unwrap();
    let two = stage.release("2", &[("GRACE", "0")]).await.unwrap();
    stage.deploy(&one).await;
    drop(stage.cutover(&["backup"]).await.exits(0));

    let posts = Posts::start(stage.site());
    stage.deploy(&two).await;
    let switched = Instant::now();
    let backup = stage.cutover(&["backup", "--json"]).await.exits(0);
    let backed_up = Instant::now();
    let posts = posts.stop().await;

    let lost: Vec<&String> = posts.iter().filter_map(|post| post.answered.as_ref().err()).collect();
    assert!(lost.is_empty(), "{} of {} lost: {lost:#?}", lost.len(), posts.len());
    let of = |version: &str| {
        let version = Ok(version.to_owned());
        posts.iter().filter(move |post| post.answered == version).collect::<Vec<_>>()
    };
    let (old, new) = (of("1"), of("2"));
    assert_eq!(old.len() + new.len(), posts.len());
    let over_the_switch = old.iter().filter(|post| post.ended > switched).count();
    let in_the_backup = new.iter().filter(|post| (switched..backed_up).contains(&post.begun)).count();
    let last_of_old = old.iter().map(|post| post.ended).max().unwrap();
    println!(
        "{} slow POSTs, 0 lost; {over_the_switch} under way at the switch, {in_the_backup} begun during the backup, \
         which took {:.1?}",
        posts.len(),
        backup.took
    );
    assert!(over_the_switch > 0, "none was under way at the switch");
    assert!(in_the_backup > 0, "none was begun during the backup");
    assert!(last_of_old < backed_up, "the old slot was made anew with a request in it");
    assert!(old.iter().all(|post| post.begun < switched), "the old version took one after the switch");
}
