//! Images and indexes without measure.

use std::collections::HashMap;

use cutover_registry::{Digest, Error, Platforms};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rig::image::{INDEX, MANIFEST, TestImage, descriptor};
use crate::rig::peer::{Peer, Reply, client};
use crate::rig::{amd64, assert_verified, names};

/// A registry that has these contents by their digests, and the last of them as `latest`.
async fn serve(contents: Vec<Vec<u8>>) -> Peer {
    let last = contents.last().unwrap().clone();
    let known: HashMap<_, _> =
        contents.into_iter().map(|bytes| (Digest::of(&bytes).to_string(), bytes)).collect();
    Peer::start(move |request, _| {
        let name = request.path.rsplit('/').next().unwrap();
        let bytes = if name == "latest" { Some(&last) } else { known.get(name) };
        bytes.map_or_else(|| Reply::new(404, ""), |bytes| Reply::range(bytes, request))
    })
    .await
}

fn manifest(config: &[u8], layers: &[Value]) -> Vec<u8> {
    let config = descriptor("application/vnd.oci.image.config.v1+json", config);
    let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
    serde_json::to_vec(&manifest).unwrap()
}

fn index(entries: &[Value]) -> Vec<u8> {
    serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})).unwrap()
}

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

#[tokio::test]
async fn of_ten_thousand_layers_each_is_looked_at_once_and_what_lacks_is_fetched() {
    let mut contents: Vec<_> = (0..10_000_u32).map(|layer| layer.to_le_bytes().to_vec()).collect();
    let layers: Vec<_> = contents.iter().map(|bytes| descriptor(LAYER, bytes)).collect();
    let output = TempDir::new().unwrap();
    let blobs = output.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    for there in &contents[1000..] {
        std::fs::write(blobs.join(Digest::of(there).hex()), there).unwrap();
    }
    let doubled = [&layers[..], &layers[..]].concat();
    contents.push(b"{}".to_vec());
    contents.push(manifest(b"{}", &doubled));
    let peer = serve(contents).await;
    let pulled = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap();
    assert_eq!((pulled.fetched, pulled.kept), (4002, 36_000));
    assert_eq!(names(&blobs).len(), 10_002);
    assert_eq!(peer.requests().len(), 1002);
    assert_verified(output.path());
}

#[tokio::test]
async fn a_manifest_of_a_gigabyte_is_not_read_whether_it_says_so_or_not() {
    for claimed in [Some(1 << 30), None] {
        let peer = Peer::start(move |_, _| {
            let reply = Reply::manifest(vec![b' '; 5 << 20]);
            match claimed {
                Some(length) => reply.claiming(length),
                None => reply.endless(),
            }
        })
        .await;
        let output = TempDir::new().unwrap();
        let error = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: 4_194_304, .. }), "{error}");
        assert_eq!(names(output.path()), [] as [&str; 0]);
    }
}

#[tokio::test]
async fn a_layer_without_a_length_is_cut_off_at_what_its_descriptor_says() {
    let image = TestImage::new("linux/amd64", &[5000]);
    let path = format!("/v2/acme/web/blobs/{}", image.digests[1]);
    let peer = Peer::registry(&image, move |request, _| {
        (request.path == path).then(|| Reply::new(200, [0; 50_000]).endless())
    })
    .await;
    let output = TempDir::new().unwrap();
    let error = client().pull(&peer.image(), amd64(), output.path()).finish().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 5000, .. }), "{error}");
    assert_verified(output.path());
}

#[tokio::test]
async fn an_index_within_an_index_without_end_is_left_by_a_pull_of_all_too() {
    let image = TestImage::new("linux/amd64", &[]);
    let mut contents = vec![image.blobs[0].clone(), image.manifest.clone()];
    for depth in 0..8 {
        let inner = descriptor(if depth == 0 { MANIFEST } else { INDEX }, contents.last().unwrap());
        contents.push(index(&[inner]));
    }
    let deep = serve(contents.clone()).await;
    let output = TempDir::new().unwrap();
    let error = client().pull(&deep.image(), Platforms::All, output.path()).finish().await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("nested")), "{error}");
    assert_eq!(names(output.path()), [] as [&str; 0]);

    contents.truncate(5);
    let shallow = serve(contents).await;
    client().pull(&shallow.image(), Platforms::All, output.path()).finish().await.unwrap();
    assert_verified(output.path());
}

#[tokio::test]
async fn the_manifests_of_an_index_are_bounded_together() {
    let filler = "x".repeat(3 << 20);
    let manifests: Vec<_> = (0..4)
        .map(|number| {
            let mut document: Value = serde_json::from_slice(&manifest(b"{}", &[])).unwrap();
            document["annotations"] = json!({"filler": filler, "number": number.to_string()});
            serde_json::to_vec(&document).unwrap()
        })
        .collect();
    let entries: Vec<_> = manifests.iter().map(|bytes| descriptor(MANIFEST, bytes)).collect();
    let mut contents = manifests;
    contents.push(b"{}".to_vec());
    contents.push(index(&entries));
    let peer = serve(contents).await;
    let output = TempDir::new().unwrap();
    let error = client().pull(&peer.image(), Platforms::All, output.path()).finish().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 8_388_608, .. }), "{error}");
    assert_eq!(names(output.path()), [] as [&str; 0]);
}

#[tokio::test]
async fn an_entry_that_lies_about_its_length_is_refused() {
    let image = TestImage::new("linux/amd64", &[]);
    let mut entry = descriptor(MANIFEST, &image.manifest);
    entry["size"] = json!(image.manifest.len() - 1);
    let peer = serve(vec![image.blobs[0].clone(), image.manifest.clone(), index(&[entry])]).await;
    let output = TempDir::new().unwrap();
    let error = client().pull(&peer.image(), Platforms::All, output.path()).finish().await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("bytes long")), "{error}");
}

#[tokio::test]
async fn names_that_lead_out_of_the_directory_are_no_digests() {
    let registry = client();
    for name in
        ["sha256:../../../../etc/passwd", "../sha256:00", "sha256:", "sha256:/etc/passwd", "md5:d41d8cd9"]
    {
        let layer = json!({"mediaType": LAYER, "digest": name, "size": 5});
        let entry = json!({"mediaType": MANIFEST, "digest": name, "size": 5});
        for document in [manifest(b"{}", &[layer]), index(&[entry])] {
            let peer = serve(vec![b"{}".to_vec(), document]).await;
            for platforms in [Platforms::All, Platforms::Only(amd64())] {
                let output = TempDir::new().unwrap();
                let inner = output.path().join("layout");
                let error = registry.pull(&peer.image(), platforms, &inner).finish().await.unwrap_err();
                assert!(matches!(error, Error::Protocol { .. }), "{name}: {error}");
                assert_eq!(names(output.path()), [] as [&str; 0], "{name}");
            }
        }
    }
}
