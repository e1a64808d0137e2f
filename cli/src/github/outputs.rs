//! The files that a step writes for others: its outputs, and the job's summary.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Adds outputs to the step's file, if there is one. No value may have more than one line.
///
/// # Errors
/// When the file cannot be written, with its path.
pub(super) fn add(file: Option<PathBuf>, outputs: &[(&str, &str)]) -> io::Result<()> {
    if let Some((name, _)) = outputs.iter().find(|(_, value)| value.contains(['\n', '\r'])) {
        let told = format!("the output {name} has more than one line");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, told));
    }
    let text: String = outputs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    append(file, &text)
}

/// Adds text to a file, if there is one.
///
/// # Errors
/// When it cannot be written, with its path.
pub(super) fn append(file: Option<PathBuf>, text: &str) -> io::Result<()> {
    let Some(path) = file else { return Ok(()) };
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().append(true).create(true).open(&path).map_err(told)?;
    file.write_all(text.as_bytes()).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_added_to_those_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        std::fs::write(&path, "first=1\n").unwrap();
        add(Some(path.clone()), &[("digest", "sha256:ab"), ("image", "web@sha256:ab")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "first=1\ndigest=sha256:ab\nimage=web@sha256:ab\n");
        let two_lines = add(Some(path), &[("image", "a\ndigest=b")]).unwrap_err();
        assert!(two_lines.to_string().contains("more than one line"), "{two_lines}");
    }

    #[test]
    fn without_a_file_there_is_nothing_to_do_and_one_that_cannot_be_written_is_named() {
        add(None, &[("a", "b")]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let error = add(Some(folder.path().to_owned()), &[("a", "b")]).unwrap_err();
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }
}
