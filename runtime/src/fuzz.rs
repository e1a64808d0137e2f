//! What an engine and its containers may send, whatever it is: for libFuzzer (`fuzz/`), and over its corpus for the tests.
//!
//! A target fails by a panic, or where what it was told does not hold together.

use bollard::container::LogOutput;

use crate::archive::{pack, stays_below, unpack};
pub use crate::build::fuzz::{buildkit, dockerignore, engine_lines};
use crate::logs::Lines;
use crate::{LogStream, UploadEntry, UploadKind};

/// A tar archive of a file of a container, and a file that is put into one under any name.
pub fn archive(data: &[u8]) {
    if let Ok(bytes) = unpack(data) {
        assert!(bytes.len() <= data.len(), "{} bytes out of {}", bytes.len(), data.len());
    }
    let split = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(path) = std::str::from_utf8(&data[..split]) else { return };
    if !stays_below(path) {
        return;
    }
    let kind = UploadKind::File { bytes: data.to_vec(), mode: 0o640 };
    let Ok(packed) = pack(&[UploadEntry { path: path.to_owned(), kind }]) else { return };
    assert_eq!(unpack(&packed).ok().as_deref(), Some(data));
    let mut archive = tar::Archive::new(&packed[..]);
    let entries: Vec<_> = archive.entries().into_iter().flatten().map(Result::ok).collect();
    let [Some(entry)] = &entries[..] else { panic!("{} entries", entries.len()) };
    let components = |path: &std::path::Path| path.components().map(|c| c.as_os_str().to_owned()).collect();
    let (named, meant): (Vec<_>, Vec<_>) =
        (entry.path().map(|path| components(&path)).unwrap_or_default(), components(path.as_ref()));
    assert_eq!(named, meant);
}

/// The output of a container in the frames that the engine sends: a stream's number, a length, so many bytes.
pub fn log_lines(data: &[u8]) {
    let (mut lines, mut whole, mut rest) = (Lines::default(), [Vec::new(), Vec::new()], data);
    while let [stream, length, after @ ..] = rest {
        let (part, next) = after.split_at(usize::from(*length).min(after.len()));
        let message = part.to_vec().into();
        let error = stream % 4 == 2;
        lines.push(&match stream % 4 {
            0 => LogOutput::StdIn { message },
            1 => LogOutput::StdOut { message },
            2 => LogOutput::StdErr { message },
            _ => LogOutput::Console { message },
        });
        whole[usize::from(error)].extend_from_slice(part);
        rest = next;
    }
    lines.finish();
    for (stream, whole) in [LogStream::Stdout, LogStream::Stderr].iter().zip(&whole) {
        let told = lines.ready.iter().filter(|line| line.stream == *stream).map(|line| line.text.clone());
        let whole = whole.strip_suffix(b"\n").map_or_else(|| (!whole.is_empty()).then_some(&whole[..]), Some);
        let meant = whole.into_iter().flat_map(|whole| whole.split(|byte| *byte == b'\n'));
        let meant = meant.map(|line| String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)));
        assert!(told.eq(meant), "{stream:?}");
    }
}

#[cfg(test)]
#[path = "../../fuzz/play.rs"]
mod play;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_archive_does_no_harm() {
        play::play("archive", archive);
    }

    #[test]
    fn hostile_lines_of_an_engine_do_no_harm() {
        play::play("engine_lines", engine_lines);
    }

    #[test]
    fn hostile_output_of_a_container_does_no_harm() {
        play::play("log_lines", log_lines);
    }

    #[test]
    fn a_hostile_builder_does_no_harm() {
        play::play("buildkit", buildkit);
    }

    #[test]
    fn a_hostile_dockerignore_does_no_harm() {
        play::play("dockerignore", dockerignore);
    }
}
