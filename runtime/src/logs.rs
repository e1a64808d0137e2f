//! What a container writes, line by line.

use std::collections::VecDeque;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use bytes::BytesMut;
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{sleep, timeout};

use crate::Engine;
use crate::error::{self, Result};
use crate::lifecycle::FOR_EVER;

/// The longest line that is kept together, in bytes; a longer one comes in parts.
const LONGEST: usize = 1 << 20;

/// How long the engine may take to give the last lines, which only embellish an error.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How often the last lines are asked for while there are none, and how far apart.
const ASKS: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(50);

/// Which of a container's output is wanted. The default is all there is by now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// Only so many of the last lines.
    pub tail: Option<u64>,
    /// Whether to go on with what it writes from now on, until it ends.
    pub follow: bool,
    /// Only what was written since then, in seconds since 1970.
    pub since: Option<i64>,
    /// Whether each line begins with its time, as RFC 3339 has it, and a space.
    pub timestamps: bool,
}

/// A line of a container's output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// Which of its outputs it was written to.
    pub stream: LogStream,
    /// The line without its end. Bytes that are not UTF-8 are replaced.
    pub text: String,
}

/// One of the two outputs of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStream {
    /// The output, or the terminal where the container has one.
    Stdout,
    /// The error output.
    Stderr,
}

impl Engine {
    /// The container's output, in whole lines. Dropping the stream ends it.
    ///
    /// # Errors
    ///
    /// As an item: [`NoSuchContainer`](crate::Error::NoSuchContainer), or a log driver that cannot be read from.
    pub fn logs(&self, id: &str, query: &LogQuery) -> impl Stream<Item = Result<LogLine>> + Send + use<> {
        let since = query.since.map_or(0, |since| i32::try_from(since).unwrap_or(i32::MAX));
        let options = LogsOptions {
            follow: query.follow,
            stdout: true,
            stderr: true,
            since,
            timestamps: query.timestamps,
            tail: query.tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string()),
            ..LogsOptions::default()
        };
        let docker = if query.follow { self.patient(FOR_EVER) } else { self.docker().clone() };
        let parts = docker.logs(id, Some(options)).boxed();
        let state = (parts, Lines::default(), id.to_owned());
        stream::unfold(state, |(mut parts, mut lines, id)| async move {
            loop {
                if let Some(line) = lines.ready.pop_front() {
                    return Some((Ok(line), (parts, lines, id)));
                }
                match parts.next().await {
                    Some(Ok(part)) => lines.push(&part),
                    Some(Err(e)) => {
                        return Some((Err(error::container("read the log of", &id, e)), (parts, lines, id)));
                    }
                    None if lines.is_done() => return None,
                    None => lines.finish(),
                }
            }
        })
    }

    /// The last `n` lines of the container's output, or fewer: whatever can be had within 2 s. None are asked for again:
    /// right after a container has ended, the engine may not have written its last words yet.
    pub async fn last_log_lines(&self, id: &str, n: usize) -> Vec<String> {
        let query = LogQuery { tail: Some(n as u64), ..LogQuery::default() };
        let mut lines = Vec::new();
        let read = async {
            for ask in 0..ASKS {
                if ask > 0 {
                    sleep(BETWEEN).await;
                }
                let mut logs = Box::pin(self.logs(id, &query));
                while let Some(Ok(line)) = logs.next().await {
                    lines.push(line.text);
                }
                if !lines.is_empty() {
                    break;
                }
            }
        };
        if timeout(LAST_WORDS, read).await.is_err() {
            tracing::debug!(container = id, "the engine is slow to give the last lines");
        }
        lines
    }
}

/// Puts the parts that the engine sends together to lines, each output for itself.
#[derive(Default)]
pub(crate) struct Lines {
    out: BytesMut,
    err: BytesMut,
    pub(crate) ready: VecDeque<LogLine>,
}

impl Lines {
    pub(crate) fn push(&mut self, part: &LogOutput) {
        let (stream, held) = match part {
            LogOutput::StdErr { .. } => (LogStream::Stderr, &mut self.err),
            _ => (LogStream::Stdout, &mut self.out),
        };
        held.extend_from_slice(part.as_ref());
        while let Some(end) = held.iter().position(|&byte| byte == b'\n') {
            let line = held.split_to(end + 1);
            self.ready.push_back(LogLine::new(stream, &line[..end]));
        }
        if held.len() > LONGEST {
            self.ready.push_back(LogLine::new(stream, &held.split()));
        }
    }

    pub(crate) fn finish(&mut self) {
        for (stream, held) in [(LogStream::Stdout, &mut self.out), (LogStream::Stderr, &mut self.err)] {
            if !held.is_empty() {
                self.ready.push_back(LogLine::new(stream, &held.split()));
            }
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_empty() && self.err.is_empty() && self.ready.is_empty()
    }
}

impl LogLine {
    fn new(stream: LogStream, bytes: &[u8]) -> Self {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        Self { stream, text: String::from_utf8_lossy(bytes).into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into() }
    }

    fn err(text: &str) -> LogOutput {
        LogOutput::StdErr { message: text.to_owned().into() }
    }

    fn lines(parts: &[LogOutput]) -> Vec<(LogStream, String)> {
        let mut lines = Lines::default();
        parts.iter().for_each(|part| lines.push(part));
        lines.finish();
        lines.ready.into_iter().map(|line| (line.stream, line.text)).collect()
    }

    #[test]
    fn a_line_in_parts_is_put_together_per_output() {
        let got = lines(&[out("he"), err("oh"), out("llo\nwor"), err(" no\r\n"), out("ld")]);
        let wanted =
            [(LogStream::Stdout, "hello"), (LogStream::Stderr, "oh no"), (LogStream::Stdout, "world")];
        assert_eq!(got, wanted.map(|(stream, text)| (stream, text.to_owned())));
    }

    #[test]
    fn empty_lines_are_kept() {
        assert_eq!(lines(&[out("a\n\nb\n")]).len(), 3);
    }

    #[test]
    fn a_line_without_end_does_not_take_all_memory() {
        let part = "x".repeat(LONGEST / 2 + 1);
        assert_eq!(lines(&[out(&part), out(&part), out("tail")]).len(), 2);
    }
}
