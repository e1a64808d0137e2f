//! Which part of a context a builder needs, by the paths that the Dockerfile copies.

use std::path::Path;

/// A part of a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Only {
    Everything,
    /// These paths, with the folders that they are in and all that is in them.
    Paths(Vec<String>),
}

impl Only {
    pub(super) fn takes(&self, name: &str) -> bool {
        let below = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self {
            Self::Everything => true,
            Self::Paths(paths) => paths.iter().any(|path| below(name, path) || below(path, name)),
        }
    }
}

/// The part that the paths name. It is everything as soon as one has a wildcard, is or goes through a link, or is not
/// there: then it is the builder that must find out what is meant.
pub(super) fn narrowed(folder: &Path, paths: &[String]) -> Only {
    let plain = |path: &String| {
        let path = path.trim_matches('/');
        let mut parts = path.split('/');
        let named =
            !path.contains(['*', '?', '[', '\\']) && parts.all(|part| !matches!(part, "" | "." | ".."));
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let mut seen = ends.map(|end| folder.join(&path[..end]).symlink_metadata());
        let there = named && seen.all(|seen| seen.is_ok_and(|seen| !seen.is_symlink()));
        there.then(|| path.to_owned())
    };
    match paths.iter().map(plain).collect::<Option<Vec<_>>>() {
        Some(paths) if !paths.is_empty() => Only::Paths(paths),
        _ => Only::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_narrow_the_context_and_all_others_do_not() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/b")).unwrap();
        std::fs::write(folder.path().join("a/b/c"), "").unwrap();
        std::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
        let narrowed = |paths: &[&str]| {
            narrowed(folder.path(), &paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>())
        };
        for paths in
            [&[][..], &["."], &["a", "none"], &["link"], &["link/b"], &["a/*"], &["../a"], &["a/./b"], &[""]]
        {
            assert_eq!(narrowed(paths), Only::Everything, "{paths:?}");
        }
        let only = narrowed(&["/a/b/"]);
        for name in ["a", "a/b", "a/b/c"] {
            assert!(only.takes(name), "{name}");
        }
        for name in ["ab", "a/bc", "link", "b"] {
            assert!(!only.takes(name), "{name}");
        }
    }
}
