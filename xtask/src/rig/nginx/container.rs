//! An nginx in a container.

use std::fs::Permissions;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::rig::container::Container;
use crate::rig::deadline::until;
use crate::rig::docker;
use crate::rig::error::{Doing, Result};
use crate::rig::image::{self, NginxImage};
use crate::rig::network::Network;
use crate::rig::port;

/// How long nginx may take to start its workers.
const START: Duration = Duration::from_secs(10);

/// Where the host's nginx usually is.
const BINARY: &str = "/usr/sbin/nginx";

/// A running nginx in a container with a random name, on a network of its own.
///
/// Its `conf.d`, its state and its log are directories of the host, mounted. All of it goes on drop.
#[derive(Debug)]
pub struct ContainerNginx {
    control: SocketAddr,
    site: SocketAddr,
    // Dropped in this order: what is used after what uses it.
    container: Container,
    network: Network,
    _image: NginxImage,
    place: TempDir,
}

impl ContainerNginx {
    /// Starts the host's `/usr/sbin/nginx` in a container.
    ///
    /// # Errors
    ///
    /// When the image cannot be built, or nginx does not start.
    pub async fn start() -> Result<Self> {
        Self::start_binary(BINARY).await
    }

    /// Starts this nginx binary in a container.
    ///
    /// # Errors
    ///
    /// When the image cannot be built, or nginx does not start.
    pub async fn start_binary(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(binary.as_ref(), true).await
    }

    /// Starts this nginx binary in a container whose `conf.d` and state are its own: nothing but the log is mounted.
    ///
    /// # Errors
    ///
    /// When the image cannot be built, or nginx does not start.
    pub async fn start_unmounted(binary: impl AsRef<Path>) -> Result<Self> {
        Self::start_with(binary.as_ref(), false).await
    }

    async fn start_with(binary: &Path, mounted: bool) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        for name in ["conf.d", "state", "log"] {
            let path = place.path().join(name);
            std::fs::create_dir(&path).doing(format!("create {}", path.display()))?;
            let open = Permissions::from_mode(0o755);
            std::fs::set_permissions(&path, open).doing(format!("open {} for all", path.display()))?;
        }
        let image = NginxImage::build(binary).await?;
        let network = Network::create().await?;
        let (control, site) = (port::free()?, port::free()?);
        let mount = |name: &str, inside: &str| format!("{}/{name}:{inside}", place.path().display());
        let (conf, state, log) = (
            mount("conf.d", image::CONF_DIR),
            mount("state", image::STATE_DIR),
            mount("log", image::LOG_DIR),
        );
        let (site_port, control_port) =
            (format!("{site}:{}", Self::SITE_PORT), format!("{control}:{}", Self::CONTROL_PORT));
        let mut options =
            vec!["--network", network.name(), "-v", &log, "-p", &site_port, "-p", &control_port];
        if mounted {
            options.extend(["-v", &conf, "-v", &state]);
        }
        let container = Container::run(image.name(), &options, &[]).await?;
        let nginx = Self { control, site, container, network, _image: image, place };
        let what = format!("nginx in {} starts its workers", nginx.name());
        until(&what, START, async || {
            let log = std::fs::read_to_string(nginx.error_log()).unwrap_or_default();
            (log.matches("start worker process ").count() >= 2).then_some(())
        })
        .await?;
        Ok(nginx)
    }

    /// The port in the container that [`ContainerNginx::site`] leads to.
    pub const SITE_PORT: u16 = 80;

    /// The port in the container that [`ContainerNginx::control`] leads to.
    pub const CONTROL_PORT: u16 = 9180;

    /// The container's name.
    pub fn name(&self) -> &str {
        self.container.name()
    }

    /// The network that it is on; removed on drop with the labelled containers on it.
    pub fn network(&self) -> &str {
        self.network.name()
    }

    /// Its address on that network.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub async fn address(&self) -> Result<IpAddr> {
        self.container.address().await
    }

    /// Puts it on another network too.
    ///
    /// # Errors
    ///
    /// When there is no such network.
    pub async fn connect(&self, network: &str) -> Result<()> {
        docker::run(&["network", "connect", network, self.name()]).await.map(drop)
    }

    /// `conf.d` as the host sees it.
    pub fn conf_dir(&self) -> PathBuf {
        self.place.path().join("conf.d")
    }

    /// The directory for markers as the host sees it.
    pub fn state_dir(&self) -> PathBuf {
        self.place.path().join("state")
    }

    /// `conf.d` as nginx sees it.
    pub fn conf_dir_inside(&self) -> &'static Path {
        Path::new(image::CONF_DIR)
    }

    /// The directory for markers as nginx sees it.
    pub fn state_dir_inside(&self) -> &'static Path {
        Path::new(image::STATE_DIR)
    }

    /// The loopback address that leads to [`ContainerNginx::CONTROL_PORT`], on all addresses of the container.
    pub fn control(&self) -> SocketAddr {
        self.control
    }

    /// The loopback address that leads to [`ContainerNginx::SITE_PORT`].
    pub fn site(&self) -> SocketAddr {
        self.site
    }

    /// The error log, at the level `notice`, as the host sees it.
    pub fn error_log(&self) -> PathBuf {
        self.place.path().join("log/error.log")
    }

    /// How often it was told to reload.
    pub fn reloads(&self) -> usize {
        super::reloads(&self.error_log())
    }

    /// Tells it to reload by SIGHUP, and waits until it has taken notice.
    ///
    /// # Errors
    ///
    /// When the engine does not deliver the signal, or nginx does not say that it reloads.
    pub async fn reload(&self) -> Result<()> {
        let before = self.reloads();
        docker::run(&["kill", "-s", "HUP", self.name()]).await?;
        let told = async || (self.reloads() > before).then_some(());
        until("nginx takes notice of a reload", START, told).await
    }
}
