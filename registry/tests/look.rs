//! Looking at images: inspect, tags, referrers.

use std::collections::BTreeMap;
use std::time::Duration;

use cutover_registry::{Descriptor, Digest, Error, Platform, PushOptions};
use serde_json::json;

use crate::rig::daemon::{Auth, Daemon};
use crate::rig::image::{INDEX, MANIFEST, TestImage, put_manifest};
use crate::rig::layout::TestLayout;
use crate::rig::peer::{Peer, Reply, Request, client};
use crate::rig::skopeo::copy;

const SIGNATURE: &str = "application/vnd.example.signature";

fn referrer(name: &str, kind: &str) -> Descriptor {
    let mut entry = Descriptor::new(MANIFEST, Digest::of(name), name.len() as u64);
    entry.artifact_type = Some(kind.to_owned());
    entry
}

fn index(entries: &[Descriptor]) -> Vec<u8> {
    serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})).unwrap()
}

#[tokio::test]
async fn what_skopeo_pushes_is_inspected() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let mut layout = TestLayout::new();
    let pushed = layout.real_index(&["amd64", "arm64"]);
    let image = daemon.image("acme/web:v1");
    copy(&format!("oci:{}", layout.path().display()), &format!("docker://{image}")).await;

    let arm: Platform = "linux/arm64".parse().unwrap();
    let seen = client().inspect(&image, &arm).await.unwrap();
    assert_eq!(seen.resolved.digest, Digest::of(&pushed));
    assert_ne!(seen.image.digest, seen.resolved.digest);
    assert_eq!(seen.platforms, ["linux/amd64", "linux/arm64"].map(|name| name.parse().unwrap()));
    assert_eq!(seen.layers.len(), 2);
    assert!(seen.size > seen.layers.iter().map(|layer| layer.size).sum(), "{}", seen.size);
    let config = &seen.config;
    assert_eq!(config.platform, Some(arm));
    assert_eq!(config.created.as_deref(), Some("2024-05-06T07:08:09Z"));
    assert_eq!(config.env, ["PATH=/bin", "MODE=test"]);
    assert_eq!((config.entrypoint[0].as_str(), config.cmd[0].as_str()), ("/layer-0", "serve"));
    assert_eq!(config.exposed_ports, ["8080/tcp"]);
    assert_eq!((config.user.as_deref(), config.working_dir.as_deref()), (Some("1000"), Some("/srv")));
    assert_eq!(config.labels["org.opencontainers.image.source"], "https://example.com/acme/web");
    let health = config.healthcheck.as_ref().unwrap();
    assert_eq!(
        (health.interval, health.timeout, health.retries),
        (Some(Duration::from_secs(5)), None, Some(3))
    );
    assert_eq!(health.test, ["CMD", "/layer-0", "check"]);
}

#[tokio::test]
async fn an_image_that_is_in_no_index_offers_its_own_platform() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/arm/v7", &[10]);
    image.push(&daemon.host, "acme/web", "v1", None).await;
    let seen = client().inspect(&daemon.image("acme/web:v1"), &image.platform).await.unwrap();
    assert_eq!(seen.resolved, seen.image);
    assert_eq!(seen.platforms, [image.platform]);
    assert_eq!(seen.size, image.blobs.iter().map(|blob| blob.len() as u64).sum::<u64>());
}

#[tokio::test]
async fn tags_are_listed_and_an_unknown_repository_is_not_found() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let image = TestImage::new("linux/amd64", &[]);
    let layout = TestLayout::of(&image);
    let mut options = PushOptions::default();
    options.tags = (10..40).map(|number| format!("v{number}")).collect();
    let to = daemon.image("acme/web:latest");
    client().push(layout.path(), &to, &options).finish().await.unwrap();
    let mut tags = client().tags(&to).await.unwrap();
    tags.sort();
    assert_eq!((tags.len(), tags[0].as_str(), tags[30].as_str()), (31, "latest", "v39"));
    let error = client().tags(&daemon.image("acme/none")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

/// A registry whose tags are three pages; `link` makes the header of each.
async fn paged(link: impl Fn(&Request, usize) -> String + Send + Sync + 'static) -> Peer {
    Peer::start(move |request, before| {
        let reply = Reply::new(200, json!({"name": "acme/web", "tags": [format!("t{before}")]}).to_string());
        if before < 2 { reply.with("Link", link(request, before)) } else { reply }
    })
    .await
}

#[tokio::test]
async fn pages_are_followed_by_relative_and_absolute_links() {
    let relative = paged(|_, page| format!(r#"</v2/acme/web/tags/list?last=t{page}&n=1>; rel="next""#)).await;
    let absolute = paged(|request, page| {
        let host = request.header("host").unwrap_or_default();
        format!(r#"<http://{host}/v2/acme/web/tags/list?last=t{page}>; rel=next"#)
    })
    .await;
    for peer in [relative, absolute] {
        assert_eq!(client().tags(&peer.image()).await.unwrap(), ["t0", "t1", "t2"]);
        assert!(peer.requests()[1].path.contains("last=t0"), "{}", peer.requests()[1].path);
    }
}

#[tokio::test]
async fn pages_elsewhere_and_in_a_circle_are_refused() {
    let other = Peer::start(|_, _| Reply::new(200, r#"{"tags":["stolen"]}"#)).await;
    let to = other.url("/v2/acme/web/tags/list");
    let elsewhere = paged(move |_, _| format!(r#"<{to}>; rel="next""#)).await;
    let error = client().tags(&elsewhere.image()).await.unwrap_err();
    assert!(matches!(error, Error::Unsafe { .. }), "{error}");
    assert!(other.requests().is_empty());

    let circle = paged(|request, _| format!(r#"<{}>; rel="next""#, request.path)).await;
    let error = client().tags(&circle.image()).await.unwrap_err();
    assert!(matches!(&error, Error::Protocol { detail, .. } if detail.contains("circle")), "{error}");
}

#[tokio::test]
async fn referrers_come_by_the_api_in_pages_filtered_by_the_registry_or_by_us() {
    let image = TestImage::new("linux/amd64", &[]);
    for filters in [true, false] {
        let [one, two] = [referrer("one", SIGNATURE), referrer("two", "application/spdx+json")];
        let own = format!("/v2/acme/web/referrers/{}", image.digest());
        let entries = (one.clone(), two.clone());
        let peer = Peer::registry(&image, move |request, _| {
            let rest = request.path.strip_prefix(&own)?;
            let page = |entry: &Descriptor| {
                let reply = Reply::new(200, index(std::slice::from_ref(entry))).with("Content-Type", INDEX);
                if filters { reply.with("OCI-Filters-Applied", "artifactType") } else { reply }
            };
            let next = format!(r#"<{own}?page=2>; rel="next""#);
            Some(if rest.contains("page=2") { page(&entries.1) } else { page(&entries.0).with("Link", next) })
        })
        .await;
        let pinned = peer.image().with_digest(image.digest());
        assert_eq!(client().referrers(&pinned, None).await.unwrap(), [one.clone(), two]);
        assert_eq!(
            client().referrers(&peer.image(), Some(SIGNATURE)).await.unwrap(),
            [one],
            "resolved first"
        );
        let asked = &peer.requests()[3];
        assert!(asked.path.ends_with("?artifactType=application%2Fvnd.example.signature"), "{}", asked.path);
    }
}

#[tokio::test]
async fn referrers_are_found_by_their_tag_where_there_is_no_api() {
    let daemon = Daemon::start(Auth::Anonymous).await;
    let (image, signature) = (TestImage::new("linux/amd64", &[]), TestImage::new("linux/amd64", &[10]));
    for (image, name) in [(&image, "v1".to_owned()), (&signature, signature.digest().to_string())] {
        image.push(&daemon.host, "acme/web", &name, None).await;
    }
    let pinned = daemon.image("acme/web").with_digest(image.digest());
    assert_eq!(client().referrers(&pinned, None).await.unwrap(), [], "none yet");
    let mut entry = Descriptor::new(MANIFEST, signature.digest(), signature.manifest.len() as u64);
    entry.artifact_type = Some(SIGNATURE.to_owned());
    entry.annotations = BTreeMap::from([("by".to_owned(), "acme".to_owned())]);
    let tag = image.digest().to_string().replace(':', "-");
    put_manifest(&daemon.host, "acme/web", &tag, INDEX, &index(std::slice::from_ref(&entry)), None).await;
    assert_eq!(client().referrers(&pinned, None).await.unwrap(), [entry.clone()]);
    assert_eq!(client().referrers(&pinned, Some(SIGNATURE)).await.unwrap(), [entry]);
    assert_eq!(client().referrers(&pinned, Some("application/other")).await.unwrap(), []);
}
