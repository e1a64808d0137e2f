//! The TCP sockets of a network namespace, as Linux lists them in `/proc/<pid>/net/tcp` and `tcp6`.
//!
//! The format is that of `proc_pid_net(5)`: a heading, then one socket a line, addresses and ports in hexadecimal.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The state of a connection that both sides hold open (`TCP_ESTABLISHED`).
const ESTABLISHED: u8 = 0x01;
/// The state of a socket that waits for connections (`TCP_LISTEN`).
const LISTEN: u8 = 0x0A;

/// One TCP socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Socket {
    address: IpAddr,
    port: u16,
    state: u8,
}

/// The TCP sockets of the network namespace of a process.
pub(crate) async fn of_process(pid: i32) -> io::Result<Vec<Socket>> {
    let mut sockets = parse(&tokio::fs::read_to_string(format!("/proc/{pid}/net/tcp")).await?);
    match tokio::fs::read_to_string(format!("/proc/{pid}/net/tcp6")).await {
        Ok(text) => sockets.extend(parse(&text)),
        // A kernel without IPv6 has no such file.
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    Ok(sockets)
}

/// Reads the text of `tcp` or `tcp6`. Lines that are none of it are left out.
pub(crate) fn parse(text: &str) -> Vec<Socket> {
    text.lines().skip(1).filter_map(socket).collect()
}

/// The connections that are open at that port of ours.
pub(crate) fn established(sockets: &[Socket], port: u16) -> usize {
    sockets.iter().filter(|socket| socket.state == ESTABLISHED && socket.port == port).count()
}

/// The ports that are listened on: by whom others can reach, and on the loopback address only.
pub(crate) fn listening(sockets: &[Socket]) -> (Vec<u16>, Vec<u16>) {
    let listening = || sockets.iter().filter(|socket| socket.state == LISTEN);
    let ports = |loopback: bool| {
        let mut ports: Vec<u16> = listening()
            .filter(|socket| socket.address.is_loopback() == loopback)
            .map(|socket| socket.port)
            .collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    };
    let open = ports(false);
    let mut loopback = ports(true);
    loopback.retain(|port| !open.contains(port));
    (open, loopback)
}

fn socket(line: &str) -> Option<Socket> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    Some(Socket {
        address: ip(address)?,
        port: u16::from_str_radix(port, 16).ok()?,
        state: u8::from_str_radix(state, 16).ok()?,
    })
}

/// The kernel prints each 32 bits of an address as a number of its own byte order.
fn ip(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| Some(u32::from_str_radix(hex.get(at * 8..at * 8 + 8)?, 16).ok()?.to_ne_bytes());
    match hex.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut bytes = [0; 16];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                part.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::from(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:1FB0 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 29519 1 ffff 100 0 0 10 0
   1: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 29520 1 ffff 100 0 0 10 0
   2: 020012AC:1FB0 010012AC:D2F0 01 00000000:00000000 00:00000000 00000000     0        0 29521 1 ffff 20 4 30 10 -1
   3: 020012AC:1FB0 010012AC:D2F2 06 00000000:00000000 03:00001770 00000000     0        0 0 3 ffff
   4: 020012AC:A001 030012AC:1FB0 01 00000000:00000000 00:00000000 00000000     0        0 29522 1 ffff 20 4 30 10 -1
";
    const TCP6: &str = "\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 0000000000000000FFFF0000020012AC:1FB0 0000000000000000FFFF0000010012AC:D2F0 01 00000000:00000000 00:00000000
";

    #[test]
    fn only_open_connections_to_the_port_are_counted() {
        assert_eq!(
            established(&parse(TCP), 8112),
            1,
            "not those closing, nor those we opened to another's 8112"
        );
        assert_eq!(established(&parse(TCP6), 8112), 1);
        assert_eq!(established(&parse(TCP), 3000), 0, "a listening socket is not a connection");
    }

    #[test]
    fn ports_that_only_the_container_reaches_are_told_apart() {
        let mut sockets = parse(TCP);
        sockets.extend(parse(TCP6));
        assert_eq!(listening(&sockets), (vec![8080, 8112], vec![3000]));
    }

    #[test]
    fn addresses_are_read_in_the_order_of_this_machine() {
        assert_eq!(ip("0100007F"), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(ip("0000000000000000FFFF0000020012AC"), Some("172.18.0.2".parse().unwrap()));
        assert_eq!(ip("00000000000000000000000001000000"), Some("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_not_a_socket_is_left_out() {
        assert!(parse("").is_empty());
        assert!(parse("heading\n\n  0: nonsense\n  1: 00:11 22:33 0A\n").is_empty());
    }
}
