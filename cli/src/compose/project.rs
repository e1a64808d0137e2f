//! The project that a compose file is of: its name is in those of its volumes and networks.

use std::path::{Path, PathBuf};

use super::reader::{Read, Reader};
use super::yaml::Node;

/// The project that a compose file is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its name, before those of its volumes and networks.
    pub name: String,
    /// The folder that relative paths start from.
    pub folder: PathBuf,
}

impl Project {
    /// By Compose's rule: `COMPOSE_PROJECT_NAME`, or else the file's `name`, or else its folder's.
    pub(super) fn of(
        reader: &Reader<'_>,
        root: &Node,
        path: &Path,
        lookup: &dyn Fn(&str) -> Option<String>,
    ) -> Read<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let folder: PathBuf = folder.components().collect();
        let of_file = root.get("name").map(|name| reader.text(name)).transpose()?;
        let of_folder = || folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = lookup("COMPOSE_PROJECT_NAME")
            .filter(|name| !name.is_empty())
            .or_else(|| of_file.map(|name| name.text))
            .or_else(of_folder);
        Ok(Self { name: normal(&name.unwrap_or_default()), folder })
    }

    /// The name that the engine knows a volume or network of the project by.
    #[must_use]
    pub fn own(&self, name: &str) -> String {
        format!("{}_{name}", self.name)
    }

    /// A path of the file's, from the root. `.` and `..` in it are resolved by name, as Compose does.
    #[must_use]
    pub fn path(&self, text: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in self.folder.join(text).components() {
            match part {
                std::path::Component::ParentDir => drop(path.pop()),
                std::path::Component::CurDir => {}
                part => path.push(part),
            }
        }
        path
    }
}

/// What Compose makes of a name: lower case, and only what Docker takes.
fn normal(name: &str) -> String {
    let lower = name.to_lowercase();
    let taken = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    lower.chars().filter(taken).collect::<String>().trim_start_matches(['-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projects_name_is_what_compose_makes_of_it() {
        assert_eq!([normal("My.App"), normal("_a-b_c"), normal("웹app")], ["myapp", "a-b_c", "app"]);
    }

    #[test]
    fn paths_start_from_the_files_folder() {
        let project = Project { name: "p".into(), folder: "/srv/app".into() };
        let of = |text: &str| project.path(text).display().to_string();
        assert_eq!(
            [of("./x"), of("../y/./z"), of("/abs"), of(".")],
            ["/srv/app/x", "/srv/y/z", "/abs", "/srv/app"]
        );
        assert_eq!(project.own("data"), "p_data");
    }
}
