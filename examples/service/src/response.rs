//! Responses, each written into one buffer so that it goes out in one write.

use std::io::Write;

/// 200.
pub(crate) const OK: &str = "200 OK";

/// Appends a whole response to `out`.
pub(crate) fn write(out: &mut Vec<u8>, status: &str, version: &str, keep: bool, body: &[u8]) {
    write_with(out, status, version, keep, "", body);
}

/// As [`write()`], with further header lines, each ended by CRLF.
pub(crate) fn write_with(
    out: &mut Vec<u8>,
    status: &str,
    version: &str,
    keep: bool,
    headers: &str,
    body: &[u8],
) {
    let connection = if keep { "keep-alive" } else { "close" };
    let length = body.len();
    // A Vec takes every write.
    drop(write!(
        out,
        "HTTP/1.1 {status}\r\nX-Version: {version}\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nConnection: {connection}\r\n{headers}\r\n"
    ));
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_response_is_whole() {
        let mut out = Vec::new();
        super::write_with(&mut out, "301 Moved Permanently", "7", false, "Location: /else\r\n", b"gone\n");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 301 Moved Permanently\r\nX-Version: 7\r\nContent-Type: text/plain\r\n\
             Content-Length: 5\r\nConnection: close\r\nLocation: /else\r\n\r\ngone\n"
        );
    }
}
