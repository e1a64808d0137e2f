//! The processes of nginx that serve requests, and what they may see.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Whom a worker of nginx's runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
}

impl Worker {
    /// A worker of the master process with this id, as this machine numbers it; none where there is none to be seen.
    ///
    /// # Errors
    /// When this machine's processes cannot be looked at.
    pub fn observe(master: i32) -> io::Result<Option<Self>> {
        for entry in fs::read_dir("/proc")? {
            let path = entry?.path().join("status");
            // What is no process, or has ended meanwhile, has no such file.
            let Ok(status) = fs::read_to_string(path) else { continue };
            let numbers = |name: &str| -> Vec<u32> {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap_or_default().split_whitespace().filter_map(|number| number.parse().ok()).collect()
            };
            if i32::try_from(*numbers("PPid:").first().unwrap_or(&0)) != Ok(master) {
                continue;
            }
            // The second of each is the effective one.
            if let (Some(uid), Some(gid)) = (numbers("Uid:").get(1), numbers("Gid:").get(1)) {
                return Ok(Some(Self { uid: *uid, gid: *gid, groups: numbers("Groups:") }));
            }
        }
        Ok(None)
    }

    /// The first folder on the way to this one, itself included, that the worker may not search. Folders that are not there
    /// yet bar nobody. Of permissions only the mode counts here, not access control lists.
    ///
    /// # Errors
    /// When a folder on the way cannot be looked at.
    pub fn barred_from(&self, folder: &Path) -> io::Result<Option<PathBuf>> {
        let mut way: Vec<&Path> = folder.ancestors().filter(|part| !part.as_os_str().is_empty()).collect();
        way.reverse();
        for part in way {
            let found = match fs::metadata(part) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let class = if found.uid() == self.uid {
                6
            } else if found.gid() == self.gid || self.groups.contains(&found.gid()) {
                3
            } else {
                0
            };
            if self.uid != 0 && found.mode() >> class & 1 == 0 {
                return Ok(Some(part.to_owned()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_folder_that_the_worker_may_not_search_is_named() {
        let root = tempfile::tempdir().unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(root.path(), 0o755);
        let (closed, within) = (root.path().join("closed"), root.path().join("closed/within"));
        fs::create_dir_all(&within).unwrap();
        let found = fs::metadata(&closed).unwrap();
        let worker = |uid, gid, groups: &[u32]| Worker { uid, gid, groups: groups.to_vec() };
        let stranger = worker(found.uid() + 1, found.gid() + 1, &[]);
        for (mode, barred) in [(0o755, None), (0o711, None), (0o750, Some(&closed)), (0o754, Some(&closed))] {
            set(&closed, mode);
            assert_eq!(stranger.barred_from(&within).unwrap().as_ref(), barred, "{mode:o}");
        }
        set(&closed, 0o710);
        assert_eq!(
            worker(found.uid() + 1, found.gid() + 1, &[found.gid()]).barred_from(&within).unwrap(),
            None
        );
        set(&closed, 0o755);
        assert_eq!(stranger.barred_from(&closed.join("not/there/yet")).unwrap(), None);
    }
}
