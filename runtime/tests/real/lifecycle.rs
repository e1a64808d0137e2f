//! What is done to containers can be done again, and is never forced.

use std::time::{Duration, Instant};

use cutover_runtime::{Endpoint, Engine, Error, Removal, State};

use crate::rig::{Rig, until};

#[tokio::test]
async fn a_life_from_created_to_removed() {
    let rig = Rig::new().await;
    let engine = &rig.engine;
    let spec = rig.spec("web");
    let id = engine.create_container(&spec).await.unwrap();
    let state = async || engine.observe_container(&id).await.unwrap().map(|seen| seen.state);
    assert_eq!(state().await, Some(State::Created));
    engine.start(&id).await.unwrap();
    engine.start(&id).await.unwrap();
    assert_eq!(state().await, Some(State::Running));
    let running = engine.remove(&id).await.unwrap_err();
    assert!(matches!(running, Error::StillRunning { .. }), "{running:?}");
    engine.stop(&id, Duration::from_secs(1)).await.unwrap();
    engine.stop(&id, Duration::from_secs(1)).await.unwrap();
    assert_eq!(state().await, Some(State::Exited { code: 137, oom: false }));
    assert_eq!(engine.wait_exit(&id).await.unwrap(), 137);
    engine.remove(&id).await.unwrap();
    engine.remove(&id).await.unwrap();
    engine.stop(&id, Duration::ZERO).await.unwrap();
    assert_eq!(state().await, None);
    let gone = engine.start(&id).await.unwrap_err();
    assert!(matches!(gone, Error::NoSuchContainer { .. }), "{gone:?}");
}

#[tokio::test]
async fn the_grace_is_waited_out_before_the_kill() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("web");
    spec.stop_signal = Some("TERM".into());
    let container = rig.run(&spec).await;
    let began = Instant::now();
    rig.engine.stop(&container.id, Duration::from_millis(1500)).await.unwrap();
    let took = began.elapsed();
    assert!(
        took >= Duration::from_secs(2) && took < Duration::from_secs(8),
        "1.5 s is rounded up to 2 s: {took:?}"
    );
}

#[tokio::test]
async fn a_signal_reaches_the_first_process() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("ok").await;
    rig.engine.signal(&container.id, "KILL").await.unwrap();
    assert_eq!(rig.engine.wait_exit(&container.id).await.unwrap(), 137);
    let stopped = rig.engine.signal(&container.id, "HUP").await.unwrap_err();
    assert!(matches!(stopped, Error::NotRunning { .. }), "{stopped:?}");
}

#[tokio::test]
async fn a_name_is_had_by_one_container_only() {
    let rig = Rig::new().await;
    let (one, two) = (rig.spec("one"), rig.spec("two"));
    rig.engine.create_container(&one).await.unwrap();
    let id = rig.engine.create_container(&two).await.unwrap();
    let again = rig.engine.create_container(&one).await.unwrap_err();
    assert!(matches!(&again, Error::NameTaken { name, .. } if *name == one.name), "{again:?}");
    let renamed = rig.engine.rename(&id, &one.name).await.unwrap_err();
    assert!(matches!(&renamed, Error::NameTaken { name, .. } if *name == one.name), "{renamed:?}");
    let free = format!("{}-three", rig.name);
    rig.engine.rename(&id, &free).await.unwrap();
    assert_eq!(rig.engine.observe_container(&free).await.unwrap().unwrap().id, id);
}

#[tokio::test]
async fn the_name_of_a_container_that_is_being_removed_is_waited_for() {
    let rig = Rig::new().await;
    let (one, two) = (rig.spec("one"), rig.spec("two"));
    let next = rig.engine.create_container(&two).await.unwrap();
    for _ in 0..5 {
        let old = rig.engine.create_container(&one).await.unwrap();
        // Whoever asked for the removal goes away in the midst of it, as a run that is killed does.
        let (engine, id) = (rig.engine.clone(), old.clone());
        let removal = tokio::spawn(async move { engine.remove(&id).await });
        let leaving = async || {
            let seen = rig.engine.observe_container(&old).await.unwrap();
            seen.is_none_or(|container| container.state == State::Dead)
        };
        until("the engine removes it", leaving).await;
        removal.abort();
        rig.engine.rename(&next, &one.name).await.unwrap();
        rig.engine.rename(&next, &two.name).await.unwrap();
    }
}

#[tokio::test]
async fn containers_are_found_by_label_whatever_their_state() {
    let rig = Rig::new().await;
    let spec = |name: &str| {
        let mut spec = rig.spec(name);
        spec.labels.insert("of".to_owned(), name.to_owned());
        spec
    };
    for name in ["b", "a"] {
        rig.engine.create_container(&spec(name)).await.unwrap();
    }
    rig.run(&spec("c")).await;
    let wanted = [("cutover.test", ""), ("cutover.test.run", rig.name.as_str())];
    let found = rig.engine.observe_containers(&wanted).await.unwrap();
    let labels = rig.engine.observe_labels(&wanted).await.unwrap();
    assert_eq!(labels, found.iter().map(|container| container.labels.clone()).collect::<Vec<_>>());
    let names: Vec<String> = found.into_iter().map(|container| container.name).collect();
    assert_eq!(names, ["a", "b", "c"].map(|name| format!("{}-{name}", rig.name)));
    assert!(rig.engine.observe_containers(&[("cutover.test.run", "none")]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_image_in_use_stays_and_one_that_is_not_goes() {
    let rig = Rig::new().await;
    let id = rig.engine.create_container(&rig.spec("web")).await.unwrap();
    let repository = rig.image.split(':').next().unwrap();
    assert_eq!(rig.engine.observe_images(repository).await.unwrap().len(), 1);
    assert_eq!(rig.engine.remove_image(&rig.image).await.unwrap(), Removal::InUse);
    rig.engine.remove(&id).await.unwrap();
    assert_eq!(rig.engine.remove_image(&rig.image).await.unwrap(), Removal::Removed);
    assert_eq!(rig.engine.remove_image(&rig.image).await.unwrap(), Removal::Absent);
    assert!(rig.engine.observe_images(repository).await.unwrap().is_empty());
    let missing = rig.engine.create_container(&rig.spec("web")).await.unwrap_err();
    assert!(matches!(missing, Error::NoSuchImage { .. }), "{missing:?}");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_told_with_what_was_met() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("engine.sock");
    let missing = Engine::connect(&Endpoint::Unix(socket.clone())).await.unwrap_err();
    assert!(missing.to_string().contains("no such socket"), "{missing}");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let left = Engine::connect(&Endpoint::Unix(socket)).await.unwrap_err();
    assert!(left.to_string().contains("no engine listens"), "{left}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = Engine::connect(&Endpoint::Tcp { host: "127.0.0.1".into(), port }).await.unwrap_err();
    assert!(closed.to_string().contains(&format!("tcp://127.0.0.1:{port}")), "{closed}");
}

#[tokio::test]
async fn the_engine_tells_its_version() {
    let rig = Rig::new().await;
    let version = rig.engine.version().await.unwrap();
    assert!(rig.engine.is_local() && version.os == "linux" && version.api.starts_with("1."), "{version:?}");
}
