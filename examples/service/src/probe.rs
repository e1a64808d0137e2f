//! A look at a running service's health, from beside it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether the service on this port says that it is healthy.
pub(crate) fn healthy(port: u16) -> bool {
    answer(port).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

fn answer(port: u16) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;

    #[test]
    fn only_a_200_is_healthy() {
        for (answer, healthy) in
            [("HTTP/1.1 200 OK\r\n\r\n", true), ("HTTP/1.1 503 Busy\r\n\r\n", false), ("", false)]
        {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = listener.local_addr().unwrap().port();
            let served = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _asked = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            });
            assert_eq!(super::healthy(port), healthy, "{answer:?}");
            served.join().unwrap();
            assert!(!super::healthy(port), "nobody listens any more");
        }
    }
}
