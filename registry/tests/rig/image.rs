//! Images made of arbitrary bytes, and putting them into a registry.

use std::sync::atomic::{AtomicU64, Ordering};

use cutover_registry::{Digest, Platform};
use serde_json::{Value, json};

use super::http::send;
use super::layer::Layer;

pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image: its manifest's bytes, and its configuration and layers in this order.
#[derive(Clone)]
pub(crate) struct TestImage {
    pub(crate) platform: Platform,
    pub(crate) manifest: Vec<u8>,
    pub(crate) blobs: Vec<Vec<u8>>,
    /// The digests of the blobs.
    pub(crate) digests: Vec<Digest>,
}

impl TestImage {
    /// An image for the platform with layers of these lengths in bytes, unlike any other image.
    pub(crate) fn new(platform: &str, layers: &[usize]) -> Self {
        let blobs = layers.iter().map(|length| (GZIP, noise(*length))).collect();
        Self::of(platform, blobs, &[])
    }

    /// An image that an engine takes: its layers are tars of one file each.
    pub(crate) fn real(platform: &str, layers: &[Layer]) -> Self {
        let ids: Vec<_> = layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let blobs = layers.iter().map(|layer| (layer.media_type, layer.bytes.clone())).collect();
        Self::of(platform, blobs, &ids)
    }

    fn of(platform: &str, layers: Vec<(&str, Vec<u8>)>, ids: &[Digest]) -> Self {
        let platform: Platform = platform.parse().unwrap();
        let config = json!({
            "os": platform.os, "architecture": platform.architecture, "variant": platform.variant,
            "rootfs": {"type": "layers", "diff_ids": ids},
            "config": {},
            "author": format!("test {}", unique()),
        });
        let config = serde_json::to_vec(&config).unwrap();
        let described: Vec<_> = layers.iter().map(|(kind, bytes)| descriptor(kind, bytes)).collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
            "layers": described,
        });
        let blobs: Vec<_> =
            std::iter::once(config).chain(layers.into_iter().map(|(_, bytes)| bytes)).collect();
        let digests = blobs.iter().map(Digest::of).collect();
        Self { platform, manifest: serde_json::to_vec(&manifest).unwrap(), blobs, digests }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest::of(&self.manifest)
    }

    /// How long its configuration and layers are, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.len() as u64).sum()
    }

    /// Puts the image there under this tag or digest.
    pub(crate) async fn push(&self, host: &str, repository: &str, name: &str, authorization: Option<&str>) {
        let authorization: Vec<_> = authorization.map(|value| ("Authorization", value)).into_iter().collect();
        for (blob, digest) in self.blobs.iter().zip(&self.digests) {
            let begin = format!("/v2/{repository}/blobs/uploads/");
            let begun = send(host, "POST", &begin, &authorization, b"").await;
            assert_eq!(begun.status, 202, "POST {begin}");
            let location = begun.header("location").expect("a place to upload to");
            let path = location.strip_prefix(&format!("http://{host}")).unwrap_or(location);
            let path = format!("{path}&digest={digest}");
            assert_eq!(send(host, "PUT", &path, &authorization, blob).await.status, 201, "PUT {path}");
        }
        put_manifest(
            host,
            repository,
            name,
            MANIFEST,
            &self.manifest,
            authorization.first().map(|(_, v)| *v),
        )
        .await;
    }
}

/// Puts a manifest or an index there.
pub(crate) async fn put_manifest(
    host: &str,
    repository: &str,
    name: &str,
    media_type: &str,
    bytes: &[u8],
    authorization: Option<&str>,
) {
    let mut headers = vec![("Content-Type", media_type)];
    headers.extend(authorization.map(|value| ("Authorization", value)));
    let path = format!("/v2/{repository}/manifests/{name}");
    assert_eq!(send(host, "PUT", &path, &headers, bytes).await.status, 201, "PUT {path}");
}

/// An index of these images, with an attestation before them, as BuildKit writes it.
pub(crate) fn index(attestation: &TestImage, images: &[&TestImage]) -> Vec<u8> {
    let mut entries = vec![descriptor(MANIFEST, &attestation.manifest)];
    entries[0]["platform"] = json!({"os": "unknown", "architecture": "unknown"});
    entries[0]["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    for image in images {
        let mut entry = descriptor(MANIFEST, &image.manifest);
        entry["platform"] = serde_json::to_value(&image.platform).unwrap();
        entries.push(entry);
    }
    serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})).unwrap()
}

pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(bytes), "size": bytes.len()})
}

fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = unique().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
