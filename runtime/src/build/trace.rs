//! What BuildKit tells of its work: the state of each step, as a message of its own API in base64.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message;

use super::error::Failing;
use super::output::Output;
use super::session::{Status, Vertex};
use super::{BuildProgress, StepState};
use crate::LogStream;
use crate::wire::Line;

/// The id of the lines that hold a trace.
const TRACE: &str = "moby.buildkit.trace";

/// Where a build by BuildKit is.
#[derive(Debug, Default)]
pub(super) struct Trace {
    steps: HashMap<String, Step>,
    /// The step that failed first; others are only cancelled for it.
    failed: Option<String>,
}

#[derive(Debug, Default)]
struct Step {
    name: String,
    told: Option<StepState>,
    output: Output,
}

type Tell<'a> = &'a mut (dyn FnMut(BuildProgress) + Send);

impl Trace {
    pub(super) fn line(&mut self, line: &Line, tell: Tell<'_>) {
        if line.id.as_deref() != Some(TRACE) {
            return;
        }
        let decoded =
            line.aux.as_ref().and_then(serde_json::Value::as_str).and_then(|aux| STANDARD.decode(aux).ok());
        match decoded.map(|bytes| Status::decode(&bytes[..])) {
            Some(Ok(status)) => self.status(&status, tell),
            _ => tracing::debug!("a trace of the build that is not understood"),
        }
    }

    pub(super) fn status(&mut self, status: &Status, tell: Tell<'_>) {
        for status in &status.statuses {
            let bytes = |count: i64| u64::try_from(count).unwrap_or_default();
            let (current, total) =
                (bytes(status.current), Some(bytes(status.total)).filter(|&total| total > 0));
            if current > 0 || total.is_some() {
                tell(BuildProgress::Transfer { name: status.id.clone(), current, total });
            }
        }
        for log in &status.logs {
            let stream = if log.stream == 2 { LogStream::Stderr } else { LogStream::Stdout };
            let step = self.steps.entry(log.vertex.clone()).or_default();
            for text in step.output.push(stream, &log.message) {
                step.output.keep(&text);
                tell(BuildProgress::Output { step: log.vertex.clone(), stream, text });
            }
        }
        // Last, since a step that ended wrote before it did.
        for vertex in &status.vertexes {
            self.vertex(vertex, tell);
        }
        for warning in &status.warnings {
            tell(BuildProgress::Warning(String::from_utf8_lossy(&warning.short).into_owned()));
        }
    }

    fn vertex(&mut self, vertex: &Vertex, tell: Tell<'_>) {
        let step = self.steps.entry(vertex.digest.clone()).or_default();
        step.name.clone_from(&vertex.name);
        let state = match vertex {
            Vertex { error, .. } if !error.is_empty() => StepState::Failed,
            Vertex { completed: Some(_), cached: true, .. } => StepState::Cached,
            Vertex { completed: Some(_), .. } => StepState::Done,
            Vertex { started: Some(_), .. } => StepState::Started,
            _ => return,
        };
        if state == StepState::Failed && self.failed.is_none() && !vertex.error.contains("context canceled") {
            self.failed = Some(vertex.digest.clone());
        }
        if matches!(state, StepState::Done | StepState::Failed) {
            for (stream, text) in step.output.rest() {
                step.output.keep(&text);
                tell(BuildProgress::Output { step: vertex.digest.clone(), stream, text });
            }
        }
        if step.told.replace(state) != Some(state) {
            tell(BuildProgress::Step { id: vertex.digest.clone(), name: vertex.name.clone(), state });
        }
    }

    pub(super) fn failed(mut self) -> Failing {
        let step = self.failed.and_then(|digest| self.steps.remove(&digest));
        // What is the builder's own, such as reading the Dockerfile, is no step of the Dockerfile.
        step.filter(|step| !step.name.starts_with("[internal]")).map_or_else(Failing::default, |step| {
            Failing { step: Some(step.name), output: step.output.last(), exit_code: None }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::session::{Timestamp, VertexLog};
    use super::*;

    fn line(status: &Status) -> Line {
        let aux = Some(STANDARD.encode(status.encode_to_vec()).into());
        Line { id: Some(TRACE.to_owned()), aux, ..Line::default() }
    }

    #[test]
    fn the_step_that_failed_is_told_with_its_last_lines_and_once() {
        let started = Some(Timestamp { seconds: 1 });
        let vertex = |digest: &str, error: &str| Vertex {
            digest: digest.into(),
            name: format!("[{digest}] RUN"),
            started,
            error: error.into(),
            ..Vertex::default()
        };
        let log = |message: &str| VertexLog { vertex: "a".into(), stream: 2, message: message.into() };
        let mut trace = Trace::default();
        let mut told = Vec::new();
        for status in [
            Status { vertexes: vec![vertex("a", ""), vertex("b", "")], ..Status::default() },
            Status {
                vertexes: vec![vertex("a", "")],
                logs: vec![log("one\ntw"), log("o\n")],
                ..Status::default()
            },
            Status {
                vertexes: vec![vertex("b", "context canceled"), vertex("a", "exit code: 7")],
                ..Status::default()
            },
        ] {
            trace.line(&line(&status), &mut |step| told.push(step));
        }
        assert_eq!(told.len(), 6, "{told:?}");
        let failing = trace.failed();
        assert_eq!(failing.step.as_deref(), Some("[a] RUN"));
        assert_eq!(failing.output, ["one", "two"]);
    }

    #[test]
    fn a_trace_that_is_not_understood_does_not_end_the_build() {
        let mut trace = Trace::default();
        let aux = Some(serde_json::Value::from("not base64"));
        trace.line(&Line { id: Some(TRACE.to_owned()), aux, ..Line::default() }, &mut |step| {
            panic!("{step:?}")
        });
        assert!(trace.failed().step.is_none());
    }
}
