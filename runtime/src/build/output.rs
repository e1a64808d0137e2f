//! What a step writes, line by line, and its last lines.

use std::collections::VecDeque;

use bytes::BytesMut;

use crate::LogStream;

/// How many lines a failure comes with.
const LAST: usize = 40;
/// The longest line that is kept together, in bytes.
const LONGEST: usize = 64 << 10;

/// Puts what one step writes to lines, and keeps the last of them.
#[derive(Debug, Default)]
pub(super) struct Output {
    out: BytesMut,
    err: BytesMut,
    last: VecDeque<String>,
}

impl Output {
    /// The lines that are whole by now.
    pub(super) fn push(&mut self, stream: LogStream, bytes: &[u8]) -> Vec<String> {
        let held = match stream {
            LogStream::Stdout => &mut self.out,
            LogStream::Stderr => &mut self.err,
        };
        held.extend_from_slice(bytes);
        let mut lines = Vec::new();
        while let Some(end) = held.iter().position(|&byte| byte == b'\n') {
            lines.push(text(&held.split_to(end + 1)));
        }
        if held.len() > LONGEST {
            lines.push(text(&held.split()));
        }
        lines
    }

    /// Keeps a line among the last.
    pub(super) fn keep(&mut self, line: &str) {
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
    }

    /// What was written without an end of line, now that nothing more comes.
    pub(super) fn rest(&mut self) -> Vec<(LogStream, String)> {
        let held = [(LogStream::Stdout, self.out.split()), (LogStream::Stderr, self.err.split())];
        let unfinished = held.into_iter().filter(|(_, held)| !held.is_empty());
        unfinished.map(|(stream, held)| (stream, text(&held))).collect()
    }

    /// The last lines.
    pub(super) fn last(self) -> Vec<String> {
        self.last.into()
    }
}

fn text(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}
