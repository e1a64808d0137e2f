//! Everything that a specification says comes to be.

use std::net::TcpListener;
use std::time::Duration;

use bollard::models::RestartPolicyNameEnum;
use bollard::query_parameters::InspectContainerOptions;
use cutover_runtime::{Error, Healthcheck, Healthtest, Mount, Published, Restart, Ulimit};
use secrecy::ExposeSecret;

use crate::rig::Rig;

#[tokio::test]
async fn a_full_specification_is_what_the_engine_has() {
    let rig = Rig::new().await;
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().to_str().unwrap().to_owned();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let published = Published { host: ([127, 0, 0, 1], port).into(), container_port: 8080 };
    let mut spec = rig.spec("full");
    spec.env = vec![("TOKEN".into(), "se=cret".into())];
    spec.user = Some("1000:1000".into());
    spec.working_dir = Some("/tmp".into());
    spec.hostname = Some("box".into());
    spec.publish = vec![published];
    spec.volumes = vec![Mount { source: source.clone(), target: "/data".into(), read_only: true }];
    spec.tmpfs = vec!["/run".into()];
    spec.restart = Restart::OnFailure(Some(3));
    spec.memory = Some(64 << 20);
    spec.cpus = Some(0.5);
    spec.pids = Some(50);
    spec.stop_signal = Some("SIGQUIT".into());
    spec.stop_grace = Duration::from_millis(2500);
    spec.read_only_root = true;
    spec.init = true;
    spec.extra_hosts = vec!["db:10.0.0.9".into()];
    let seen = rig.run(&spec).await;

    assert_eq!(seen.env("TOKEN").unwrap().expose_secret(), "se=cret");
    assert!(spec.labels.iter().all(|label| seen.labels.get_key_value(label.0) == Some(label)), "{seen:?}");
    assert_eq!((seen.published.as_slice(), seen.restart), (&[published][..], spec.restart));
    let mount = seen.mounts.iter().find(|mount| mount.target == "/data").unwrap();
    assert_eq!((mount.source.as_str(), mount.read_only), (source.as_str(), true));

    let raw = rig.api.inspect_container(&seen.id, None::<InspectContainerOptions>).await.unwrap();
    let (host, config) = (raw.host_config.unwrap(), raw.config.unwrap());
    assert_eq!((host.memory, host.nano_cpus, host.pids_limit), (Some(64 << 20), Some(500_000_000), Some(50)));
    assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
    assert_eq!((host.readonly_rootfs, host.init), (Some(true), Some(true)));
    assert_eq!(host.extra_hosts.unwrap(), ["db:10.0.0.9"]);
    assert!(host.tmpfs.unwrap().contains_key("/run"));
    let log = host.log_config.unwrap();
    let options = log.config.unwrap();
    assert_eq!(
        (log.typ.as_deref(), options["max-size"].as_str(), options["max-file"].as_str()),
        (Some("json-file"), "10m", "3")
    );
    let policy = host.restart_policy.unwrap();
    assert_eq!((policy.name, policy.maximum_retry_count), (Some(RestartPolicyNameEnum::ON_FAILURE), Some(3)));
    assert_eq!((config.user.as_deref(), config.working_dir.as_deref()), (Some("1000:1000"), Some("/tmp")));
    assert_eq!((config.hostname.as_deref(), config.stop_signal.as_deref()), (Some("box"), Some("SIGQUIT")));
    assert_eq!(config.stop_timeout, Some(3), "2.5 s is rounded up");
}

#[tokio::test]
async fn what_a_process_may_do_and_how_it_is_looked_after_are_as_specified() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("bounded");
    spec.cap_add = vec!["NET_ADMIN".into()];
    spec.cap_drop = vec!["NET_RAW".into()];
    spec.shm_size = Some(8 << 20);
    spec.ulimits = vec![Ulimit { name: "nofile".into(), soft: 1024, hard: 2048 }];
    spec.sysctls = [("net.core.somaxconn".into(), "512".into())].into();
    spec.healthcheck = Some(Healthcheck::Run(Healthtest {
        test: vec!["CMD".into(), "/service".into(), "check".into()],
        interval: Some(Duration::from_millis(1500)),
        timeout: Some(Duration::from_secs(2)),
        retries: Some(4),
        start_period: Some(Duration::from_secs(3)),
    }));
    let seen = rig.run(&spec).await;
    assert!(seen.has_healthcheck);
    let raw = rig.api.inspect_container(&seen.id, None::<InspectContainerOptions>).await.unwrap();
    let (host, config) = (raw.host_config.unwrap(), raw.config.unwrap());
    // Engines differ in whether they put `CAP_` before a name.
    assert!(host.cap_add.unwrap()[0].ends_with("NET_ADMIN"));
    assert!(host.cap_drop.unwrap()[0].ends_with("NET_RAW"));
    assert_eq!((host.shm_size, host.sysctls.unwrap()["net.core.somaxconn"].as_str()), (Some(8 << 20), "512"));
    let limit = &host.ulimits.unwrap()[0];
    assert_eq!((limit.name.as_deref(), limit.soft, limit.hard), (Some("nofile"), Some(1024), Some(2048)));
    let check = config.healthcheck.unwrap();
    assert_eq!(check.test.unwrap(), ["CMD", "/service", "check"]);
    let times = (check.interval, check.timeout, check.retries, check.start_period);
    assert_eq!(times, (Some(1_500_000_000), Some(2_000_000_000), Some(4), Some(3_000_000_000)));
}

#[tokio::test]
async fn a_healthcheck_of_the_image_can_be_taken_away() {
    let rig = Rig::with_changes(&["HEALTHCHECK CMD [\"/service\", \"check\"]"]).await;
    let mut spec = rig.spec("unchecked");
    assert!(rig.run(&spec).await.has_healthcheck);
    spec.name.push('2');
    spec.healthcheck = Some(Healthcheck::Off);
    assert!(!rig.run(&spec).await.has_healthcheck);
}

#[tokio::test]
async fn an_engine_tells_where_it_keeps_things_and_what_time_it_is() {
    let rig = Rig::new().await;
    let info = rig.engine.observe_info().await.unwrap();
    assert!(!info.storage_driver.is_empty(), "{info:?}");
    assert!(info.root_dir.unwrap().is_absolute());
    assert!(info.time.unwrap().contains('T'));
}

#[tokio::test]
async fn an_environment_is_in_no_debug_output() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("web");
    spec.env = vec![("TOKEN".into(), "hunter2".into())];
    let id = rig.engine.create_container(&spec).await.unwrap();
    let seen = rig.engine.observe_container(&id).await.unwrap().unwrap();
    assert_eq!(seen.env("TOKEN").unwrap().expose_secret(), "hunter2");
    for shown in [format!("{spec:?}"), format!("{seen:#?}"), format!("{:?}", rig.engine)] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[tokio::test]
async fn a_port_is_not_published_twice() {
    let rig = Rig::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut spec = rig.spec("web");
    spec.publish = vec![Published { host: taken.local_addr().unwrap(), container_port: 8080 }];
    let id = rig.engine.create_container(&spec).await.unwrap();
    let error = rig.engine.start(&id).await.unwrap_err();
    assert!(matches!(error, Error::AddressTaken { .. }), "{error:?}");
}
