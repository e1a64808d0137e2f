//! The configuration of an nginx, as `nginx -T` writes it.

use std::path::{Path, PathBuf};

use crate::Inherited;
use crate::directives::directives;

/// The configuration of an nginx: its files, the main one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    files: Vec<(PathBuf, String)>,
}

impl Dump {
    /// Reads what `nginx -T` writes to its standard output.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut files: Vec<(PathBuf, String)> = Vec::new();
        for line in text.lines() {
            let named = line.strip_prefix("# configuration file ").and_then(|rest| rest.strip_suffix(':'));
            match (named, files.last_mut()) {
                (Some(path), _) => files.push((path.into(), String::new())),
                (None, Some((_, text))) => {
                    text.push_str(line);
                    text.push('\n');
                }
                (None, None) => {}
            }
        }
        Self { files }
    }

    /// The main configuration file.
    #[must_use]
    pub fn main(&self) -> Option<&Path> {
        self.files.first().map(|(path, _)| path.as_path())
    }

    /// What a `server` block inherits only while it has none of its own.
    #[must_use]
    pub fn inherited(&self) -> Inherited {
        Inherited::default()
    }

    /// Whether an `http` block includes the files `*.conf` of a folder, by name or by a pattern.
    ///
    /// In the main file the `include` must stand right in the `http` block; in a file that is itself included, outside of
    /// any block.
    #[must_use]
    pub fn includes(&self, folder: &Path) -> bool {
        let beside = self.main().and_then(Path::parent).unwrap_or(Path::new("/"));
        self.files.iter().enumerate().any(|(number, (_, text))| {
            let wanted: &[&str] = if number == 0 { &["http"] } else { &[] };
            directives(text).iter().any(|directive| {
                let pattern = match directive.split() {
                    ("include", [pattern]) => beside.join(pattern),
                    _ => return false,
                };
                let name = pattern.file_name().map(|name| name.to_string_lossy().into_owned());
                let fits =
                    matches!(name.as_deref(), Some("*.conf" | "*" | "*.*" | "cutover-*" | "cutover-*.conf"));
                directive.blocks == wanted && fits && pattern.parent() == Some(folder)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(main: &str, more: &str) -> Dump {
        Dump::parse(&format!(
            "nginx: fine\n# configuration file /etc/nginx/nginx.conf:\n{main}\n\n# configuration file /etc/nginx/more.conf:\n{more}\n"
        ))
    }

    #[test]
    fn the_folder_is_included_by_the_http_block_alone() {
        let folder = Path::new("/etc/nginx/conf.d");
        for (main, more, included) in [
            ("http { include /etc/nginx/conf.d/*.conf; }", "", true),
            ("http { include conf.d/*.conf; }", "", true),
            ("http { include \"/etc/nginx/conf.d/*\"; gzip on; }", "", true),
            ("events { } http { server { } include more.conf; }", "include /etc/nginx/conf.d/*.conf;", true),
            ("http { # include /etc/nginx/conf.d/*.conf;\n }", "", false),
            ("http { server { include /etc/nginx/conf.d/*.conf; } }", "", false),
            ("include /etc/nginx/conf.d/*.conf; http { }", "", false),
            ("stream { include /etc/nginx/conf.d/*.conf; }", "", false),
            ("http { include /etc/nginx/conf.d/*.vhost; }", "", false),
            ("http { include /etc/nginx/sites/*.conf; }", "", false),
            ("http { include more.conf; }", "server { include /etc/nginx/conf.d/*.conf; }", false),
        ] {
            assert_eq!(dump(main, more).includes(folder), included, "{main} {more}");
        }
        assert_eq!(dump("", "").main(), Some(Path::new("/etc/nginx/nginx.conf")));
    }
}
