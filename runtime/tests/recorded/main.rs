//! The crate on recorded answers of engines that are newer than the tests have at hand; see `README.md`.

#![expect(clippy::unwrap_used, reason = "a recording that is not as it should be fails the test")]

mod server;

use std::time::Duration;

use cutover_runtime::{ContainerSpec, Error, HealthStatus, NetworkSpec, Pull, Removal, Restart, State};
use server::Played;

const ENGINES: [&str; 2] = ["engine-28.json", "engine-29.json"];
const DIGEST: &str = "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";

#[tokio::test]
async fn the_newest_version_that_both_know_is_agreed_on_and_named_in_every_path() {
    for (newest, spoken) in [("1.44", "/v1.44/"), ("1.53", "/v1.53/"), ("1.60", "/v1.53/")] {
        let played = Played::speaking("engine-29.json", newest).await.unwrap();
        played.engine.version().await.unwrap();
        played.engine.observe_networks().await.unwrap();
        let empty = futures_util::stream::empty::<std::io::Result<bytes::Bytes>>();
        // Nothing is recorded for it; the path is what counts.
        drop(played.engine.load(empty).await);
        let asked = played.asked();
        assert_eq!(asked[0], "GET /_ping");
        assert_eq!(asked.len(), 4, "{asked:?}");
        assert!(asked[1..].iter().all(|ask| ask.contains(spoken)), "{newest}: {asked:?}");
    }
}

#[tokio::test]
async fn an_engine_that_is_too_old_is_refused_with_what_is_needed() {
    let error = Played::speaking("engine-28.json", "1.40").await.err().unwrap();
    let words = error.to_string();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    for word in ["1.40", "1.41", "20.10"] {
        assert!(words.contains(word), "{words}");
    }
}

#[tokio::test]
async fn an_engine_that_has_left_our_versions_behind_is_told_in_its_own_words() {
    let played = Played::new("engine-30.json").await;
    let error = played.engine.observe_networks().await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("1.53 is too old. Minimum supported API version is 1.60"), "{error:?}");
}

#[tokio::test]
async fn what_an_engine_says_of_itself_is_read() {
    for (engine, api, driver) in [(ENGINES[0], "1.51", "overlay2"), (ENGINES[1], "1.53", "overlayfs")] {
        let played = Played::new(engine).await;
        assert_eq!(played.engine.version().await.unwrap().api, api);
        let info = played.engine.observe_info().await.unwrap();
        assert_eq!((info.storage_driver.as_str(), info.live_restore), (driver, true));
        assert_eq!(info.warnings, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_container_is_read_without_the_fields_that_went() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let found = played.engine.observe_containers(&[("cutover.app", "web")]).await.unwrap();
        let [container] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((container.name.as_str(), container.state), ("web-green-1", State::Running));
        assert_eq!((container.restart, container.restarts), (Restart::UnlessStopped, 2));
        let place = &container.networks[0];
        assert_eq!(place.address.unwrap().to_string(), "10.213.0.2");
        assert_eq!(place.configured_address.unwrap().to_string(), "10.213.0.2");
        assert_eq!((place.network.as_str(), place.aliases.as_slice()), ("cutover", &["web".to_owned()][..]));
        assert_eq!(container.published[0].host.to_string(), "127.0.0.1:18080");
        assert_eq!(container.published[0].container_port, 8080);
        assert_eq!((container.mounts[0].source.as_str(), container.mounts[0].read_only), ("data", true));
        let health = container.health.as_ref().unwrap();
        assert_eq!((health.status, health.output.as_deref()), (HealthStatus::Healthy, Some("fine")));
        assert_eq!((container.has_healthcheck, container.pid), (true, Some(4242)));
        assert!(played.engine.observe_container("gone").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn an_image_is_read_without_the_fields_that_are_left_out_when_empty() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let images = played.engine.observe_images("127.0.0.1:5000/acme/web").await.unwrap();
        let [image] = &images[..] else { panic!("{images:#?}") };
        assert_eq!(image.repo_digests, [format!("127.0.0.1:5000/acme/web@{DIGEST}")]);
        assert_eq!((image.exposed_ports.as_slice(), image.has_healthcheck), (&[8080][..], true));
        assert!(image.labels.is_empty());
        let engine = &played.engine;
        assert_eq!(engine.remove_image("127.0.0.1:5000/acme/web:old").await.unwrap(), Removal::Removed);
        assert_eq!(engine.remove_image("used").await.unwrap(), Removal::InUse);
    }
}

#[tokio::test]
async fn a_pull_is_followed_and_what_went_wrong_with_one_is_told_apart() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let mut steps = Vec::new();
        let reference = format!("127.0.0.1:5000/acme/new@{DIGEST}");
        let pulled =
            played.engine.ensure_image(&reference, None, &mut |step| steps.push(step)).await.unwrap();
        assert!(matches!(pulled, Pull::Pulled(_)), "{pulled:?}");
        let loading = steps.iter().find(|step| step.status == "Downloading").unwrap();
        assert_eq!((loading.current, loading.total), (Some(1024), Some(4096)));
        let words: Vec<&str> = steps.iter().map(|step| step.status.as_str()).collect();
        assert_eq!(words.last().map(|word| word.starts_with("Status: Downloaded")), Some(true), "{words:?}");
        let layers = steps.iter().filter(|step| step.layer.as_deref() == Some("4f4fb700ef54")).count();
        assert_eq!(layers, 5, "{steps:#?}");

        let fails = async |reference: &str| {
            played.engine.ensure_image(reference, None, &mut |step| drop(step)).await.unwrap_err()
        };
        let missing = fails("127.0.0.1:5000/acme/web:9").await;
        assert!(matches!(missing, Error::ImageNotFound { .. }), "{engine}: {missing:?}");
        let secret = fails("127.0.0.1:5000/acme/secret:1").await;
        assert!(matches!(secret, Error::Unauthorized { .. }), "{engine}: {secret:?}");
        let full = fails("127.0.0.1:5000/acme/full:1").await;
        assert!(matches!(full, Error::NoSpace { .. }), "{engine}: {full:?}");
    }
}

#[tokio::test]
async fn a_container_is_made_whatever_the_engine_warns_of() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let spec = ContainerSpec::new("web-green-1", format!("127.0.0.1:5000/acme/web@{DIGEST}"));
        let id = played.engine.create_container(&spec).await.unwrap();
        assert!(id.starts_with("c0ffee"), "{id}");
    }
}

#[tokio::test]
async fn what_is_done_to_a_container_is_told_apart_by_the_engines_new_words() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let engine = &played.engine;
        for container in ["fine", "runs"] {
            engine.start(container).await.unwrap();
            engine.stop(container, Duration::from_secs(1)).await.unwrap();
        }
        for container in ["fine", "gone", "going"] {
            engine.remove(container).await.unwrap();
        }
        for container in ["runs", "again"] {
            let error = engine.remove(container).await.unwrap_err();
            assert!(matches!(error, Error::StillRunning { .. }), "{container}: {error:?}");
        }
        let taken = engine.start("port").await.unwrap_err();
        assert!(matches!(taken, Error::AddressTaken { .. }), "{taken:?}");
        let taken = engine.rename("fine", "web-green-1").await.unwrap_err();
        assert!(matches!(&taken, Error::NameTaken { name, .. } if name == "web-green-1"), "{taken:?}");
        let stopped = engine.signal("fine", "HUP").await.unwrap_err();
        assert!(matches!(stopped, Error::NotRunning { .. }), "{stopped:?}");
        assert_eq!(engine.wait_exit("fine").await.unwrap(), 3);
        // It is told of this end only when it runs again; how it ended before is in the events, the last one last.
        // Engine 29's clock is behind: it goes on listening.
        assert_eq!(engine.wait_exit("odd").await.unwrap(), 4);
    }
}

#[tokio::test]
async fn networks_are_read_and_refusals_told_apart() {
    for engine in ENGINES {
        let played = Played::new(engine).await;
        let engine = &played.engine;
        let network = engine.observe_network("cutover").await.unwrap().unwrap();
        assert_eq!(network.subnets[0].cidr, "10.213.0.0/16");
        assert_eq!(network.subnets[0].gateway.unwrap().to_string(), "10.213.0.1");
        let subnet = Some("10.213.0.0/16".to_owned());
        let spec = NetworkSpec { name: "other".into(), subnet, ..NetworkSpec::default() };
        let taken = engine.ensure_network(&spec).await.unwrap_err();
        assert!(matches!(taken, Error::SubnetTaken { .. }), "{taken:?}");
        let used = engine.remove_network("used").await.unwrap_err();
        assert!(matches!(used, Error::NetworkInUse { .. }), "{used:?}");
        engine.remove_network("gone").await.unwrap();
    }
}

#[tokio::test]
async fn last_lines_that_the_engine_has_not_written_yet_are_asked_for_again() {
    let played = Played::new("engine-29.json").await;
    assert_eq!(played.engine.last_log_lines("late", 20).await, ["last word"]);
    assert_eq!(played.engine.last_log_lines("mute", 20).await, Vec::<String>::new());
    let asked = played.asked();
    assert_eq!(asked.iter().filter(|ask| ask.contains("/mute/")).count(), 3, "{asked:?}");
}

#[tokio::test]
async fn podmans_states_and_words_are_understood() {
    let played = Played::new("podman-4.json").await;
    let engine = &played.engine;
    let found = engine.observe_containers(&[("cutover.app", "web")]).await.unwrap();
    let [container] = &found[..] else { panic!("{found:#?}") };
    assert_eq!(container.state, State::Exited { code: 3, oom: false });
    assert_eq!((container.name.as_str(), container.networks[0].address), ("web-green-1-next", None));
    assert!(engine.observe_container("gone").await.unwrap().is_none());
    assert_eq!(engine.last_exit("odd").await.unwrap(), Some(2));
    let running = engine.remove("runs").await.unwrap_err();
    assert!(matches!(running, Error::StillRunning { .. }), "{running:?}");
    let stopped = engine.signal("fine", "HUP").await.unwrap_err();
    assert!(matches!(stopped, Error::NotRunning { .. }), "{stopped:?}");
    let taken = engine.rename("fine", "web-green-1").await.unwrap_err();
    assert!(matches!(taken, Error::NameTaken { .. }), "{taken:?}");
    let taken = engine.start("port").await.unwrap_err();
    assert!(matches!(taken, Error::AddressTaken { .. }), "{taken:?}");
    let subnet = Some("10.213.0.0/16".to_owned());
    let spec = NetworkSpec { name: "other".into(), subnet, ..NetworkSpec::default() };
    let taken = engine.remove_network("used").await.unwrap_err();
    assert!(matches!(taken, Error::NetworkInUse { .. }), "{taken:?}");
    let taken = engine.ensure_network(&spec).await.unwrap_err();
    assert!(matches!(taken, Error::SubnetTaken { .. }), "{taken:?}");
}
