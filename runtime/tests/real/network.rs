//! Networks: made once, told apart, with fixed addresses.

use std::net::Ipv4Addr;

use bollard::models::NetworkCreateRequest;
use cutover_runtime::{Attachment, Engine, Error, Network, NetworkSpec};

use crate::rig::Rig;

/// A network with a small range of its own; another range is tried where one is taken.
async fn own_network(rig: &Rig) -> (Network, [u8; 4]) {
    let seed = rig.name.bytes().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    for step in 0..=255u8 {
        let range = [10, 213, seed.wrapping_add(step), 0];
        let subnet = Some(format!("{}/24", Ipv4Addr::from(range)));
        let spec = NetworkSpec { name: rig.name.clone(), subnet, labels: rig.labels() };
        match rig.engine.ensure_network(&spec).await {
            Ok(network) => return (network, range),
            Err(Error::SubnetTaken { .. }) => {}
            Err(e) => panic!("{e:?}"),
        }
    }
    panic!("every range of 10.213.0.0/16 is taken");
}

async fn observed(engine: &Engine, name: &str) -> Network {
    engine.observe_network(name).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_network_is_made_once_and_then_found() {
    let rig = Rig::new().await;
    assert_eq!(rig.engine.observe_network(&rig.name).await.unwrap(), None);
    let (made, range) = own_network(&rig).await;
    let cidr = format!("{}/24", Ipv4Addr::from(range));
    let spec = NetworkSpec { name: rig.name.clone(), subnet: Some(cidr.clone()), labels: rig.labels() };
    assert_eq!(rig.engine.ensure_network(&spec).await.unwrap(), made);
    assert_eq!(observed(&rig.engine, &rig.name).await, made);
    assert_eq!((made.subnets[0].cidr.as_str(), made.driver.as_str()), (cidr.as_str(), "bridge"));
    assert_eq!(made.labels, rig.labels());

    let other = NetworkSpec { subnet: Some("10.214.0.0/24".into()), ..spec };
    let error = rig.engine.ensure_network(&other).await.unwrap_err().to_string();
    assert!(error.contains(&cidr) && error.contains("10.214.0.0/24"), "{error}");
    rig.engine.remove_network(&made.id).await.unwrap();
    rig.engine.remove_network(&made.id).await.unwrap();
}

#[tokio::test]
async fn who_comes_second_gets_the_network_that_the_first_made() {
    let rig = Rig::new().await;
    // Takes a range that is free, and leaves it.
    let (free, range) = own_network(&rig).await;
    rig.engine.remove_network(&free.id).await.unwrap();
    let subnet = Some(format!("{}/24", Ipv4Addr::from(range)));
    let spec = NetworkSpec { name: rig.name.clone(), subnet, labels: rig.labels() };
    let (one, other) = tokio::join!(rig.engine.ensure_network(&spec), rig.engine.ensure_network(&spec));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(observed(&rig.engine, &rig.name).await.subnets.len(), 1);
}

#[tokio::test]
async fn a_name_that_two_networks_have_stands_for_none() {
    let rig = Rig::new().await;
    for _ in 0..2 {
        let labels = Some(rig.labels().into_iter().collect());
        let request =
            NetworkCreateRequest { name: rig.name.clone(), labels, ..NetworkCreateRequest::default() };
        rig.api.create_network(request).await.unwrap();
    }
    let error = rig.engine.observe_network(&rig.name).await.unwrap_err();
    assert!(matches!(&error, Error::AmbiguousNetwork { ids, .. } if ids.len() == 2), "{error:?}");
    let spec = NetworkSpec { name: rig.name.clone(), ..NetworkSpec::default() };
    assert!(matches!(rig.engine.ensure_network(&spec).await, Err(Error::AmbiguousNetwork { .. })));
}

#[tokio::test]
async fn a_fixed_address_is_kept_and_not_given_twice() {
    let rig = Rig::new().await;
    let (network, [a, b, c, _]) = own_network(&rig).await;
    let address = Ipv4Addr::new(a, b, c, 77);
    let mut spec = rig.spec("one");
    spec.networks = vec![
        Attachment { network: rig.name.clone(), address: Some(address), aliases: vec!["web".into()] },
        Attachment::new("bridge"),
    ];
    let one = rig.run(&spec).await;
    let there = one.networks.iter().find(|at| at.network == rig.name).unwrap();
    assert_eq!((there.address, there.configured_address), (Some(address.into()), Some(address)));
    assert!(there.aliases.contains(&"web".to_owned()), "{there:?}");
    assert_eq!(one.networks.len(), 2, "the second network is connected before the start");

    let in_use = rig.engine.remove_network(&network.id).await.unwrap_err();
    assert!(matches!(in_use, Error::NetworkInUse { .. }), "{in_use:?}");

    spec.name = format!("{}-two", rig.name);
    let two = rig.engine.create_container(&spec).await.unwrap();
    let taken = rig.engine.start(&two).await.unwrap_err();
    assert!(matches!(taken, Error::AddressTaken { .. }), "{taken:?}");
}

#[tokio::test]
async fn a_network_that_is_not_there_is_told_before_anything_is_made() {
    let rig = Rig::new().await;
    let mut spec = rig.spec("web");
    spec.networks = vec![Attachment::new("bridge"), Attachment::new(format!("{}-none", rig.name))];
    let error = rig.engine.create_container(&spec).await.unwrap_err();
    assert!(matches!(error, Error::NoSuchNetwork { .. }), "{error:?}");
    assert!(rig.engine.observe_container(&spec.name).await.unwrap().is_none());
}
