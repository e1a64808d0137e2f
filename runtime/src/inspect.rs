//! Containers in the library's words, where an engine has states that the library does not know.

use std::io;

use bollard::errors::Error as Api;
use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptions};
use http_body_util::BodyExt as _;
use hyper::Request;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;
use url::form_urlencoded::Serializer;

use crate::engine::TIMEOUT;
use crate::{Engine, wire};

type Result<T> = std::result::Result<T, Api>;

impl Engine {
    /// One container, by its name or id.
    pub(crate) async fn inspected(&self, container: &str) -> Result<ContainerInspectResponse> {
        match self.docker().inspect_container(container, None::<InspectContainerOptions>).await {
            Err(e) if is_unknown(&e) => self.translated(&format!("/containers/{container}/json")).await,
            other => other,
        }
    }

    /// The containers with these labels, whatever their state.
    pub(crate) async fn listed(&self, labels: Vec<String>) -> Result<Vec<ContainerSummary>> {
        let filters = std::collections::HashMap::from([("label".to_owned(), labels)]);
        let query = serde_json::to_string(&filters).unwrap_or_default();
        let options =
            ListContainersOptions { all: true, filters: Some(filters), ..ListContainersOptions::default() };
        match self.docker().list_containers(Some(options)).await {
            Err(e) if is_unknown(&e) => {
                let query = Serializer::new(String::new())
                    .append_pair("all", "true")
                    .append_pair("filters", &query)
                    .finish();
                self.translated(&format!("/containers/json?{query}")).await
            }
            other => other,
        }
    }

    async fn translated<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let asked = async {
            let request = Request::new(wire::empty());
            let answer =
                wire::send(self.dialler(), "tell of its containers", &self.path(path), request).await?;
            let status = answer.response.status();
            if !status.is_success() {
                return Ok(Err((status.as_u16(), answer.lines().await.err().unwrap_or_default().1)));
            }
            let body = answer.response.into_body().collect().await?.to_bytes();
            Ok::<_, crate::Source>(Ok(serde_json::from_slice::<Value>(&body)?))
        };
        let broken = |source| Api::IOError { err: io::Error::other(source) };
        match timeout(TIMEOUT, asked).await {
            Err(_) => Err(Api::RequestTimeoutError),
            Ok(Err(source)) => Err(broken(source)),
            Ok(Ok(Err((status_code, message)))) => {
                Err(Api::DockerResponseServerError { status_code, message })
            }
            Ok(Ok(Ok(mut value))) => {
                translate(&mut value);
                serde_json::from_value(value).map_err(|e| broken(e.into()))
            }
        }
    }
}

/// Whether the library met a value that it does not know.
fn is_unknown(error: &Api) -> bool {
    error.to_string().contains("unknown variant")
        || source(error).is_some_and(|e| e.contains("unknown variant"))
}

fn source(error: &Api) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}

/// Puts Podman's states of a container into Docker's words, in an inspection and in a list.
fn translate(value: &mut Value) {
    match value {
        Value::Array(summaries) => summaries.iter_mut().for_each(translate),
        _ => {
            for at in ["/State", "/State/Status"] {
                if let Some(Value::String(state)) = value.pointer_mut(at) {
                    docker(state).clone_into(state);
                }
            }
        }
    }
}

fn docker(state: &str) -> String {
    match state {
        // Its process has ended, and Podman has still to clean up after it.
        "stopped" => "exited",
        "configured" | "initialized" => "created",
        "unknown" => "dead",
        known => known,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_translated_where_they_stand_and_nowhere_else() {
        let mut one =
            serde_json::json!({ "Name": "stopped", "State": { "Status": "stopped", "Error": "stopped" } });
        translate(&mut one);
        let wanted =
            serde_json::json!({ "Name": "stopped", "State": { "Status": "exited", "Error": "stopped" } });
        assert_eq!(one, wanted);
        let mut list = serde_json::json!([{ "State": "initialized" }, { "State": "running" }]);
        translate(&mut list);
        assert_eq!(list, serde_json::json!([{ "State": "created" }, { "State": "running" }]));
    }
}
