//! What is sent of a folder, and what is not, on real files.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use tempfile::TempDir;
use tokio::sync::mpsc::{channel, unbounded_channel};

use super::*;

/// Keeps what it is told, and changes files while the walk goes on.
#[derive(Default)]
struct Seen {
    entries: Vec<Entry>,
    skipped: Vec<(PathBuf, &'static str)>,
}

impl Visitor for Seen {
    fn entry(&mut self, entry: Entry) -> Result<(), Stop> {
        self.entries.push(entry);
        Ok(())
    }

    fn skipped(&mut self, path: PathBuf, what: &'static str) {
        self.skipped.push((path, what));
    }
}

impl Seen {
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .entries
            .iter()
            .map(|entry| match entry.kind {
                Kind::Directory => format!("{}/", entry.name),
                _ => entry.name.clone(),
            })
            .collect();
        names.sort_unstable();
        names
    }
}

fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        let path = folder.path().join(name);
        if name.ends_with('/') {
            fs::create_dir_all(path).unwrap();
        } else {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
    }
    folder
}

fn seen(folder: &TempDir) -> Seen {
    let mut seen = Seen::default();
    Context::open(&BuildSpec::new(folder.path())).unwrap().walk(&[], &mut seen).unwrap();
    seen
}

/// The archive of a folder, and how the packing ended.
fn packed(context: &Context) -> (Vec<u8>, Result<(), Stop>) {
    let (parts, mut taken) = channel(1 << 16);
    let (told, _sent) = unbounded_channel();
    let ended = archive(context, &parts, &told);
    drop(parts);
    let mut bytes = Vec::new();
    while let Some(part) = taken.blocking_recv() {
        bytes.extend_from_slice(&part.unwrap());
    }
    (bytes, ended)
}

#[test]
fn what_is_sent_is_what_docker_sends() {
    let rows = include_str!("../../../tests/rig/dockerignore.txt").split("=== ").skip(1);
    let rows: Vec<(&str, &str, bool, Vec<String>)> = rows
        .map(|row| {
            let (name, rest) = row.split_once('\n').unwrap();
            let (patterns, wanted) = rest.rsplit_once("--- ").unwrap();
            let (which, names) = wanted.split_once(' ').unwrap();
            (name, patterns, which == "kept", serde_json::from_str(names).unwrap())
        })
        .collect();
    let tree = &rows[0].3;
    let folder = folder(&tree.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(rows.len() > 45);
    for (name, patterns, kept, names) in &rows {
        fs::write(folder.path().join(IGNORE), patterns).unwrap();
        let wanted: Vec<&String> = tree.iter().filter(|path| names.contains(path) == *kept).collect();
        assert_eq!(seen(&folder).names().iter().collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn entries_come_by_name_and_folders_before_what_is_in_them() {
    let folder = folder(&["Dockerfile", "a/x", "a.b", "a-b/y", "a/y/z"]);
    let order: Vec<_> = seen(&folder).entries.into_iter().map(|entry| entry.name).collect();
    assert_eq!(order, ["Dockerfile", "a", "a/x", "a/y", "a/y/z", "a-b", "a-b/y", "a.b"]);
}

#[test]
fn an_archive_holds_links_modes_and_long_names_and_belongs_to_root() {
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(140));
    let folder = folder(&["Dockerfile", &long]);
    let at = |name: &str| folder.path().join(name);
    symlink("../outside", at("link")).unwrap();
    symlink("t".repeat(200), at("long-link")).unwrap();
    fs::hard_link(at("Dockerfile"), at("hard")).unwrap();
    fs::set_permissions(at("hard"), fs::Permissions::from_mode(0o4751)).unwrap();
    let (bytes, ended) = packed(&Context::open(&BuildSpec::new(folder.path())).unwrap());
    ended.unwrap();
    let mut unpacked = std::collections::BTreeMap::new();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header().clone();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        let link = entry.link_name().unwrap().map(|link| link.display().to_string());
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        unpacked.insert(entry.path().unwrap().display().to_string(), (header.mode().unwrap(), link, text));
    }
    assert_eq!(unpacked["link"], (0o777, Some("../outside".into()), String::new()));
    assert_eq!(unpacked["long-link"].1, Some("t".repeat(200)));
    assert_eq!(unpacked["hard"], (0o4751, None, "Dockerfile".into()));
    assert_eq!(unpacked[&long].2, long);
}

#[test]
fn times_are_cut_off_at_the_epoch_and_older_ones_stay() {
    let folder = folder(&["Dockerfile", "old"]);
    let old = std::time::UNIX_EPOCH + std::time::Duration::from_secs(500);
    fs::File::options().write(true).open(folder.path().join("old")).unwrap().set_modified(old).unwrap();
    let mut spec = BuildSpec::new(folder.path());
    spec.source_date_epoch = Some(1000);
    let mut seen = Seen::default();
    Context::open(&spec).unwrap().walk(&[], &mut seen).unwrap();
    let times: Vec<_> = seen.entries.iter().map(|entry| entry.modified).collect();
    assert_eq!(times, [(1000, 0), (500, 0)]);
}

#[test]
fn a_socket_is_left_out_with_a_word() {
    let folder = folder(&["Dockerfile"]);
    let _socket = UnixListener::bind(folder.path().join("s")).unwrap();
    let seen = seen(&folder);
    assert_eq!(seen.names(), ["Dockerfile"]);
    assert_eq!(seen.skipped, [(fs::canonicalize(folder.path()).unwrap().join("s"), "a socket")]);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error_that_names_it() {
    let folder = folder(&["Dockerfile", "big"]);
    let path = folder.path().join("big");
    for (length, then) in [(100, 50), (100, 150)] {
        fs::write(&path, vec![b'x'; length]).unwrap();
        let mut file = Steady::open(&path, &fs::metadata(&path).unwrap()).unwrap();
        let mut buffer = [0; 40];
        assert_eq!(file.next(&mut buffer).unwrap(), 40);
        fs::write(&path, vec![b'x'; then]).unwrap();
        let mut read = 40;
        let error = loop {
            match file.next(&mut buffer) {
                Ok(0) => panic!("its end came after {read} bytes, and no error"),
                Ok(more) => read += more,
                Err(error) => break error,
            }
        };
        assert!(read <= length, "no more than was told");
        assert!(matches!(&error, BuildError::File { path: named, .. } if *named == path), "{error:?}");
        assert!(error.to_string().contains("changed while"), "{error}");
    }
}

#[test]
fn a_file_that_vanished_breaks_the_archive_off_with_its_name() {
    let folder = folder(&["Dockerfile", "gone"]);
    let path = folder.path().join("gone");
    let metadata = fs::metadata(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let error = Steady::open(&path, &metadata).unwrap_err();
    assert!(error.to_string().contains("gone`, a file of the context, vanished"), "{error}");
}

#[test]
fn the_ignore_file_beside_the_dockerfile_wins() {
    let folder = folder(&["docker/web", "a", "b"]);
    fs::write(folder.path().join(IGNORE), "a").unwrap();
    fs::write(folder.path().join("docker/web.dockerignore"), "b").unwrap();
    let mut spec = BuildSpec::new(folder.path());
    spec.dockerfile = "docker/web".into();
    let mut seen = Seen::default();
    let context = Context::open(&spec).unwrap();
    context.walk(&[], &mut seen).unwrap();
    assert_eq!(context.dockerfile().inside.as_deref(), Some("docker/web"));
    assert_eq!(seen.names(), [".dockerignore", "a", "docker/", "docker/web", "docker/web.dockerignore"]);
}

#[test]
fn what_cannot_be_built_from_is_told_apart() {
    let folder = folder(&["Dockerfile", "sub/"]);
    let open = |context: &str, dockerfile: &str| {
        let mut spec = BuildSpec::new(folder.path().join(context));
        spec.dockerfile = dockerfile.into();
        Context::open(&spec).unwrap_err().to_string()
    };
    assert!(open("none", "Dockerfile").contains("none` cannot be found"));
    assert!(open("Dockerfile", "Dockerfile").contains("is not a folder"));
    assert!(open("", "Nope").contains("Nope` cannot be found"));
    assert!(open("", "sub").contains("sub` is not a file"));
    fs::write(folder.path().join(IGNORE), "a\n[").unwrap();
    assert!(open("", "Dockerfile").contains("line 2: `[` is not a pattern"));
}
