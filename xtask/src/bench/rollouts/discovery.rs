//! HAProxy in a container, which finds the app's containers by their name in Docker's DNS.

use std::net::SocketAddr;

use tempfile::TempDir;

use crate::rig::container::Container;
use crate::rig::docker;
use crate::rig::error::{Doing as _, Result};
use crate::rig::image::ProgramImage;
use crate::rig::network::Network;

/// The port that the site has in the container.
const PORT: u16 = 8080;

/// Where the configuration is in the container.
const CONFIGURATION: &str = "/etc/haproxy.cfg";

/// How many containers of one name are found.
const MOST: usize = 4;

/// A running HAProxy on a network of its own. All of it goes on drop, with the containers of this run on that network.
pub(super) struct Discovery {
    site: SocketAddr,
    // Dropped in this order: what is used after what uses it.
    container: Container,
    network: Network,
    _image: ProgramImage,
    _place: TempDir,
}

impl Discovery {
    /// Starts one before what this name stands for, on its network and on any that it is connected to.
    pub(super) async fn start(name: &str) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let file = place.path().join("haproxy.cfg");
        std::fs::write(&file, configuration(name)).doing(format!("write {}", file.display()))?;
        let image = ProgramImage::haproxy().await?;
        let network = Network::create().await?;
        let mount = format!("{}:{CONFIGURATION}:ro", file.display());
        let options = ["--network", network.name(), "-v", &mount];
        let command = ["/usr/sbin/haproxy", "-db", "-f", CONFIGURATION];
        let container = Container::run(image.name(), &options, &command).await?;
        let site = container.at(PORT).await?;
        Ok(Self { site, container, network, _image: image, _place: place })
    }

    /// Where it answers.
    pub(super) fn site(&self) -> SocketAddr {
        self.site
    }

    /// The name of its network.
    pub(super) fn network(&self) -> &str {
        self.network.name()
    }

    /// Has it look on another network too.
    pub(super) async fn connect(&self, network: &str) -> Result<()> {
        docker::run(&["network", "connect", network, self.container.name()]).await.map(drop)
    }
}

/// Names are looked up five times a second and forgotten as soon. A container that refuses a connection is left out at
/// once, and what may be sent twice is sent to another: GET whatever happened, POST where no connection came about.
fn configuration(name: &str) -> String {
    format!(
        "global\n    maxconn 8192\n    nbthread 2\n\
         resolvers docker\n    nameserver dns 127.0.0.11:53\n    timeout resolve 200ms\n    timeout retry 200ms\n    \
         hold valid 200ms\n    hold nx 0s\n    hold obsolete 0s\n\
         defaults\n    mode http\n    timeout connect 250ms\n    timeout check 1s\n    timeout client 60s\n    \
         timeout server 60s\n    retries 3\n    option redispatch 1\n    retry-on all-retryable-errors\n\
         frontend site\n    bind :{PORT}\n    http-request disable-l7-retry if METH_POST\n    default_backend app\n\
         backend app\n    option httpchk GET /healthz\n    default-server check inter 200ms fall 1 rise 1 observe \
         layer4 error-limit 1 on-error mark-down pool-purge-delay 2s\n    server-template app {MOST} {name}:8080 \
         resolvers docker init-addr libc,none\n"
    )
}
