use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{MountType, PortBinding, RestartPolicyNameEnum};

use super::{body, whole_seconds};
use crate::{Attachment, ContainerSpec, Error, Mount, Published, Restart};

fn spec() -> ContainerSpec {
    ContainerSpec::new("web", "acme/web:1")
}

fn why(spec: &ContainerSpec) -> String {
    match body(spec) {
        Err(Error::InvalidSpec { container, why }) if container == "web" => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_defaults_are_safe() {
    let body = body(&spec()).unwrap();
    let host = body.host_config.unwrap();
    assert_eq!(host.security_opt.unwrap(), ["no-new-privileges"]);
    assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::UNLESS_STOPPED));
    let bounds =
        [("max-size", "10m"), ("max-file", "3")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(host.log_config.unwrap().config, Some(HashMap::from(bounds)));
    assert_eq!(body.stop_timeout, Some(10));
    assert_eq!((body.cmd, body.entrypoint, body.env), (None, None, None), "the image's own are left");
}

#[test]
fn only_the_first_network_is_in_the_request() {
    let mut spec = spec();
    let first = Attachment { address: Some([10, 0, 0, 7].into()), ..Attachment::new("front") };
    spec.networks = vec![first, Attachment::new("back")];
    let body = body(&spec).unwrap();
    let places = body.networking_config.unwrap().endpoints_config.unwrap();
    assert_eq!(places.len(), 1);
    let address = places["front"].ipam_config.as_ref().and_then(|config| config.ipv4_address.as_deref());
    assert_eq!(address, Some("10.0.0.7"));
    assert_eq!(places["front"].mac_address.as_deref(), Some("02:42:0a:00:00:07"));
    assert_eq!(body.host_config.unwrap().network_mode.as_deref(), Some("front"));
}

#[test]
fn two_host_ports_can_lead_to_one_port() {
    let mut spec = spec();
    let publish = |port| Published { host: ([127, 0, 0, 1], port).into(), container_port: 80 };
    spec.publish = vec![publish(8112), publish(0)];
    let body = body(&spec).unwrap();
    assert_eq!(body.exposed_ports.unwrap(), ["80/tcp"]);
    let binding = |port: Option<&str>| PortBinding {
        host_ip: Some("127.0.0.1".into()),
        host_port: port.map(str::to_owned),
    };
    let bound = body.host_config.unwrap().port_bindings.unwrap()["80/tcp"].clone();
    assert_eq!(bound, Some(vec![binding(Some("8112")), binding(None)]));
}

#[test]
fn a_path_is_bound_and_a_name_is_a_volume() {
    let mut spec = spec();
    let mount = |source: &str| Mount { source: source.into(), target: "/data".into(), read_only: false };
    spec.volumes = vec![mount("/srv/data"), mount("data")];
    let mounts = body(&spec).unwrap().host_config.unwrap().mounts.unwrap();
    assert_eq!([mounts[0].typ, mounts[1].typ], [Some(MountType::BIND), Some(MountType::VOLUME)]);
    spec.volumes = vec![mount("./data")];
    assert!(why(&spec).contains("./data"));
    spec.volumes = vec![Mount { target: "data".into(), ..mount("data") }];
    assert!(why(&spec).contains("not an absolute path"));
}

#[test]
fn a_bad_variable_is_refused_without_its_value() {
    for (name, value) in [("", "hunter2"), ("A=B", "hunter2"), ("A", "hunter2\0")] {
        let spec = ContainerSpec { env: vec![(name.into(), value.into())], ..spec() };
        assert!(!why(&spec).contains("hunter2"), "{name}");
    }
}

#[test]
fn limits_that_cannot_be_are_refused() {
    for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(why(&ContainerSpec { cpus: Some(cpus), ..spec() }).contains("processors"), "{cpus}");
    }
    assert!(why(&ContainerSpec { memory: Some(1024), ..spec() }).contains("1024 bytes"));
}

#[test]
fn a_number_of_restarts_is_passed_on() {
    let spec = ContainerSpec { restart: Restart::OnFailure(Some(5)), ..spec() };
    let policy = body(&spec).unwrap().host_config.unwrap().restart_policy.unwrap();
    assert_eq!(policy.maximum_retry_count, Some(5));
}

#[test]
fn a_grace_never_comes_out_shorter() {
    assert_eq!(whole_seconds(Duration::ZERO), 0);
    assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
    assert_eq!(whole_seconds(Duration::from_secs(3)), 3);
    assert_eq!(whole_seconds(Duration::MAX), i32::MAX);
}
