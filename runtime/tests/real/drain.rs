//! Draining waits for open connections, and no longer.

use std::time::{Duration, Instant};

use cutover_runtime::{Check, Drained, Gate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{PORT, Rig};

#[tokio::test]
async fn draining_waits_for_an_open_connection_and_ends_soon_after_it() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("ok").await;
    rig.engine.gate(&container.id, &Gate::new(Check::Tcp, target)).await.unwrap();
    let mut kept = TcpStream::connect(target).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    kept.read_exact(&mut [0; 12]).await.unwrap();

    let limit = Duration::from_millis(300);
    let drained = rig.engine.drain(&container.id, PORT, limit).await.unwrap();
    assert!(matches!(drained, Drained::TimedOut { connections: 1, after } if after >= limit), "{drained:?}");

    let (engine, id) = (rig.engine.clone(), container.id.clone());
    let draining = tokio::spawn(async move { engine.drain(&id, PORT, Duration::from_secs(30)).await });
    tokio::task::yield_now().await;
    drop(kept);
    let closed = Instant::now();
    let drained = draining.await.unwrap().unwrap();
    assert!(matches!(drained, Drained::Quiet { .. }), "{drained:?}");
    assert!(closed.elapsed() < Duration::from_secs(3), "it saw the end only after {:?}", closed.elapsed());
}

#[tokio::test]
async fn connections_to_other_ports_do_not_count() {
    let rig = Rig::new().await;
    let (container, target) = rig.serve("ok").await;
    rig.engine.gate(&container.id, &Gate::new(Check::Tcp, target)).await.unwrap();
    let kept = TcpStream::connect(target).await.unwrap();
    let drained = rig.engine.drain(&container.id, PORT + 1, Duration::ZERO).await.unwrap();
    assert!(matches!(drained, Drained::Quiet { .. }), "{drained:?}");
    drop(kept);
}

#[tokio::test]
async fn a_container_that_does_not_run_is_quiet() {
    let rig = Rig::new().await;
    let id = rig.engine.create_container(&rig.spec("web")).await.unwrap();
    let drained = rig.engine.drain(&id, PORT, Duration::from_secs(30)).await.unwrap();
    assert!(matches!(drained, Drained::Quiet { .. }), "{drained:?}");
}
