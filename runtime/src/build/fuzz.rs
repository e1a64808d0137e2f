//! What an engine may tell of a build, and what a `.dockerignore` may say.

use super::classic::Classic;
use super::ignore::Ignore;
pub use super::session::fuzz::buildkit;
use super::trace::Trace;
use crate::wire::{self, Held, Line};
use crate::{load, push, sockets};

/// Lines of JSON, however they are cut, and the refusals of an engine; the tables of sockets besides.
pub fn engine_lines(data: &[u8]) {
    let size = data.first().map_or(1, |byte| usize::from(*byte) % 61 + 1);
    let (mut held, mut lines) = (Held::default(), Vec::new());
    for part in data.chunks(size) {
        held.push(part);
        while let Ok(Some(line)) = held.line() {
            lines.push(line);
        }
    }
    lines.extend(held.rest());
    let whole = data.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    assert!(whole.map(<[u8]>::trim_ascii).eq(lines.iter().map(|line| line.trim_ascii())));

    let (mut classic, mut trace) = (Classic::default(), Trace::default());
    for line in lines.iter().filter_map(|line| serde_json::from_slice::<Line>(line).ok()) {
        classic.line(&line, &mut |_| {});
        trace.line(&line, &mut |_| {});
        assert!(line.failure().is_none() || line.error.is_some() || line.error_detail.is_some());
        assert!(line.aux("Digest").is_none() || line.aux.is_some());
        drop(line.stream.as_deref().and_then(load::image));
        if let Some(told) = push::told(line) {
            assert!(told.layer.is_none_or(|layer| layer.len() == 12));
        }
    }
    drop((classic.failed(&mut |_| {}), trace.failed()));
    drop(wire::message(data));
    sockets::listening(&sockets::parse(&String::from_utf8_lossy(data)));
}

/// The patterns of a `.dockerignore`, up to a zero byte, and a path behind it.
pub fn dockerignore(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (patterns, path) = text.split_once('\0').unwrap_or((&text, "a/b/.c"));
    let path: String = path.chars().take(200).collect();
    let mut ignore = match Ignore::parse(patterns) {
        Ok(ignore) => ignore,
        Err(bad) => {
            let line = patterns.lines().nth(bad.line - 1).unwrap_or_default();
            return assert!(line.contains(&bad.pattern), "{bad:?}");
        }
    };
    let excluded = ignore.excludes(&path);
    let exceptions = patterns.lines().any(|line| line.trim().trim_start_matches('\u{feff}').starts_with('!'));
    if !exceptions && let Some((parent, _)) = path.rsplit_once('/') {
        assert!(excluded || !ignore.excludes(parent), "{parent:?} is left out, {path:?} is not");
    }
    ignore.keep(&path);
    assert!(!ignore.excludes(&path) && ignore.has_exception_in(&path), "{path:?} is kept");
}
