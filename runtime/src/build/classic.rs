//! What the classic builder tells of its work: text for people, in steps.

use super::error::Failing;
use super::output::Output;
use super::{BuildProgress, StepState};
use crate::LogStream;
use crate::wire::Line;

const RED: &str = "\u{1b}[91m";
const RESET: &str = "\u{1b}[0m";

/// Where a classic build is.
#[derive(Debug, Default)]
pub(super) struct Classic {
    step: Option<Step>,
    output: Output,
    exit_code: Option<i64>,
}

#[derive(Debug)]
struct Step {
    /// Its number, as `2/3`.
    id: String,
    name: String,
    cached: bool,
}

type Tell<'a> = &'a mut (dyn FnMut(BuildProgress) + Send);

impl Classic {
    pub(super) fn line(&mut self, line: &Line, tell: Tell<'_>) {
        if let Some(code) =
            line.error_detail.as_ref().and_then(|detail| detail.code).filter(|&code| code != 0)
        {
            self.exit_code = Some(code);
        }
        if let (Some(status), Some(detail)) = (&line.status, &line.detail)
            && let Some(current) = detail.current.and_then(|bytes| u64::try_from(bytes).ok())
        {
            let name = line.id.as_ref().map_or_else(|| status.clone(), |id| format!("{status} {id}"));
            let total = detail.total.and_then(|bytes| u64::try_from(bytes).ok()).filter(|&total| total > 0);
            tell(BuildProgress::Transfer { name, current, total });
        }
        if let Some(stream) = &line.stream {
            for text in self.output.push(LogStream::Stdout, stream.as_bytes()) {
                self.text(&text, tell);
            }
        }
    }

    fn text(&mut self, text: &str, tell: Tell<'_>) {
        if let Some((number, name)) = text.strip_prefix("Step ").and_then(|step| step.split_once(" : ")) {
            self.end(StepState::Done, tell);
            let step = Step { id: number.to_owned(), name: name.to_owned(), cached: false };
            tell(step.is(StepState::Started));
            self.step = Some(step);
            self.output = Output::default();
        } else if let Some(warning) = text.strip_prefix("[Warning] ") {
            tell(BuildProgress::Warning(warning.to_owned()));
        } else if text == " ---> Using cache" {
            if let Some(step) = &mut self.step {
                step.cached = true;
            }
        } else {
            // Red is how it marks the error output, around each write and not each line.
            let stream = if text.contains(RED) { LogStream::Stderr } else { LogStream::Stdout };
            let plain = text.replace(RED, "").replace(RESET, "");
            if plain.is_empty() || is_chatter(&plain) {
                return;
            }
            self.output.keep(&plain);
            let step = self.step.as_ref().map_or_else(String::new, |step| step.id.clone());
            tell(BuildProgress::Output { step, stream, text: plain });
        }
    }

    fn end(&mut self, state: StepState, tell: Tell<'_>) {
        for (_, text) in self.output.rest() {
            self.text(&text, tell);
        }
        if let Some(step) = self.step.take() {
            let cached = step.cached && state == StepState::Done;
            tell(step.is(if cached { StepState::Cached } else { state }));
        }
    }

    pub(super) fn succeeded(&mut self, tell: Tell<'_>) {
        self.end(StepState::Done, tell);
    }

    pub(super) fn failed(mut self, tell: Tell<'_>) -> Failing {
        let step = self.step.as_ref().map(|step| step.name.clone());
        self.end(StepState::Failed, tell);
        Failing { step, output: self.output.last(), exit_code: self.exit_code }
    }
}

impl Step {
    fn is(&self, state: StepState) -> BuildProgress {
        BuildProgress::Step { id: self.id.clone(), name: self.name.clone(), state }
    }
}

/// What the builder says of its containers and images, which say nothing to anybody else.
fn is_chatter(text: &str) -> bool {
    [" ---> ", "Removing intermediate container ", "Successfully built ", "Successfully tagged "]
        .iter()
        .any(|chatter| text.starts_with(chatter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_as_steps_and_their_output() {
        let mut classic = Classic::default();
        let mut told = Vec::new();
        for stream in [
            "Step 1/2 : FROM scratch",
            "\n",
            " ---> \n",
            "Step 2/2 : RUN x\n",
            " ---> Running in 0123456789ab\n",
            "one\ntw",
            "o\n\u{1b}[91mbad\n\u{1b}[0m",
        ] {
            classic.line(&Line { stream: Some(stream.to_owned()), ..Line::default() }, &mut |step| {
                told.push(step);
            });
        }
        let step =
            |id: &str, name: &str, state| BuildProgress::Step { id: id.into(), name: name.into(), state };
        let wrote =
            |stream, text: &str| BuildProgress::Output { step: "2/2".into(), stream, text: text.into() };
        let wanted = [
            step("1/2", "FROM scratch", StepState::Started),
            step("1/2", "FROM scratch", StepState::Done),
            step("2/2", "RUN x", StepState::Started),
            wrote(LogStream::Stdout, "one"),
            wrote(LogStream::Stdout, "two"),
            wrote(LogStream::Stderr, "bad"),
        ];
        assert_eq!(told, wanted);
        let failing = classic.failed(&mut |_| {});
        assert_eq!(
            (failing.step.as_deref(), failing.output[..3].join(" ")),
            (Some("RUN x"), "one two bad".into())
        );
    }
}
