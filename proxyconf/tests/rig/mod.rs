//! A real nginx of the test's own, and small backends behind it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "each test binary uses a part of the rig, and a test may panic"
)]

pub(crate) mod backend;
pub(crate) mod client;

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cutover_proxyconf::{
    App, BySlot, Control, Exposure, HostNginx, Inherited, Nginx, ProxySettings, Rendered, Site, Slot,
    Surface, Upstream, render,
};

use self::backend::Backend;

/// An nginx with its own prefix, and one app `web` of two backends.
pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) nginx: Nginx<HostNginx>,
    pub(crate) site: SocketAddr,
    pub(crate) backends: BySlot<Backend>,
    process: Child,
    dir: tempfile::TempDir,
}

/// An address of loopback that is free.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn binary() -> PathBuf {
    let binary =
        std::env::var_os("CUTOVER_TEST_NGINX").map_or_else(|| "/usr/sbin/nginx".into(), PathBuf::from);
    assert!(binary.exists(), "these tests need nginx at {} (or CUTOVER_TEST_NGINX)", binary.display());
    binary
}

impl Rig {
    /// nginx runs, and serves nothing of the app yet. `extra` goes into the http block; in it `{root}` is the rig's folder.
    pub(crate) async fn bare(extra: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let root = dir.path();
        std::fs::create_dir(root.join("conf.d")).unwrap();
        let conf = root.join("nginx.conf");
        std::fs::write(&conf, main_conf(root, extra)).unwrap();
        let process = Command::new(binary())
            .arg("-c")
            .arg(&conf)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let (site, control) = (free(), free());
        let backends = BySlot { blue: Backend::start("blue").await, green: Backend::start("green").await };
        let app = App {
            name: "web".parse().unwrap(),
            slots: BySlot::from_fn(|slot| vec![backends[slot].address.into()]),
            upstream: Upstream::default(),
            exposure: Exposure::Site(Site { listen: vec![site.into()], ..Site::default() }),
            proxy: ProxySettings::default(),
            control: Control::new(control),
            state_dir: root.join("state"),
            preview_host: None,
            tells: false,
            canary: None,
            inherited: Inherited::default(),
        };
        let nginx = Nginx {
            surface: HostNginx { binary: binary(), conf: Some(conf) },
            conf_dir: root.join("conf.d"),
            state_dir: root.join("state"),
            control,
        };
        let rig = Self { app, nginx, site, backends, process, dir };
        eventually("nginx runs", async || rig.nginx.surface.running().await.unwrap()).await;
        rig
    }

    /// nginx serves the app, changed by `change` first.
    pub(crate) async fn serving(change: impl FnOnce(&mut App)) -> Self {
        Self::serving_beside("", change).await
    }

    /// The same, with `extra` in the http block, of which the app inherits what it can.
    pub(crate) async fn serving_beside(extra: &str, change: impl FnOnce(&mut App)) -> Self {
        let mut rig = Self::bare(extra).await;
        rig.app.inherited = rig.nginx.inherited(&rig.app.name).await.unwrap();
        change(&mut rig.app);
        let rendered = rig.rendered().await;
        rig.nginx.install(&rendered, &rig.app.name).await.unwrap();
        rig
    }

    pub(crate) async fn rendered(&self) -> Rendered {
        render(&self.app, self.nginx.surface.version().await.unwrap()).unwrap()
    }

    pub(crate) async fn switch(&self, to: Slot) {
        self.nginx.switch(&self.app.name, to).await.unwrap();
    }

    pub(crate) fn site_mut(&mut self) -> &mut Site {
        match &mut self.app.exposure {
            Exposure::Site(site) => site,
            Exposure::Snippets => panic!("the app has no site"),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn error_log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("error.log")).unwrap_or_default()
    }

    pub(crate) fn reloads(&self) -> usize {
        self.error_log().matches("reconfiguring").count()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw).unwrap();
        _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        drop(self.process.wait());
    }
}

fn main_conf(root: &Path, extra: &str) -> String {
    let root = root.display();
    let extra = extra.replace("{root}", &root.to_string());
    let log = if extra.contains("access_log") { "" } else { "access_log off;" };
    let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {root}/{kind};\n"))
        .concat();
    format!(
        "daemon off;\nmaster_process on;\nworker_processes 2;\npid {root}/nginx.pid;\n\
         error_log {root}/error.log notice;\nevents {{ worker_connections 1024; }}\n\
         http {{\n    {log}\n{temp}    {extra}\n    include {root}/conf.d/*.conf;\n}}\n"
    )
}

/// Waits for a condition; fails after 10 s, naming it.
pub(crate) async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < Duration::from_secs(10), "waited 10 s in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
