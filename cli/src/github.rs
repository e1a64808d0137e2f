//! What a step of GitHub Actions hands to the steps and jobs after it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Sets outputs of the step, where there is one: in the file that `GITHUB_OUTPUT` names. No value may have more than one
/// line.
///
/// # Errors
/// When the file cannot be written, with its path.
pub fn set_outputs(outputs: &[(&str, &str)]) -> io::Result<()> {
    match std::env::var_os("GITHUB_OUTPUT").filter(|path| !path.is_empty()) {
        Some(path) => append(&PathBuf::from(path), outputs),
        None => Ok(()),
    }
}

fn append(path: &Path, outputs: &[(&str, &str)]) -> io::Result<()> {
    let text: String = outputs.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let told = |error: io::Error| {
        io::Error::new(error.kind(), format!("the step's outputs in {}: {error}", path.display()))
    };
    if outputs.iter().any(|(_, value)| value.contains(['\n', '\r'])) {
        return Err(told(io::Error::new(io::ErrorKind::InvalidInput, "a value has more than one line")));
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(told)?;
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
        append(&path, &[("digest", "sha256:ab"), ("image", "web@sha256:ab")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "first=1\ndigest=sha256:ab\nimage=web@sha256:ab\n");
        let two_lines = append(&path, &[("image", "a\ndigest=b")]).unwrap_err();
        assert!(two_lines.to_string().contains("more than one line"), "{two_lines}");
        assert!(append(folder.path(), &[("a", "b")]).unwrap_err().to_string().contains("outputs in"));
    }
}
