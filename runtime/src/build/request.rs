//! What the engine is asked when it is asked to build.

use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::json;
use url::form_urlencoded::Serializer;

use super::{BuildSpec, Builder, CacheTo};
use crate::credentials::header;
use crate::error::Source;

/// What asks BuildKit for an image that can be built upon elsewhere.
const INLINE_CACHE: &str = "BUILDKIT_INLINE_CACHE";
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The path of the request. `session` makes it one for BuildKit; `dockerfile` is the file's name for the builder.
pub(super) fn path(spec: &BuildSpec, dockerfile: &str, session: Option<&str>) -> String {
    let mut query = Serializer::new(String::from("/build?"));
    let mut args = spec.args.clone();
    if let Some(epoch) = spec.source_date_epoch {
        args.entry(EPOCH.to_owned()).or_insert_with(|| epoch.to_string());
    }
    if let Some(session) = session {
        query
            .append_pair("version", "2")
            .append_pair("session", session)
            .append_pair("remote", "client-session");
        if spec.cache_to == Some(CacheTo::Inline) {
            args.insert(INLINE_CACHE.to_owned(), "1".to_owned());
        }
    } else {
        // Containers of steps that were done are of no use to anybody.
        query.append_pair("rm", "1").append_pair("forcerm", "1");
    }
    query.append_pair("dockerfile", dockerfile);
    query.append_pair("buildargs", &json!(args).to_string());
    query.append_pair("labels", &json!(spec.labels).to_string());
    query.append_pair("cachefrom", &json!(spec.cache_from).to_string());
    for tag in &spec.tags {
        query.append_pair("t", tag);
    }
    let named = [("target", &spec.target), ("platform", &spec.platform), ("networkmode", &spec.network)];
    for (name, value) in named {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    for (name, wanted) in [("nocache", spec.no_cache), ("pull", spec.pull)] {
        if wanted {
            query.append_pair(name, "1");
        }
    }
    query.finish()
}

/// The headers of the request. The classic builder takes credentials from one; BuildKit asks for them.
pub(super) fn headers(spec: &BuildSpec, builder: Builder) -> Result<HeaderMap, Source> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    if builder == Builder::Classic && !spec.credentials.is_empty() {
        let named = spec.credentials.iter().map(|(host, credentials)| {
            let host = if host == "docker.io" { "https://index.docker.io/v1/" } else { host };
            (host, credentials.shown(host))
        });
        let named: std::collections::BTreeMap<_, _> = named.collect();
        headers.insert(HeaderName::from_static("x-registry-config"), header(&named)?);
    }
    Ok(headers)
}
