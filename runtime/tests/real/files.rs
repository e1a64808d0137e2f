//! Files in and out, and programs run inside.

use cutover_runtime::{Error, UploadEntry, UploadKind};

use crate::rig::Rig;

fn file(path: &str, text: &str) -> UploadEntry {
    UploadEntry { path: path.into(), kind: UploadKind::File { bytes: text.into(), mode: 0o640 } }
}

#[tokio::test]
async fn what_was_uploaded_is_downloaded_the_same_from_a_stopped_container() {
    let rig = Rig::new().await;
    let id = rig.engine.create_container(&rig.spec("web")).await.unwrap();
    let directory = UploadEntry { path: "conf.d".into(), kind: UploadKind::Directory { mode: 0o755 } };
    let files = [directory, file("conf.d/a.conf", "one"), file("b", "two")];
    rig.engine.upload(&id, "/tmp", &files).await.unwrap();
    assert_eq!(rig.engine.download(&id, "/tmp/conf.d/a.conf").await.unwrap().as_deref(), Some(&b"one"[..]));
    rig.engine.upload(&id, "/tmp", &[file("b", "three")]).await.unwrap();
    assert_eq!(rig.engine.download(&id, "/tmp/b").await.unwrap().as_deref(), Some(&b"three"[..]));
}

#[tokio::test]
async fn a_missing_file_directory_and_container_are_told_apart() {
    let rig = Rig::new().await;
    let id = rig.engine.create_container(&rig.spec("web")).await.unwrap();
    assert_eq!(rig.engine.download(&id, "/tmp/none").await.unwrap(), None);
    let directory = rig.engine.download(&id, "/tmp").await.unwrap_err();
    assert!(matches!(&directory, Error::Path { path, .. } if path == "/tmp"), "{directory:?}");
    let nowhere = rig.engine.upload(&id, "/none", &[file("a", "")]).await.unwrap_err();
    assert!(matches!(&nowhere, Error::Path { path, .. } if path == "/none"), "{nowhere:?}");
    let escape = rig.engine.upload(&id, "/tmp", &[file("../a", "")]).await.unwrap_err();
    assert!(matches!(&escape, Error::Path { path, .. } if path == "../a"), "{escape:?}");
    for error in [
        rig.engine.download("cutover-no-such", "/tmp/none").await.unwrap_err(),
        rig.engine.upload("cutover-no-such", "/tmp", &[]).await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::NoSuchContainer { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_program_run_inside_leaves_its_status_and_both_outputs() {
    let rig = Rig::new().await;
    let (container, _) = rig.serve("ok").await;
    let left = rig.engine.exec(&container.id, &["/service", "echo", "to out", "to err"]).await.unwrap();
    assert_eq!((left.status, left.stdout.as_str(), left.stderr.as_str()), (7, "to out\n", "to err\n"));
    let missing = rig.engine.exec(&container.id, &["/nope"]).await.unwrap();
    assert!([126, 127].contains(&missing.status), "{missing:?}");
    rig.engine.stop(&container.id, std::time::Duration::ZERO).await.unwrap();
    let stopped = rig.engine.exec(&container.id, &["/service"]).await.unwrap_err();
    assert!(matches!(stopped, Error::NotRunning { .. }), "{stopped:?}");
}
