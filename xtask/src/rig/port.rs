//! Free ports on loopback.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Mutex;

use ring::rand::{SecureRandom, SystemRandom};

use super::error::{Result, unexpected};

/// Below what Linux gives to outgoing connections (32768 and up), so that load cannot take a port that was picked.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A loopback address that nobody listens on, and that this process gives only once.
///
/// # Errors
///
/// When a thousand ports picked at random are all taken.
pub fn free() -> Result<SocketAddr> {
    let mut given = GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for _ in 0..1000 {
        let mut bytes = [0; 2];
        if SystemRandom::new().fill(&mut bytes).is_err() {
            break;
        }
        let port = FIRST + u16::from_le_bytes(bytes) % COUNT;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if !given.contains(&port) && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok() {
            given.insert(port);
            return Ok(address);
        }
    }
    Err(unexpected("loopback", "no free port was found"))
}
