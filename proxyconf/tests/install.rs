//! Installing, on a real nginx: what fails leaves the old configuration serving, on disk too.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rig;

use std::net::TcpListener;

use cutover_proxyconf::{Absence, Error, Installed, Serving, Slot, Stage, Surface, Worker};

use rig::Rig;
use rig::client::get;

#[tokio::test]
async fn what_nginx_serves_already_is_not_loaded_again() {
    let rig = Rig::serving(|_| {}).await;
    let (rendered, reloads) = (rig.rendered().await, rig.reloads());
    assert_eq!(rig.nginx.install(&rendered, &rig.app.name).await.unwrap(), Installed::Unchanged);
    assert_eq!(rig.reloads(), reloads);
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), rendered.files);
}

#[tokio::test]
async fn a_configuration_that_nginx_refuses_is_taken_back() {
    let mut rig = Rig::serving(|_| {}).await;
    let before = rig.nginx.installed(&rig.app.name).await.unwrap();
    let reloads = rig.reloads();
    rig.site_mut().extra = vec!["no_such_directive on;".into()];
    let rendered = rig.rendered().await;
    let error = rig.nginx.install(&rendered, &rig.app.name).await.unwrap_err();
    let Error::Restored { stage: Stage::Check, source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("no_such_directive"), "{source}");
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), before);
    assert_eq!((get(rig.site, "/").await.1.as_str(), rig.reloads()), ("blue", reloads));
    assert!(no_leftovers(&rig));
}

#[tokio::test]
async fn files_that_cannot_be_written_are_left_as_they_are_and_told_so() {
    let mut rig = Rig::serving(|_| {}).await;
    let before = rig.nginx.installed(&rig.app.name).await.unwrap();
    // Root may write anywhere; but no file can be written in the place of a folder.
    let folders: Vec<_> = before
        .iter()
        .flat_map(|file| [format!(".{}", file.name), format!("..{}.cutover-old", file.name)])
        .map(|name| rig.nginx.conf_dir.join(name + ".cutover-new"))
        .collect();
    folders.iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    rig.site_mut().client_max_body_size = Some(1 << 20);
    let error = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap_err();
    assert!(matches!(error, Error::Restored { stage: Stage::Write, .. }), "{error:?}");
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), before);
    folders.iter().for_each(|folder| std::fs::remove_dir(folder).unwrap());
    assert!(no_leftovers(&rig));
}

#[tokio::test]
async fn a_listen_address_that_is_taken_is_noticed_and_the_old_files_are_back() {
    let mut rig = Rig::serving(|_| {}).await;
    let before = rig.nginx.installed(&rig.app.name).await.unwrap();
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    rig.site_mut().listen.push(holder.local_addr().unwrap().into());
    let rendered = rig.rendered().await;
    let error = rig.nginx.install(&rendered, &rig.app.name).await.unwrap_err();
    assert!(matches!(error, Error::Restored { stage: Stage::Check | Stage::Confirm, .. }), "{error:?}");
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), before);
    assert_eq!(get(rig.site, "/").await.1, "blue");
}

#[tokio::test]
async fn an_installation_that_was_killed_is_mended_by_the_next_one() {
    let rig = Rig::serving(|_| {}).await;
    let name = "cutover-web.conf";
    let old = std::fs::read_to_string(rig.nginx.conf_dir.join(name)).unwrap();
    std::fs::write(rig.nginx.conf_dir.join(format!(".{name}.cutover-old")), old).unwrap();
    std::fs::write(rig.nginx.conf_dir.join(name), "server {").unwrap();
    let done = rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
    assert!(matches!(done, Installed::Reloaded { .. }));
    rig.nginx.surface.test().await.unwrap();
    assert!(no_leftovers(&rig));
}

#[tokio::test]
async fn an_installation_that_was_killed_once_it_was_loaded_is_not_current_and_ended_without_a_reload() {
    let rig = Rig::serving(|_| {}).await;
    let (rendered, serving) = (rig.rendered().await, rig.nginx.observe(&rig.app.name).await.unwrap());
    let current = async || rig.nginx.is_current(&rendered, &rig.app.name, &serving).await.unwrap();
    assert!(current().await);
    assert_eq!(rig.nginx.left(&rig.app.name).await.unwrap(), [""; 0].map(std::path::PathBuf::from));
    let left = rig.nginx.conf_dir.join(".cutover-web.conf.cutover-old");
    std::fs::write(&left, "").unwrap();
    assert_eq!(rig.nginx.left(&rig.app.name).await.unwrap(), [left]);
    assert!(!current().await);
    let reloads = rig.reloads();
    assert_eq!(rig.nginx.install(&rendered, &rig.app.name).await.unwrap(), Installed::Unchanged);
    assert!(current().await);
    assert!(no_leftovers(&rig));
    assert_eq!(rig.reloads(), reloads);
}

#[tokio::test]
async fn a_file_that_was_changed_by_hand_is_not_current_and_put_right() {
    let rig = Rig::serving(|_| {}).await;
    let (rendered, serving) = (rig.rendered().await, rig.nginx.observe(&rig.app.name).await.unwrap());
    std::fs::write(rig.nginx.conf_dir.join("cutover-web.conf"), "# by hand\n").unwrap();
    assert!(!rig.nginx.is_current(&rendered, &rig.app.name, &serving).await.unwrap());
    let done = rig.nginx.install(&rendered, &rig.app.name).await.unwrap();
    assert!(matches!(done, Installed::Reloaded { .. }));
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), rendered.files);
}

#[tokio::test]
async fn nginx_tells_what_it_includes_and_whom_its_workers_run_as() {
    let rig = Rig::serving(|_| {}).await;
    let dump = rig.nginx.surface.dump().await.unwrap();
    assert_eq!(dump.main(), rig.nginx.surface.conf.as_deref());
    assert!(dump.includes(&rig.nginx.conf_dir));
    assert!(!dump.includes(rig.path()));
    let master = rig.nginx.surface.master().await.unwrap().unwrap();
    let worker = Worker::observe(master).unwrap().unwrap();
    // As root it gives its workers another user, whom the switch has shown to see the markers.
    rig.switch(Slot::Green).await;
    assert_eq!(worker.barred_from(&rig.nginx.state_dir).unwrap(), None);
}

#[tokio::test]
async fn an_app_that_is_uninstalled_is_gone_from_disk_and_from_nginx() {
    let rig = Rig::serving(|_| {}).await;
    rig.switch(Slot::Green).await;
    rig.nginx.uninstall(&rig.app.name).await.unwrap();
    assert_eq!(rig.nginx.installed(&rig.app.name).await.unwrap(), []);
    let serving = rig.nginx.observe(&rig.app.name).await.unwrap();
    assert_eq!(serving, Serving::Nothing { why: Absence::Refused });
    assert!(!cutover_proxyconf::marker(&rig.nginx.state_dir, &rig.app.name).exists());
    assert_eq!(rig.nginx.uninstall(&rig.app.name).await.unwrap(), Installed::Unchanged);
}

#[tokio::test]
async fn apps_share_one_control_address_and_are_told_apart() {
    let mut rig = Rig::serving(|_| {}).await;
    let web = rig.app.name.clone();
    rig.app.name = "a-name-of-twenty-eight-bytes".parse().unwrap();
    let site = rig::free();
    rig.site_mut().listen = vec![site.into()];
    let other = rig.nginx.observe(&rig.app.name).await.unwrap();
    assert_eq!(other, Serving::Nothing { why: Absence::OtherApp(web.clone()) });
    rig.nginx.install(&rig.rendered().await, &rig.app.name).await.unwrap();
    rig.switch(Slot::Green).await;
    assert_eq!((get(site, "/").await.1, get(rig.site, "/").await.1), ("green".into(), "blue".into()));
    let serving = rig.nginx.observe(&web).await.unwrap();
    assert!(matches!(serving, Serving::App { live: Slot::Blue, .. }), "{serving}");
}

fn no_leftovers(rig: &Rig) -> bool {
    let mut entries = std::fs::read_dir(&rig.nginx.conf_dir).unwrap();
    entries.all(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with('.'))
}
