//! The folders that a deploy writes to: writable, with space left.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::finding::Finding;
use super::ground::Ground;
use crate::edge::Place;
use crate::lock;
use crate::target::data_dir;

/// Less than this is soon nothing, in bytes: an image's layers are larger.
const LITTLE: u64 = 1 << 30;

/// Not even a lock can be written with less, in bytes.
const NOTHING: u64 = 64 << 10;

pub(super) async fn check(ground: &Ground<'_>) -> Vec<Finding> {
    let mut folders: Vec<(&str, PathBuf)> = Vec::new();
    let data = ground.target().map(crate::target::Target::data_dir).or_else(|| data_dir(ground.config));
    folders.extend(data.map(|folder| ("disk.data_dir", lock::folder(&folder, ground.name))));
    if let Some(edge) = ground.nginx() {
        folders.extend(edge.local_state_dir().map(|folder| ("disk.state_dir", folder)));
        let conf = match edge.nginx.surface.place() {
            Place::Host(_) => Some(edge.nginx.conf_dir.clone()),
            Place::Container(nginx) => nginx.on_this_machine(&edge.nginx.conf_dir),
        };
        folders.extend(conf.map(|folder| ("disk.conf_dir", folder)));
    }
    let looked = tokio::task::spawn_blocking(move || {
        folders.into_iter().map(|(name, folder)| look(name, &folder)).collect()
    });
    looked.await.unwrap_or_default()
}

/// Whether a folder can be written to, or be made.
fn look(name: &'static str, folder: &Path) -> Finding {
    let there =
        folder.ancestors().find(|part| std::fs::symlink_metadata(part).is_ok()).unwrap_or(Path::new("/"));
    if !there.is_dir() {
        let found = format!("{} is no folder", there.display());
        return Finding::problem(name, found, "name another folder, or put what is there out of the way");
    }
    if let Err(error) = access(there, Access::WRITE_OK | Access::EXEC_OK | Access::READ_OK) {
        let why = std::io::Error::from(error);
        let found = format!("{} cannot be written to: {why}", there.display());
        return Finding::problem(name, found, "let this user write there, or run as one who may");
    }
    let space = space(name, there);
    if there == folder || space.state != super::State::Ok {
        return space;
    }
    Finding::ok(name, format!("{} is not there, and can be made", folder.display()))
}

/// The space left where a folder is.
pub(super) fn space(name: &'static str, folder: &Path) -> Finding {
    let Ok(disk) = statvfs(folder) else {
        return Finding::note(
            name,
            format!("the disk of {} cannot be looked at", folder.display()),
            "look at it by `df`",
        );
    };
    let left = disk.f_bavail.saturating_mul(disk.f_frsize);
    // File systems without a fixed number of files say 0 of 0.
    let files = disk.f_files > 0 && disk.f_favail < 16;
    let found = format!("{} has {} MB left", folder.display(), left >> 20);
    let mend = "make room: `docker system df` and `df` show what takes it";
    if files {
        let found = format!("{} has room for {} more files", folder.display(), disk.f_favail);
        return Finding::problem(name, found, mend);
    }
    match left {
        left if left < NOTHING => Finding::problem(name, found, mend),
        left if left < LITTLE => Finding::warning(name, found, mend),
        _ => Finding::ok(name, found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_folder_is_there_or_can_be_made_or_is_none() {
        let root = tempfile::tempdir().unwrap();
        assert_ne!(look("x", root.path()).state, State::Problem);
        assert_ne!(look("x", &root.path().join("a/b")).state, State::Problem);
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let found = look("x", &file.join("below"));
        assert_eq!(found.state, State::Problem);
        assert!(found.found.contains("file is no folder"), "{found:?}");
    }
}
