//! Other proxies before the same two containers, each set up as its own documentation says, and how each is switched.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::Side;
use crate::rig::deadline::until;
use crate::rig::error::{Doing as _, Result, unexpected};
use crate::rig::nginx::HostNginx;
use crate::rig::port;
use crate::rig::process::{self, Guard};

/// How long a proxy may take to listen.
const START: Duration = Duration::from_secs(10);

/// A proxy that is not cutover's, before two addresses.
pub(in crate::bench) enum Proxy {
    /// The `upstream` is rewritten, then `nginx -s reload`.
    Nginx { nginx: Box<HostNginx>, keep: &'static str, slots: [SocketAddr; 2] },
    /// The Caddyfile is rewritten, then `caddy reload`.
    Caddy { site: SocketAddr, admin: SocketAddr, slots: [SocketAddr; 2], place: TempDir, _process: Guard },
    /// `set server … state` by the runtime API.
    Haproxy { site: SocketAddr, place: TempDir, _process: Guard },
}

impl Proxy {
    /// nginx, with connections kept to the upstream and HTTP/1.1 to it; `keep` are directives for the clients' side.
    pub(in crate::bench) async fn nginx(
        binary: PathBuf,
        keep: &'static str,
        slots: [SocketAddr; 2],
    ) -> Result<Self> {
        let proxy = Self::Nginx { nginx: Box::new(HostNginx::start(binary).await?), keep, slots };
        proxy.switch(Side::Blue).await?;
        Ok(proxy)
    }

    /// Caddy.
    pub(in crate::bench) async fn caddy(slots: [SocketAddr; 2]) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let (site, admin) = (port::free()?, port::free()?);
        let file = place.path().join("Caddyfile");
        std::fs::write(&file, caddyfile(site, admin, slots[0])).doing(format!("write {}", file.display()))?;
        let mut command = Command::new("caddy");
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
        let process = Guard::spawn(own_home(&mut command, &place), &place.path().join("log"))?;
        listens(site).await?;
        Ok(Self::Caddy { site, admin, slots, place, _process: process })
    }

    /// HAProxy, with two servers of which one is in maintenance.
    pub(in crate::bench) async fn haproxy(slots: [SocketAddr; 2]) -> Result<Self> {
        let place = TempDir::new().doing("make a temporary directory")?;
        let site = port::free()?;
        let file = place.path().join("haproxy.cfg");
        let text = haproxy_configuration(site, &place.path().join("socket"), slots);
        std::fs::write(&file, text).doing(format!("write {}", file.display()))?;
        let mut command = Command::new("haproxy");
        let process = Guard::spawn(command.args(["-db", "-f"]).arg(&file), &place.path().join("log"))?;
        listens(site).await?;
        Ok(Self::Haproxy { site, place, _process: process })
    }

    /// Where it answers.
    pub(in crate::bench) fn site(&self) -> SocketAddr {
        match self {
            Self::Nginx { nginx, .. } => nginx.site(),
            Self::Caddy { site, .. } | Self::Haproxy { site, .. } => *site,
        }
    }

    /// Sends the requests to the other container, as its documentation says.
    pub(in crate::bench) async fn switch(&self, to: Side) -> Result<()> {
        match self {
            Self::Nginx { nginx, keep, slots } => {
                let path = nginx.conf_dir().join("site.conf");
                let text = nginx_configuration(nginx.site(), keep, slots[to as usize]);
                std::fs::write(&path, text).doing(format!("write {}", path.display()))?;
                nginx.reload().await
            }
            Self::Caddy { site, admin, slots, place, .. } => {
                let file = place.path().join("Caddyfile");
                let text = caddyfile(*site, *admin, slots[to as usize]);
                std::fs::write(&file, text).doing(format!("write {}", file.display()))?;
                let mut command = Command::new("caddy");
                command.args(["reload", "--adapter", "caddyfile", "--config"]).arg(&file);
                command.args(["--address", &admin.to_string()]);
                own_home(&mut command, place);
                process::run(command).await.map(drop)
            }
            Self::Haproxy { place, .. } => {
                let socket = place.path().join("socket");
                let (new, old) = (to.name(), to.other().name());
                let commands = format!("set server app/{new} state ready;set server app/{old} state maint\n");
                let said = told(&socket, &commands).doing(format!("tell {}", socket.display()))?;
                if said.trim().is_empty() { Ok(()) } else { Err(unexpected("haproxy", said)) }
            }
        }
    }
}

/// Asks HAProxy's socket; what it says, which is nothing where all is well.
fn told(socket: &std::path::Path, commands: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(commands.as_bytes())?;
    let mut said = String::new();
    stream.read_to_string(&mut said)?;
    Ok(said)
}

/// Caddy keeps things in its user's folders.
fn own_home<'a>(command: &'a mut Command, place: &TempDir) -> &'a mut Command {
    command.env("HOME", place.path()).env_remove("XDG_CONFIG_HOME").env_remove("XDG_DATA_HOME")
}

async fn listens(address: SocketAddr) -> Result<()> {
    let open = async || tokio::net::TcpStream::connect(address).await.ok().map(drop);
    until(&format!("something listens at {address}"), START, open).await
}

fn nginx_configuration(site: SocketAddr, keep: &str, to: SocketAddr) -> String {
    format!(
        "upstream app {{ server {to}; keepalive 256; }}\nserver {{\n    listen {site};\n    {keep}\n    \
         location / {{\n        proxy_pass http://app;\n        proxy_http_version 1.1;\n        \
         proxy_set_header Connection \"\";\n        proxy_set_header Host $host;\n    }}\n}}\n"
    )
}

fn caddyfile(site: SocketAddr, admin: SocketAddr, to: SocketAddr) -> String {
    format!(
        "{{\n    admin {admin}\n    auto_https off\n}}\n\nhttp://:{} {{\n    bind {}\n    \
         reverse_proxy {to}\n}}\n",
        site.port(),
        site.ip()
    )
}

fn haproxy_configuration(site: SocketAddr, socket: &std::path::Path, slots: [SocketAddr; 2]) -> String {
    let mut text = format!(
        "global\n    stats socket {} mode 600 level admin\n    maxconn 8192\n    nbthread 2\ndefaults\n    mode \
         http\n    timeout connect 1s\n    timeout client 60s\n    timeout server 60s\n    http-reuse always\n\
         frontend site\n    bind {site}\n    default_backend app\nbackend app\n",
        socket.display()
    );
    for (side, address) in [Side::Blue, Side::Green].into_iter().zip(slots) {
        let state = if side == Side::Blue { "" } else { " disabled" };
        // Writing to a string does not fail.
        let _written = writeln!(text, "    server {} {address} pool-max-conn 512{state}", side.name());
    }
    text
}
