//! A file that is to be written, beside what is there.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use similar::TextDiff;

/// A file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub text: String,
}

/// What is there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// The same text.
    Same,
    /// Another text, and how it would change.
    Different {
        /// The change, as a unified diff.
        diff: String,
    },
}

impl Draft {
    /// What is there already.
    ///
    /// # Errors
    /// When it is there and cannot be read, with its path.
    pub fn state(&self) -> io::Result<State> {
        let there = match std::fs::read(&self.path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
            Err(error) => return Err(self.told("read", &error)),
        };
        if there == self.text {
            return Ok(State::Same);
        }
        let name = self.path.display().to_string();
        let diff = TextDiff::from_lines(&there, &self.text);
        let diff = diff.unified_diff().context_radius(3).header(&name, &name).to_string();
        Ok(State::Different { diff })
    }

    /// Writes it, whole or not at all, and the folders that it lies in.
    ///
    /// # Errors
    /// With its path.
    pub fn write(&self) -> io::Result<()> {
        let written = || {
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            std::fs::create_dir_all(folder)?;
            // As any new file is; what is not to be read by others has the umask to say so.
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
            let mut file =
                tempfile::Builder::new().prefix(".cutover-").permissions(permissions).tempfile_in(folder)?;
            file.write_all(self.text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        written().map_err(|error: io::Error| self.told("written", &error))
    }

    fn told(&self, what: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{} cannot be {what}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_draft_knows_what_is_there_and_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let draft =
            Draft { path: folder.path().join("a/b/file.toml"), text: "one = 1\ntwo = 2\n".to_owned() };
        assert_eq!(draft.state().unwrap(), State::Absent);
        draft.write().unwrap();
        assert_eq!(draft.state().unwrap(), State::Same);
        let mode = std::fs::metadata(&draft.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600, "{mode:o}");
        assert_eq!(mode & 0o111, 0, "{mode:o}");
        let other = Draft { text: "one = 1\ntwo = 3\n".to_owned(), ..draft.clone() };
        let State::Different { diff } = other.state().unwrap() else { panic!("they differ") };
        assert!(diff.contains("-two = 2\n+two = 3\n"), "{diff}");
        other.write().unwrap();
        assert_eq!(std::fs::read_to_string(&draft.path).unwrap(), other.text);
        assert_eq!(
            std::fs::read_dir(draft.path.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }

    #[test]
    fn a_file_that_cannot_be_had_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at_folder = Draft { path: folder.path().to_owned(), text: String::new() };
        for error in [at_folder.state().unwrap_err(), at_folder.write().unwrap_err()] {
            assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
        }
    }
}
