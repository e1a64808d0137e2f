//! What is made is writable by its owner alone, and nginx finds what it needs, whatever the umask. The mask is the whole
//! process's, so this test has one of its own.
#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::umask;
use xtask::rig::needs;
use xtask::rig::stage::{Nginx, Stage};

/// The modes of all that is there, by path.
fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
        found.push((path.display().to_string(), mode));
        if path.is_dir() {
            modes(&path, found);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_ours_is_writable_by_others_and_nginx_finds_its_own_whatever_the_umask() {
    let mut stage = Stage::on_host(env!("CARGO_BIN_EXE_xtask"), needs::nginx()).await.unwrap();
    let images = [stage.release("1", &[]).await.unwrap(), stage.release("2", &[]).await.unwrap()];
    let Nginx::Host(nginx) = &stage.nginx else { panic!() };
    let (conf, state) = (nginx.conf_dir(), nginx.state_dir());
    let data = state.join("a/b");
    for (mask, image, version) in [(0o000, &images[0], "1"), (0o077, &images[1], "2")] {
        let data = data.join(version);
        let config = std::fs::read_to_string(stage.config()).unwrap();
        let tables = config.split_once("[proxy]").unwrap().1;
        std::fs::write(stage.config(), format!("data_dir = {data:?}\n[proxy]{tables}")).unwrap();
        let before = umask(Mode::from_raw_mode(mask));
        let ran = stage.cutover(&["deploy", "--image", image]).await;
        umask(before);
        ran.exits(0);
        // The second one is green: its marker was found in a folder that the mask would have closed.
        let (_, body) = stage.page(stage.site(), "localhost", "/").await.unwrap();
        assert_eq!(body.trim(), format!("version {version}"));
        let mut found = Vec::new();
        modes(&conf, &mut found);
        modes(&state, &mut found);
        for name in ["lock", "history.jsonl"] {
            let own: Vec<_> = found.iter().filter(|(path, _)| path.ends_with(name)).collect();
            assert!(!own.is_empty() && own.iter().all(|(_, mode)| *mode == 0o600), "{found:#?}");
        }
        let open: Vec<_> = found.iter().filter(|(_, mode)| mode & 0o022 != 0).collect();
        assert!(open.is_empty(), "{open:#?}");
    }
}
