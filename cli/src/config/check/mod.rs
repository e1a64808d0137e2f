//! What holds between the values of a file, and what their own types cannot say.

mod app;
mod build;
mod nginx;
mod notify;
mod proxy;
mod slots;

use std::path::Path;

use super::diagnostic::{Invalid, Source};
use super::file::File;
use super::outline::Outline;

type Checked = Result<(), Invalid>;

/// Checks a whole file, of this outline.
pub(super) fn check(source: &Source, outline: Outline<'_>, file: &File) -> Checked {
    let check = Check { source, outline };
    if file.apps.is_empty() {
        return Err(check.at(
            &["apps"],
            "the file has no app",
            "add a table [apps.NAME] with an image and a port",
        ));
    }
    check.file(file)?;
    for (name, app) in &file.apps {
        check.app(name.as_str(), app)?;
    }
    check.slots(&file.apps)?;
    // Last, for what it says of a value is less than what the checks above say.
    for (name, app) in &file.apps {
        check.nginx(name, app, &file.proxy)?;
    }
    Ok(())
}

/// A check of one file.
struct Check<'a> {
    source: &'a Source,
    outline: Outline<'a>,
}

impl Check<'_> {
    /// What is wrong with the value at this path of keys.
    fn at(&self, path: &[&str], problem: impl Into<String>, mend: &str) -> Invalid {
        self.source.invalid(self.outline.place(path), problem, Some(mend))
    }

    /// What is wrong with the key at the end of this path.
    fn key(&self, path: &[&str], problem: impl Into<String>, mend: &str) -> Invalid {
        self.source.invalid(self.outline.key(path), problem, Some(mend))
    }

    /// What is wrong with this element of the list at the path.
    fn element(&self, path: &[&str], element: &str, problem: impl Into<String>, mend: &str) -> Invalid {
        self.source.invalid(self.outline.element(path, element), problem, Some(mend))
    }

    fn absolute(&self, path: &[&str], value: &Path) -> Checked {
        if value.is_absolute() {
            return Ok(());
        }
        Err(self.at(path, format!("`{}` is not an absolute path", value.display()), "write it from /"))
    }

    /// Docker's rule for the names of containers and networks, and for aliases.
    fn docker_name(&self, path: &[&str], name: &str, what: &str) -> Checked {
        let well = name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if well {
            return Ok(());
        }
        let mend = "a name has letters, digits and any of `_.-`, and starts with a letter or a digit";
        Err(self.element(path, name, format!("`{name}` is no name of {what}"), mend))
    }
}
