//! Who listens on this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A TCP socket that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    inode: u64,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: i32,
    pub(super) name: String,
}

impl Listener {
    /// All of this machine.
    pub(super) fn all() -> Vec<Self> {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let (four, six) = (read("/proc/net/tcp"), read("/proc/net/tcp6"));
        four.lines().chain(six.lines()).filter_map(parse).collect()
    }

    /// Whether a new socket could not listen on this address beside it.
    pub(super) fn bars(&self, wanted: SocketAddr) -> bool {
        let (there, wanted_ip) = (self.address.ip(), wanted.ip());
        let same = there == wanted_ip
            || (there.is_unspecified() && (there.is_ipv6() || wanted_ip.is_ipv4()))
            || (wanted_ip.is_unspecified() && there.is_ipv4() == wanted_ip.is_ipv4());
        self.address.port() == wanted.port() && same
    }

    /// Whose it is, as far as it can be seen by this user.
    pub(super) fn holder(&self) -> Option<Holder> {
        let link = format!("socket:[{}]", self.inode);
        for entry in std::fs::read_dir("/proc").ok()?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let Ok(files) = std::fs::read_dir(entry.path().join("fd")) else { continue };
            let holds = |file: std::fs::DirEntry| {
                std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str())
            };
            if files.flatten().any(holds) {
                let name = std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
                return Some(Holder { pid, name: name.trim().to_owned() });
            }
        }
        None
    }
}

/// A line of `/proc/net/tcp`; see proc_net(5). Addresses stand in words of this machine's byte order.
fn parse(line: &str) -> Option<Listener> {
    let mut words = line.split_whitespace();
    let (local, state) = (words.nth(1)?, words.nth(1)?);
    if state != "0A" {
        return None;
    }
    let inode = words.nth(5)?.parse().ok()?;
    let (ip, port) = local.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(ip.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes);
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let bytes = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?))
        }
        _ => return None,
    };
    Some(Listener { address: SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?), inode })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_listens_is_found_with_its_process() {
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = own.local_addr().unwrap();
        let listener = Listener::all().into_iter().find(|listener| listener.bars(address)).unwrap();
        assert_eq!(listener.address, address);
        assert_eq!(listener.holder().unwrap().pid, i32::try_from(std::process::id()).unwrap());
    }

    #[test]
    fn addresses_bar_each_other_as_the_kernel_has_it() {
        for (there, wanted, bars) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("0.0.0.0:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("[::]:80", "127.0.0.1:80", true),
            ("[::1]:80", "0.0.0.0:80", false),
            ("0.0.0.0:80", "[::1]:80", false),
        ] {
            let listener = Listener { address: there.parse().unwrap(), inode: 0 };
            assert_eq!(listener.bars(wanted.parse().unwrap()), bars, "{there} {wanted}");
        }
    }
}
