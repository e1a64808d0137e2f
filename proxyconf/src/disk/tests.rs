use std::os::unix::fs::{MetadataExt as _, symlink};

use super::*;

/// A folder, and what a link in it would lead to: a file that nobody but us may read.
fn places() -> (tempfile::TempDir, tempfile::TempDir, PathBuf) {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let target = elsewhere.path().join("target");
    fs::write(&target, "theirs").unwrap();
    (folder, elsewhere, target)
}

fn assert_told<T: std::fmt::Debug>(done: io::Result<T>) {
    let error = done.unwrap_err();
    assert!(error.to_string().contains("a symbolic link stands there"), "{error}");
}

#[test]
fn a_link_in_the_place_of_a_file_is_not_followed_and_told() {
    let (folder, _elsewhere, target) = places();
    for planted in ["web.conf", ".web.conf.cutover-new"] {
        let link = folder.path().join(planted);
        symlink(&target, &link).unwrap();
        assert_told(write(&folder.path().join("web.conf"), "ours"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "theirs");
        if planted == "web.conf" {
            assert_told(read(&link));
        }
        remove(&link).unwrap();
        assert!(target.is_file(), "a link is removed, not what it leads to");
    }
    let dangling = folder.path().join("web.conf");
    symlink(folder.path().join("nowhere"), &dangling).unwrap();
    assert_told(read(&dangling));
    assert_told(write(&dangling, "ours"));
}

#[test]
fn a_link_in_the_place_of_the_marker_or_its_folder_is_not_followed_and_told() {
    let (folder, elsewhere, target) = places();
    let marker = folder.path().join("web/green");
    fs::create_dir(folder.path().join("web")).unwrap();
    symlink(&target, &marker).unwrap();
    assert_told(is_marked(&marker));
    assert_told(mark(&marker));
    unmark(&marker).unwrap();
    assert!(target.is_file() && !is_marked(&marker).unwrap());

    fs::remove_dir(folder.path().join("web")).unwrap();
    symlink(elsewhere.path(), folder.path().join("web")).unwrap();
    fs::write(elsewhere.path().join("green"), "theirs").unwrap();
    assert_told(is_marked(&marker));
    assert_told(mark(&marker));
    assert_told(unmark(&marker));
    assert!(elsewhere.path().join("green").is_file());
    fs::remove_dir_all(elsewhere.path()).unwrap();
    assert_told(mark(&marker));
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("web.conf");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::from_raw_mode(0o600)).unwrap();
    assert_eq!(read(&pipe).unwrap().as_deref(), Some(""));
    write(&pipe, "ours").unwrap();
    assert_eq!(read(&pipe).unwrap().as_deref(), Some("ours"));
}

#[test]
fn a_marker_is_made_once_and_gone_once() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("state/web/green");
    unmark(&marker).unwrap();
    assert!(!is_marked(&marker).unwrap());
    for _ in 0..2 {
        mark(&marker).unwrap();
        assert!(is_marked(&marker).unwrap());
    }
    for _ in 0..2 {
        unmark(&marker).unwrap();
        assert!(!is_marked(&marker).unwrap());
    }
}

#[test]
fn a_socket_is_bound_anew_in_the_place_of_a_stale_one_however_long_its_path_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long".repeat(50)).join("told");
    drop(bind(&path, None).unwrap());
    let socket = bind(&path, None).unwrap();
    assert_eq!(fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    let beside = UnixDatagram::unbound().unwrap();
    beside
        .send_to(b"heard", by_descriptor(&open_folder(path.parent().unwrap()).unwrap()).join("told"))
        .unwrap();
    let mut buffer = [0; 8];
    assert_eq!(socket.recv(&mut buffer).unwrap(), 5);
}

#[test]
fn a_socket_is_the_workers_alone_where_it_can_be_given_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("told");
    let ours = rustix::process::geteuid();
    let worker = |uid| Worker { uid, gid: rustix::process::getegid().as_raw(), groups: Vec::new() };
    for (uid, ours_alone) in [(ours.as_raw(), true), (ours.as_raw() + 1, ours.is_root())] {
        let _socket = bind(&path, Some(&worker(uid))).unwrap();
        let found = fs::symlink_metadata(&path).unwrap();
        let wanted = if ours_alone { (uid, 0o600) } else { (ours.as_raw(), 0o666) };
        assert_eq!((found.uid(), found.permissions().mode() & 0o777), wanted);
    }
}

#[test]
fn a_link_in_the_place_of_the_socket_or_its_folder_is_not_followed_and_told() {
    let (folder, elsewhere, target) = places();
    let path = folder.path().join("web/told");
    fs::create_dir(folder.path().join("web")).unwrap();
    symlink(&target, &path).unwrap();
    assert_told(bind(&path, None));
    assert!(target.is_file());
    fs::remove_dir_all(folder.path().join("web")).unwrap();
    symlink(elsewhere.path(), folder.path().join("web")).unwrap();
    assert_told(bind(&path, None));
    assert_told(markers(path.parent().unwrap()));
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn markers_are_all_that_stands_in_the_folder_but_folders() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(markers(&folder.path().join("absent")).unwrap(), [""; 0]);
    fs::create_dir(folder.path().join("green-1")).unwrap();
    mark(&folder.path().join("green-2")).unwrap();
    let _socket = bind(&folder.path().join("told"), None).unwrap();
    let mut found = markers(folder.path()).unwrap();
    found.sort();
    assert_eq!(found, ["green-2", "told"]);
}
